"""Ids and codes that nobody has seen before."""

import secrets
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

UNAMBIGUOUS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0/O, 1/I/L or U/V: read aloud, each is itself."""


def new_id() -> UUID:
    """A fresh UUID of version 7: ids of one moment lie together in an index."""
    return uuid7()


def new_code() -> str:
    """A fresh confirmation code such as ``K7QF-2M9X`` (30^8: two alike are rarer than one in 650 billion)."""
    # One draw for all letters: asking the system for chance costs more than the rest of it.
    rest = secrets.randbelow(len(UNAMBIGUOUS) ** 8)
    letters = ""
    for _ in range(8):
        rest, place = divmod(rest, len(UNAMBIGUOUS))
        letters += UNAMBIGUOUS[place]
    return f"{letters[:4]}-{letters[4:]}"
