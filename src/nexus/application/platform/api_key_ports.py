"""What use cases about API keys ask of stores and of the machine."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from attrs import field, frozen

from nexus.application.kernel.actor import Actor
from nexus.application.kernel.audit import AuditWork
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import ApiKeyId, CompanyId, UserId, VenueId
from nexus.domain.platform.api_keys import ApiKey, KeyState, KeyText, KeyType

NewKeyText = Callable[[], KeyText]
"""A fresh key: a prefix that nobody has, and a secret of 256 random bits."""

Newest = tuple[datetime, UUID]
"""The place in a list of the newest first: (created_at, id)."""


class KeyDigests(Protocol):
    """What is kept of keys: keyed digests, worth nothing without the installation's secret."""

    def of(self, text: KeyText) -> bytes:
        """32 bytes that bind the secret to its prefix."""
        ...

    def matches(self, text: KeyText, digest: bytes) -> bool:
        """Whether the digest is of this key; takes as long if it is not."""
        ...

    def is_outdated(self, text: KeyText, digest: bytes) -> bool:
        """Whether the digest of this key was made under a former secret of the installation."""
        ...


@frozen(kw_only=True)
class StoredKey:
    """A key as it is kept: bound to the account that made it, in the role and tenant that it had then."""

    key: ApiKey
    digest: bytes = field(repr=False)
    owner: UserId
    role: Role
    company: CompanyId | None
    venue: VenueId | None

    @property
    def actor(self) -> Actor:
        """Whoever shows it."""
        return Actor(self.owner, self.role, self.company, self.venue, key=self.key.id, scopes=self.key.scopes)


@frozen(kw_only=True)
class Use:
    """How often a key was used since that was last written down, and the last time."""

    times: int
    last_at: datetime
    last_address: str | None

    def plus(self, other: "Use") -> "Use":
        """Both together; the last time is the later one."""
        last = max(self, other, key=lambda use: use.last_at)
        return Use(times=self.times + other.times, last_at=last.last_at, last_address=last.last_address)


@frozen(kw_only=True)
class KeyView:
    """A key, as its owner and the platform see it; the key itself is kept nowhere."""

    id: ApiKeyId
    prefix: str = field(metadata={"description": "The eight letters after `nxk_`, by which to name the key."})
    name: str
    description: str | None
    key_type: KeyType
    scopes: tuple[str, ...]
    rate_limit_per_minute: int
    rate_limit_per_day: int
    allowed_networks: tuple[str, ...] = field(metadata={"description": "Empty: accepted from anywhere."})
    created_at: datetime
    expires_at: datetime = field(metadata={"description": "Worth nothing from this instant on."})
    state: KeyState = field(
        metadata={"description": "`ownerless`: its account is disabled, has left, or belongs elsewhere now."}
    )
    replaces: ApiKeyId | None = field(metadata={"description": "The key that this one was rotated from."})
    replaced_by: ApiKeyId | None = field(metadata={"description": "The key that this one was rotated to."})
    revoked_at: datetime | None
    revoke_reason: str | None
    total_requests: int = field(metadata={"description": "Up to a minute behind."})
    last_used_at: datetime | None = field(metadata={"description": "Up to a minute behind."})
    last_used_address: str | None


@frozen(kw_only=True)
class AnyKeyView(KeyView):
    """A key and whose it is, as the platform sees it."""

    owner_id: UserId
    owner_email: str
    role: Role
    company_id: CompanyId | None
    venue_id: VenueId | None
    revoked_by: UserId | None


class ApiKeys(Protocol):
    """
    The API keys.

    *owner* is somebody in their present role and tenant: keys that they made in
    another one are not theirs any more.
    """

    def add(self, stored: StoredKey) -> None: ...

    def change(self, key: ApiKey) -> None:
        """Keep when it ends, and its revocation."""
        ...

    def renew(self, key: ApiKeyId, digest: bytes) -> None:
        """Keep another digest of the same key."""
        ...

    def find(self, prefix: str, *, at: datetime) -> StoredKey | None:
        """The key of that prefix, if it is worth something at that moment."""
        ...

    def hold(self, owner: Actor) -> None:
        """Nobody else makes or rotates a key of this account until the transaction ends."""
        ...

    def count_live(self, owner: Actor, *, at: datetime) -> int: ...

    def lock(self, key: ApiKeyId, *, owner: Actor) -> StoredKey | None:
        """One of the owner's keys; nobody else changes it until the transaction ends."""
        ...

    def lock_any(self, key: ApiKeyId) -> StoredKey | None:
        """The same whosoever it is: for the platform."""
        ...

    def successor(self, key: ApiKeyId) -> ApiKeyId | None:
        """The key that it was rotated to."""
        ...

    def show(self, key: ApiKeyId, *, owner: Actor, at: datetime) -> KeyView | None: ...

    def show_any(self, key: ApiKeyId, *, at: datetime) -> AnyKeyView | None: ...

    def page(self, *, owner: Actor, at: datetime, after: Newest | None, limit: int) -> Sequence[KeyView]:
        """The newest first, by (created_at, id)."""
        ...

    def search(
        self,
        *,
        prefix: str | None,
        email: str | None,
        at: datetime,
        after: Newest | None,
        limit: int,
    ) -> Sequence[AnyKeyView]:
        """Everybody's, of prefixes that begin so and of that e-mail address; the newest first."""
        ...

    def used(self, uses: Mapping[ApiKeyId, Use]) -> None:
        """Add what was used since."""
        ...


class KeyUses(Protocol):
    """Counts in this process what keys are used for, until it is written down."""

    def note(self, key: ApiKeyId, *, at: datetime, address: str | None) -> None: ...

    def take(self) -> Mapping[ApiKeyId, Use]:
        """What was counted; it starts anew."""
        ...

    def give_back(self, uses: Mapping[ApiKeyId, Use]) -> None:
        """What was taken could not be written down."""
        ...


class ApiKeyWork(AuditWork, Protocol):
    """A unit of work that knows API keys."""

    @property
    def api_keys(self) -> ApiKeys: ...
