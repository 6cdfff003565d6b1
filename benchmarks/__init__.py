"""How near the product is to what PostgreSQL itself can do on the same machine: `make bench`."""
