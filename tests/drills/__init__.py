"""Faults on purpose: the product as real processes, killed, cut off and starved, and what it lost by that."""
