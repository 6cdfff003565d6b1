"""The machine's clock and chance."""
