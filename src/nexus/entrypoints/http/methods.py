"""The methods that figures and traces tell apart."""

from typing import Final

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""A client may send any word; every other one counts as one and the same."""
