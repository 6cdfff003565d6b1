"""API keys: what an integration shows instead of a person who signs in."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from string import ascii_letters, digits
from typing import Final
from zlib import crc32

from attrs import evolve, field, frozen

from nexus.domain.kernel.errors import Conflict, Forbidden, Invalid, InvalidValue
from nexus.domain.kernel.ids import ApiKeyId, UserId
from nexus.domain.kernel.networks import Network, address
from nexus.domain.kernel.texts import short_text

ALPHABET: Final = digits + ascii_letters
PREFIX_ALPHABET: Final = digits + ascii_letters[:26]
"""No capitals: prefixes are read out, typed and searched for."""

PREFIX_LENGTH: Final = 8
SECRET_LENGTH: Final = 43
"""Letters of the alphabet of 62: a little more than 256 bits."""

USUAL_LIFE: Final = timedelta(days=90)
LONGEST_LIFE: Final = timedelta(days=366)
USUAL_OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=7)
PER_MINUTE: Final = 60
PER_DAY: Final = 10_000
MOST_PER_MINUTE: Final = 6_000
MOST_PER_DAY: Final = 100_000
MOST_NETWORKS: Final = 50
MOST_KEYS: Final = 20
"""Live keys of one account."""
LONGEST_NAME: Final = 255
LONGEST_TEXT: Final = 2000

_CHECKSUM_LENGTH: Final = 6
_START: Final = re.compile(rf"nxk_[0-9a-z]{{{PREFIX_LENGTH}}}_")
_WHOLE: Final = re.compile(
    rf"nxk_([0-9a-z]{{{PREFIX_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})"
)


class KeyType(StrEnum):
    """What a key is for, as its maker says; it decides nothing."""

    INTEGRATION = "integration"
    SERVICE = "service"
    WEBHOOK = "webhook"
    TESTING = "testing"


class KeyState(StrEnum):
    """Whether a key opens anything, and if not, why."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    OWNERLESS = "ownerless"
    """Its account is disabled, has left, or has another role or tenant than when it made the key."""


@frozen
class NotFromThisAddress(Forbidden):
    """This API key is not accepted from this address."""

    address: str | None
    """Where the request came from, as far as we can tell."""


@frozen
class KeyEnded(Conflict):
    """This API key has expired or was revoked."""


@frozen
class RotatedAlready(Conflict):
    """This API key has a successor already."""

    successor: ApiKeyId


@frozen
class TooManyKeys(Conflict):
    """An account has a limited number of live API keys; revoke one first."""

    most: int = MOST_KEYS


@frozen
class LifeTooLong(Invalid):
    """An API key expires, within a year."""

    latest: datetime


@frozen
class KeyText:
    """
    A key as it is shown once: ``nxk_<prefix>_<secret><checksum>``.

    The prefix names the key and is no secret. The checksum (CRC-32, in six letters)
    tells a mistyped key from a wrong one, and a key from other text that a scanner
    for leaked secrets comes across.
    """

    prefix: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        return f"nxk_{self.prefix}_{self.secret}{_checksum(self.prefix, self.secret)}"

    @classmethod
    def read(cls, text: str) -> "KeyText | None":
        """The key that *text* is; ``None`` if it was never one."""
        found = _WHOLE.fullmatch(text)
        if found is None or _checksum(found[1], found[2]) != found[3]:
            return None
        return cls(found[1], found[2])

    @staticmethod
    def is_meant(text: str) -> bool:
        """Whether *text* is meant to be a key, even if it is mistyped."""
        return _START.match(text) is not None


def _checksum(prefix: str, secret: str) -> str:
    rest, letters = crc32(f"nxk_{prefix}_{secret}".encode()), ""
    for _ in range(_CHECKSUM_LENGTH):
        rest, place = divmod(rest, len(ALPHABET))
        letters = ALPHABET[place] + letters
    return letters


@frozen(kw_only=True)
class ApiKey:
    """
    What a key may do, from where, how often and until when.

    It is worth something in ``[created_at, expires_at)`` unless revoked.
    """

    id: ApiKeyId
    prefix: str
    name: str
    description: str | None = None
    key_type: KeyType
    scopes: frozenset[str]
    per_minute: int = PER_MINUTE
    per_day: int = PER_DAY
    networks: tuple[Network, ...] = ()
    """Where it is accepted from; empty: anywhere."""
    created_at: datetime
    expires_at: datetime
    replaces: ApiKeyId | None = None
    revoked_at: datetime | None = None
    revoked_by: UserId | None = None
    revoke_reason: str | None = None

    def is_live(self, *, at: datetime) -> bool:
        """Whether it may be used at that moment."""
        return self.revoked_at is None and at < self.expires_at

    def admits(self, client: str | None) -> bool:
        """Whether it is accepted from the client's address."""
        found = address(client)
        return not self.networks or (
            found is not None
            and any(found.version == each.version and found in each for each in self.networks)
        )

    def revoked(self, *, at: datetime, by: UserId, reason: str) -> "ApiKey":
        """
        The key, worth nothing from now on; the first revocation stands.

        Raises:
            InvalidValue: The reason is no text.
        """
        stated = short_text("reason", reason, at_most=LONGEST_TEXT)
        if self.revoked_at is not None:
            return self
        return evolve(self, revoked_at=at, revoked_by=by, revoke_reason=stated)

    def rotated(
        self, *, successor: ApiKeyId, prefix: str, overlap: timedelta, at: datetime
    ) -> tuple["ApiKey", "ApiKey"]:
        """
        The key, ending after the *overlap* at the latest, and a successor with the same rights.

        The successor lives as long as this one was meant to when it was made.

        Raises:
            KeyEnded: It is worth nothing any more.
            InvalidValue: The overlap is negative or longer than a week.
        """
        if not self.is_live(at=at):
            raise KeyEnded
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise InvalidValue("overlap_hours", "must be between 0 and 168")
        life = self.expires_at - self.created_at
        new = evolve(self, id=successor, prefix=prefix, replaces=self.id, created_at=at, expires_at=at + life)
        return evolve(self, expires_at=min(self.expires_at, at + overlap)), new


def new_key(
    *,
    id: ApiKeyId,  # noqa: A002 - as the field is named
    prefix: str,
    name: str,
    description: str | None,
    key_type: KeyType,
    scopes: Iterable[str],
    per_minute: int,
    per_day: int,
    networks: Iterable[Network],
    expires_at: datetime | None,
    at: datetime,
) -> ApiKey:
    """
    A key that its rules allow; it lives for ninety days if nothing else is said.

    Raises:
        InvalidValue: The name, a limit, the networks or the end make no sense.
        LifeTooLong: It would live for more than a year.
    """
    until = at + USUAL_LIFE if expires_at is None else expires_at
    if until <= at:
        raise InvalidValue("expires_at", "must be in the future")
    if until > at + LONGEST_LIFE:
        raise LifeTooLong(at + LONGEST_LIFE)
    allowed = tuple(dict.fromkeys(networks))
    if len(allowed) > MOST_NETWORKS:
        raise InvalidValue("allowed_networks", f"must have {MOST_NETWORKS} entries at most")
    for limit, amount, most in (
        ("rate_limit_per_minute", per_minute, MOST_PER_MINUTE),
        ("rate_limit_per_day", per_day, MOST_PER_DAY),
    ):
        if not 1 <= amount <= most:
            raise InvalidValue(limit, f"must be between 1 and {most}")
    return ApiKey(
        id=id,
        prefix=prefix,
        name=short_text("name", name, at_most=LONGEST_NAME),
        description=short_text("description", description, at_most=LONGEST_TEXT) if description else None,
        key_type=key_type,
        scopes=frozenset(scopes),
        per_minute=per_minute,
        per_day=per_day,
        networks=allowed,
        created_at=at,
        expires_at=until,
    )
