"""Tokens that cannot be guessed."""

from secrets import token_urlsafe


def new_token() -> str:
    """256 random bits, safe in a header, a cookie and an address."""
    return token_urlsafe(32)
