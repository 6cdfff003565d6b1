"""What proves who somebody is: passwords."""

import unicodedata
from typing import Final

from attrs import frozen

from nexus.domain.kernel.errors import Forbidden, Invalid, Throttled, Unauthenticated

SHORTEST: Final = 8
LONGEST: Final = 128
ADVISED: Final = 15


@frozen
class WrongCredentials(Unauthenticated):
    """The e-mail address and password do not belong together."""


@frozen
class WrongPassword(Forbidden):
    """That is not the present password of your account."""


@frozen
class TooManyAttempts(Throttled):
    """Too many attempts; wait a while before the next one."""


@frozen
class UnacceptablePassword(Invalid):
    """A password has 8 to 128 characters, of any kind."""

    shortest: int = SHORTEST
    longest: int = LONGEST


def normalised(password: str) -> str:
    """The password in the one form (NFC) in which it is hashed, whatever keyboard wrote it."""
    return unicodedata.normalize("NFC", password)


def new_password(password: str) -> str:
    """
    A password that may be set, normalised; any character counts, none is demanded.

    Raises:
        UnacceptablePassword: Too short, too long, or with half a surrogate pair.
    """
    composed = normalised(password)
    half_characters = any("\ud800" <= character <= "\udfff" for character in composed)
    if half_characters or not SHORTEST <= len(composed) <= LONGEST:
        raise UnacceptablePassword
    return composed


def is_short(password: str) -> bool:
    """Whether to advise a longer one: under fifteen characters."""
    return len(normalised(password)) < ADVISED
