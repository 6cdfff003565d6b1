"""Pages for people, rendered here and without any script."""
