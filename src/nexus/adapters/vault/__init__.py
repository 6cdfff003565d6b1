"""Texts that nobody reads from the store alone."""
