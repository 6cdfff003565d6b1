"""Somebody's own API keys: make, look at, rotate, revoke."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import field, frozen

from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.application.platform.api_key_ports import (
    ApiKeyWork,
    KeyDigests,
    KeyView,
    Newest,
    NewKeyText,
    StoredKey,
)
from nexus.application.platform.scopes import scopes_for
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import ApiKeyId
from nexus.domain.kernel.networks import network
from nexus.domain.platform.api_keys import (
    MOST_KEYS,
    PER_DAY,
    PER_MINUTE,
    USUAL_OVERLAP,
    ApiKey,
    KeyText,
    KeyType,
    RotatedAlready,
    TooManyKeys,
    new_key,
)

OF_ITS_OWNER = "Revoked by its owner."


@frozen(kw_only=True)
class KeyWish:
    """What a key shall be for."""

    name: str
    description: str | None = None
    key_type: KeyType = KeyType.INTEGRATION
    scopes: Sequence[str]
    per_minute: int = PER_MINUTE
    per_day: int = PER_DAY
    networks: Sequence[str] = ()
    expires_at: datetime | None = None


@frozen
class MadeKey:
    """A new key; its text is given this once, only a digest of it is kept."""

    text: str = field(repr=False)
    view: KeyView


def _shown(work: ApiKeyWork, key: ApiKeyId, *, owner: Actor, at: datetime) -> KeyView:
    view = work.api_keys.show(key, owner=owner, at=at)
    if view is None:
        raise NoSuchThing("api_key")
    return view


def _held(work: ApiKeyWork, key: ApiKeyId, *, owner: Actor) -> StoredKey:
    stored = work.api_keys.lock(key, owner=owner)
    if stored is None:
        raise NoSuchThing("api_key")
    return stored


@frozen
class MakeApiKey:
    """
    Make a key that acts for its maker, within the tenant that the maker has now.

    It dies with the account: disabled, left, moved to another tenant or role.
    """

    begin: Begin[ApiKeyWork]
    now: Clock
    new_id: NewId
    new_key_text: NewKeyText
    digests: KeyDigests

    def __call__(self, wish: KeyWish, *, actor: Actor) -> MadeKey:
        """
        Raises:
            NoSuchScope: A scope does not exist, or is not for the maker's role.
            InvalidValue: The name, a limit, a network or the end makes no sense.
            LifeTooLong: It would live for more than a year.
            TooManyKeys: The maker has twenty that live.
        """
        at = self.now()
        text: KeyText = self.new_key_text()
        key = new_key(
            id=ApiKeyId(self.new_id()),
            prefix=text.prefix,
            name=wish.name,
            description=wish.description,
            key_type=wish.key_type,
            scopes=scopes_for(actor.role, wish.scopes),
            per_minute=wish.per_minute,
            per_day=wish.per_day,
            networks=[network(each) for each in wish.networks],
            expires_at=wish.expires_at,
            at=at,
        )
        stored = StoredKey(
            key=key,
            digest=self.digests.of(text),
            owner=actor.user,
            role=actor.role,
            company=actor.company,
            venue=actor.venue,
        )
        with self.begin() as work:
            _make_room(work, actor, at=at)
            work.api_keys.add(stored)
            work.audit.add(Deed(Action.API_KEY_MADE, key.id, new=_rights(key)))
            return MadeKey(text.text, _shown(work, key.id, owner=actor, at=at))


def _rights(key: ApiKey) -> dict[str, Any]:
    """What the log says of a new key."""
    return {
        "prefix": key.prefix,
        "scopes": key.scopes,
        "networks": [str(each) for each in key.networks],
        "ends_at": key.expires_at,
    }


def _make_room(work: ApiKeyWork, owner: Actor, *, at: datetime) -> None:
    work.api_keys.hold(owner)
    if work.api_keys.count_live(owner, at=at) >= MOST_KEYS:
        raise TooManyKeys


@frozen
class RotateApiKey:
    """Make a successor with the same rights, and let the old key live on for an overlap."""

    begin: Begin[ApiKeyWork]
    now: Clock
    new_id: NewId
    new_key_text: NewKeyText
    digests: KeyDigests

    def __call__(self, key_id: ApiKeyId, *, actor: Actor, overlap: timedelta = USUAL_OVERLAP) -> MadeKey:
        """
        Raises:
            NoSuchThing: The key is not one of the actor's.
            KeyEnded: It is worth nothing any more.
            RotatedAlready: It has a successor.
            InvalidValue: The overlap is negative or longer than a week.
            TooManyKeys: The account has twenty that live.
        """
        at = self.now()
        text = self.new_key_text()
        with self.begin() as work:
            _make_room(work, actor, at=at)
            stored = _held(work, key_id, owner=actor)
            if (successor := work.api_keys.successor(key_id)) is not None:
                raise RotatedAlready(successor)
            old, new = stored.key.rotated(
                successor=ApiKeyId(self.new_id()), prefix=text.prefix, overlap=overlap, at=at
            )
            scopes_for(actor.role, new.scopes)
            work.api_keys.change(old)
            work.api_keys.add(
                StoredKey(
                    key=new,
                    digest=self.digests.of(text),
                    owner=stored.owner,
                    role=stored.role,
                    company=stored.company,
                    venue=stored.venue,
                )
            )
            work.audit.add(
                Deed(
                    Action.API_KEY_ROTATED,
                    old.id,
                    old={"expires_at": stored.key.expires_at},
                    new={"expires_at": old.expires_at, "successor": new.id, **_rights(new)},
                )
            )
            return MadeKey(text.text, _shown(work, new.id, owner=actor, at=at))


@frozen
class RevokeApiKey:
    """End one's own key at once; what is revoked already stays so for its first reason."""

    begin: Begin[ApiKeyWork]
    now: Clock

    def __call__(self, key_id: ApiKeyId, *, actor: Actor, reason: str | None = None) -> KeyView:
        """
        Raises:
            NoSuchThing: The key is not one of the actor's.
            InvalidValue: The reason is no text.
        """
        at = self.now()
        with self.begin() as work:
            stored = _held(work, key_id, owner=actor)
            work.api_keys.change(stored.key.revoked(at=at, by=actor.user, reason=reason or OF_ITS_OWNER))
            work.audit.add(Deed(Action.API_KEY_REVOKED, key_id, new={"prefix": stored.key.prefix}))
            return _shown(work, key_id, owner=actor, at=at)


@frozen
class ListApiKeys:
    """One's own keys, those that ended included; newest first."""

    begin: Begin[ApiKeyWork]
    now: Clock

    def __call__(self, *, actor: Actor, after: Newest | None = None, limit: int = 20) -> Sequence[KeyView]:
        with self.begin() as work:
            return work.api_keys.page(owner=actor, at=self.now(), after=after, limit=limit)


@frozen
class ShowApiKey:
    """One of one's own keys."""

    begin: Begin[ApiKeyWork]
    now: Clock

    def __call__(self, key_id: ApiKeyId, *, actor: Actor) -> KeyView:
        """
        Raises:
            NoSuchThing: The key is not one of the actor's.
        """
        with self.begin() as work:
            return _shown(work, key_id, owner=actor, at=self.now())
