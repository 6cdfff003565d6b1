"""What is kept of a token."""

from hashlib import sha256
from typing import Final

LONGEST_TOKEN: Final = 200


def token_hash(token: str) -> bytes:
    """The hash by which a token is found; it has 256 random bits, so that a fast hash is enough."""
    return sha256(token.encode(errors="replace")).digest()
