"""API keys: the twin of their table."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve

from nexus.adapters.memory.key_rows import ApiKeyRow
from nexus.adapters.memory.world import World
from nexus.application.kernel.actor import Actor
from nexus.application.platform.api_key_ports import AnyKeyView, KeyView, Newest, StoredKey, Use
from nexus.domain.kernel.ids import ApiKeyId
from nexus.domain.kernel.networks import address
from nexus.domain.platform.api_keys import ApiKey, KeyState


class MemoryApiKeys:
    """Keeps the promises of ``PostgresApiKeys``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, stored: StoredKey) -> None:
        self._world.api_keys[stored.key.id] = ApiKeyRow(stored)

    def change(self, key: ApiKey) -> None:
        row = self._world.api_keys[key.id]
        changed = evolve(
            row.stored.key,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            revoked_by=key.revoked_by,
            revoke_reason=key.revoke_reason,
        )
        self._world.api_keys[key.id] = evolve(row, stored=evolve(row.stored, key=changed))

    def renew(self, key: ApiKeyId, digest: bytes) -> None:
        row = self._world.api_keys[key]
        self._world.api_keys[key] = evolve(row, stored=evolve(row.stored, digest=digest))

    def find(self, prefix: str, *, at: datetime) -> StoredKey | None:
        rows = (row for row in self._world.api_keys.values() if row.stored.key.prefix == prefix)
        return next((row.stored for row in rows if self._state(row, at) is KeyState.ACTIVE), None)

    def hold(self, owner: Actor) -> None:
        """Units of work on a world run one at a time anyway."""

    def count_live(self, owner: Actor, *, at: datetime) -> int:
        return sum(row.stored.key.is_live(at=at) for row in self._of(owner))

    def lock(self, key: ApiKeyId, *, owner: Actor) -> StoredKey | None:
        return next((row.stored for row in self._of(owner) if row.stored.key.id == key), None)

    def lock_any(self, key: ApiKeyId) -> StoredKey | None:
        row = self._world.api_keys.get(key)
        return None if row is None else row.stored

    def successor(self, key: ApiKeyId) -> ApiKeyId | None:
        keys = (row.stored.key for row in self._world.api_keys.values())
        return next((each.id for each in keys if each.replaces == key), None)

    def show(self, key: ApiKeyId, *, owner: Actor, at: datetime) -> KeyView | None:
        rows = (row for row in self._of(owner) if row.stored.key.id == key)
        return next((KeyView(**self._facts(row, at)) for row in rows), None)

    def show_any(self, key: ApiKeyId, *, at: datetime) -> AnyKeyView | None:
        row = self._world.api_keys.get(key)
        return None if row is None else self._any_view(row, at)

    def page(self, *, owner: Actor, at: datetime, after: Newest | None, limit: int) -> Sequence[KeyView]:
        rows = _newest(self._of(owner), after)[:limit]
        return [KeyView(**self._facts(row, at)) for row in rows]

    def search(
        self,
        *,
        prefix: str | None,
        email: str | None,
        at: datetime,
        after: Newest | None,
        limit: int,
    ) -> Sequence[AnyKeyView]:
        rows = [
            row
            for row in self._world.api_keys.values()
            if row.stored.key.prefix.startswith(prefix or "")
            and (email is None or self._email(row).lower() == email.lower())
        ]
        return [self._any_view(row, at) for row in _newest(rows, after)[:limit]]

    def used(self, uses: Mapping[ApiKeyId, Use]) -> None:
        for key, use in uses.items():
            if (row := self._world.api_keys.get(key)) is None:
                continue
            counted = evolve(row, total_requests=row.total_requests + use.times)
            if row.last_used_at is None or row.last_used_at <= use.last_at:
                found = address(use.last_address)
                counted = evolve(
                    counted,
                    last_used_at=use.last_at,
                    last_used_address=None if found is None else str(found),
                )
            self._world.api_keys[key] = counted

    def _of(self, owner: Actor) -> list[ApiKeyRow]:
        who = (owner.user, owner.role, owner.company, owner.venue)
        return [row for row in self._world.api_keys.values() if _bound(row.stored) == who]

    def _state(self, row: ApiKeyRow, at: datetime) -> KeyState:
        if row.stored.key.revoked_at is not None:
            return KeyState.REVOKED
        if not row.stored.key.is_live(at=at):
            return KeyState.EXPIRED
        person = self._world.users[row.stored.owner].person
        same = (person.id, person.role, person.company, person.venue) == _bound(row.stored)
        here = person.is_active and (person.left_at is None or person.left_at > at)
        return KeyState.ACTIVE if same and here else KeyState.OWNERLESS

    def _email(self, row: ApiKeyRow) -> str:
        return self._world.users[row.stored.owner].person.email

    def _facts(self, row: ApiKeyRow, at: datetime) -> dict[str, Any]:
        key = row.stored.key
        return {
            "id": key.id,
            "prefix": key.prefix,
            "name": key.name,
            "description": key.description,
            "key_type": key.key_type,
            "scopes": tuple(sorted(key.scopes)),
            "rate_limit_per_minute": key.per_minute,
            "rate_limit_per_day": key.per_day,
            "allowed_networks": tuple(str(each) for each in key.networks),
            "created_at": key.created_at,
            "expires_at": key.expires_at,
            "state": self._state(row, at),
            "replaces": key.replaces,
            "replaced_by": self.successor(key.id),
            "revoked_at": key.revoked_at,
            "revoke_reason": key.revoke_reason,
            "total_requests": row.total_requests,
            "last_used_at": row.last_used_at,
            "last_used_address": row.last_used_address,
        }

    def _any_view(self, row: ApiKeyRow, at: datetime) -> AnyKeyView:
        stored = row.stored
        return AnyKeyView(
            **self._facts(row, at),
            owner_id=stored.owner,
            owner_email=self._email(row),
            role=stored.role,
            company_id=stored.company,
            venue_id=stored.venue,
            revoked_by=stored.key.revoked_by,
        )


def _bound(stored: StoredKey) -> tuple[Any, ...]:
    return stored.owner, stored.role, stored.company, stored.venue


def _newest(rows: Iterable[ApiKeyRow], after: Newest | None) -> list[ApiKeyRow]:
    keyed = {(row.stored.key.created_at, row.stored.key.id): row for row in rows}
    return [keyed[place] for place in sorted(keyed, reverse=True) if after is None or place < after]
