"""
A second factor: codes of an authenticator app (TOTP, RFC 6238) and recovery codes.

SHA-1, six digits and thirty seconds, because that is what every app can do.
"""

import hmac
from base64 import b32decode, b32encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from attrs import field, frozen

from nexus.domain.kernel.errors import Conflict, Forbidden, Unauthenticated

DIGITS: Final = 6
STEP: Final = timedelta(seconds=30)
SKEW: Final = 1
"""Steps by which the clocks may differ, either way."""
SEED_BYTES: Final = 20
"""As long as the output of SHA-1 (RFC 4226, requirement R6)."""
ISSUER: Final = "Nexus Family Pass"

_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@")

RECOVERY_CODES: Final = 10
RECOVERY_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without what is mistaken for something else: no 0, 1, I and O."""
RECOVERY_GROUPS: Final = 5
RECOVERY_GROUP: Final = 5
"""Five groups of five: 125 random bits, so that a fast hash is enough."""

CODES_EACH_HOUR: Final = 10
"""
How many codes may be tried for one account before an hour has passed.

Three codes of a million are good at a time: who knows the password and guesses on
needs two and a half years for an even chance.
"""
ENROLMENT_LASTS: Final = timedelta(minutes=15)
CHALLENGE_LASTS: Final = timedelta(minutes=5)
TRIES_FOR_EACH_CHALLENGE: Final = 5


@frozen
class SecondFactorRequired(Forbidden):
    """Your role needs a second factor: set one up before anything else."""


@frozen
class WrongCode(Forbidden):
    """This code is not right, or not any more."""


@frozen
class ChallengeEnded(Unauthenticated):
    """This attempt to sign in has ended: begin again with the password."""


@frozen
class CodeRequired(Conflict):
    """There is a second factor already: replacing it takes one of its codes."""


@frozen
class NoSecondFactor(Conflict):
    """No second factor is set up."""


@frozen
class NothingToConfirm(Conflict):
    """No second factor is being set up, or it was begun too long ago."""


@frozen
class SecondFactorStays(Conflict):
    """Your role must have a second factor: replace it instead."""


def hotp(seed: bytes, counter: int) -> str:
    """The code of a counter (RFC 4226)."""
    digest = hmac.digest(seed, counter.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_at(at: datetime) -> int:
    """The number of the thirty seconds in which an instant lies, since 1970."""
    return int(at.timestamp()) // int(STEP.total_seconds())


def accepted_step(seed: bytes, code: str, *, at: datetime, last: int) -> int | None:
    """
    The step whose code this is, at most one away and later than the *last* accepted; None if there is none.

    Whoever accepts it must store it in the same moment, so that a code works once.
    """
    now = step_at(at)
    found = None
    for step in range(max(now - SKEW, last + 1, 0), now + SKEW + 1):
        # Every step is compared, so that the time taken does not tell which one it was.
        if hmac.compare_digest(hotp(seed, step).encode(), code.encode()) and found is None:
            found = step
    return found


def as_text(seed: bytes) -> str:
    """A seed as people type it into an app: Base32 without padding."""
    return b32encode(seed).decode().rstrip("=")


def as_seed(text: str) -> bytes:
    """The seed again."""
    return b32decode(text + "=" * (-len(text) % 8))


def enrolment_uri(seed: bytes, *, email: str) -> str:
    """What an app reads from a QR code."""
    issuer, period = _escaped(ISSUER), int(STEP.total_seconds())
    return (
        f"otpauth://totp/{issuer}:{_escaped(email)}?secret={as_text(seed)}&issuer={issuer}"
        f"&algorithm=SHA1&digits={DIGITS}&period={period}"
    )


def _escaped(text: str) -> str:
    """As in any address: what is neither letter nor digit of ASCII by its bytes."""
    return "".join(chr(byte) if chr(byte) in _PLAIN else f"%{byte:02X}" for byte in text.encode())


def recovery_code(letters: str) -> str:
    """Random letters of the alphabet, in groups."""
    starts = range(0, RECOVERY_GROUPS * RECOVERY_GROUP, RECOVERY_GROUP)
    return "-".join(letters[start : start + RECOVERY_GROUP] for start in starts)


@frozen
class TypedCode:
    """
    What somebody typed where a code is asked for, as it is compared.

    Spaces, hyphens and case are how people copy codes, not part of them.
    """

    text: str = field(repr=False)

    @classmethod
    def of(cls, typed: str) -> "TypedCode":
        return cls("".join(typed.replace("-", " ").split()).upper())

    @property
    def is_of_an_app(self) -> bool:
        """Six digits; anything else can only be a recovery code."""
        return len(self.text) == DIGITS and self.text.isascii() and self.text.isdigit()

    def recovery_hash(self) -> bytes:
        """What is kept of a recovery code; it has 125 random bits, so that a fast hash is enough."""
        return sha256(self.text.encode(errors="replace")).digest()
