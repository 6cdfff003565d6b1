"""What venues plan and families find: the catalogue's use cases."""
