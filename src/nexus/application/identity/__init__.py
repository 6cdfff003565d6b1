"""People, families, companies: what they may do and see."""
