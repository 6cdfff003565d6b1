"""Sign-ins: the twin of their table."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import evolve

from nexus.adapters.memory.account_rows import SignInRow
from nexus.adapters.memory.settings import MemorySettings
from nexus.adapters.memory.world import World
from nexus.application.identity.ports import SignInEntry
from nexus.application.kernel.actor import Actor
from nexus.domain.identity.people import Role
from nexus.domain.identity.sessions import SEEN_EVERY, SignedIn
from nexus.domain.kernel.ids import UserId


class MemorySignIns:
    """The twin of ``user_sessions``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, token_hash: bytes, signed_in: SignedIn) -> None:
        self._world.sign_ins[token_hash] = SignInRow(signed_in, signed_in.created_at)

    def recognise(self, token_hash: bytes, *, at: datetime) -> Actor | None:
        row = self._world.sign_ins.get(token_hash)
        if row is None or not row.is_live(at):
            return None
        person = self._world.users[row.signed_in.user].person
        if not person.is_active:
            return None
        has_left = person.left_at is not None and person.left_at <= at
        role = Role.PARENT if person.role is Role.HR_ADMIN and has_left else person.role
        required = MemorySettings(self._world).at(at).second_factor_required_roles
        if row.last_seen_at <= at - SEEN_EVERY:
            self._world.sign_ins[token_hash] = evolve(row, last_seen_at=at)
        return Actor(
            person.id,
            role,
            person.company,
            person.venue,
            row.signed_in.id,
            is_restricted=role.value in required and not row.signed_in.has_second_factor,
        )

    def get(self, sign_in: str, *, user: UserId) -> SignedIn | None:
        rows = (row.signed_in for row in self._world.sign_ins.values())
        return next((each for each in rows if each.id == sign_in and each.user == user), None)

    def of(self, user: UserId, *, at: datetime) -> Sequence[SignInEntry]:
        live = [
            row for row in self._world.sign_ins.values() if row.signed_in.user == user and row.is_live(at)
        ]
        live.sort(key=lambda row: row.signed_in.id)
        live.sort(key=lambda row: row.signed_in.created_at, reverse=True)
        return [
            SignInEntry(
                id=UUID(row.signed_in.id),
                created_at=row.signed_in.created_at,
                last_seen_at=row.last_seen_at,
                expires_at=row.signed_in.expires_at,
                is_remembered=row.signed_in.is_remembered,
                has_second_factor=row.signed_in.has_second_factor,
                address=row.signed_in.address,
                device=row.signed_in.device,
            )
            for row in live
        ]

    def end(self, sign_in: str, user: UserId, *, at: datetime) -> None:
        for token_hash, row in tuple(self._world.sign_ins.items()):
            signed_in = row.signed_in
            if signed_in.id == sign_in and signed_in.user == user and row.revoked_at is None:
                self._world.sign_ins[token_hash] = evolve(row, revoked_at=at)

    def end_all(self, user: UserId, *, at: datetime, but: str | None = None) -> frozenset[str]:
        live = [
            row.signed_in.id
            for row in self._world.sign_ins.values()
            if row.signed_in.user == user and row.revoked_at is None and row.signed_in.id != but
        ]
        for sign_in in live:
            self.end(sign_in, user, at=at)
        return frozenset(live)
