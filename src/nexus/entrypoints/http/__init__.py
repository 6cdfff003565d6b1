"""The JSON API: what every resource shares, and a controller per resource."""
