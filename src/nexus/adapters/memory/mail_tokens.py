"""Mailed links: the twin of ``mail_tokens``."""

from datetime import datetime
from uuid import UUID

from attrs import evolve, frozen

from nexus.adapters.memory.account_rows import UserRow
from nexus.adapters.memory.world import World
from nexus.application.identity.mail_ports import Addressee
from nexus.domain.identity.mail import AccountMail
from nexus.domain.kernel.ids import UserId


@frozen(kw_only=True)
class MailTokenRow:
    """A row of ``mail_tokens``."""

    token_hash: bytes
    expires_at: datetime
    used_at: datetime | None = None

    def is_good(self, token_hash: bytes, *, at: datetime) -> bool:
        return self.token_hash == token_hash and self.used_at is None and at < self.expires_at


class MemoryMailTokens:
    """The twin of ``mail_tokens``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def addressee(self, user: UserId) -> Addressee | None:
        row = self._world.users.get(user)
        return self._addressee(row) if row is not None and row.person.is_active else None

    def replace(
        self, user: UserId, purpose: AccountMail, token_hash: bytes, *, at: datetime, until: datetime
    ) -> None:
        assert at < until  # noqa: S101 - as the table checks
        self._world.mail_tokens[user, purpose] = MailTokenRow(token_hash=token_hash, expires_at=until)

    def holder(self, token_hash: bytes, purpose: AccountMail, *, at: datetime) -> Addressee | None:
        found = self._owner(token_hash, purpose, at)
        return self.addressee(UserId(found)) if found is not None else None

    def use(self, token_hash: bytes, purpose: AccountMail, *, at: datetime) -> UserId | None:
        found = self._owner(token_hash, purpose, at)
        if found is None or self.addressee(UserId(found)) is None:
            return None
        row = self._world.mail_tokens[found, purpose]
        self._world.mail_tokens[found, purpose] = evolve(row, used_at=at)
        return UserId(found)

    def void(self, user: UserId, *, at: datetime) -> None:
        for (owner, purpose), row in tuple(self._world.mail_tokens.items()):
            if owner == user and row.used_at is None:
                self._world.mail_tokens[owner, purpose] = evolve(row, used_at=at)

    def verify(self, user: UserId, email: str, *, at: datetime) -> None:
        row = self._world.users.get(user)
        if row is not None and row.person.email.lower() == email.lower():
            self._world.verified.setdefault(user, at)

    def _owner(self, token_hash: bytes, purpose: AccountMail, at: datetime) -> UUID | None:
        rows = self._world.mail_tokens.items()
        return next((u for (u, p), row in rows if p is purpose and row.is_good(token_hash, at=at)), None)

    def _addressee(self, row: UserRow) -> Addressee:
        person = row.person
        company = self._world.companies.get(person.company) if person.company else None
        venue = self._world.venues.get(person.venue) if person.venue else None
        place = company or venue
        return Addressee(
            user=person.id,
            email=person.email,
            first_name=person.first_name,
            last_name=person.last_name,
            belongs_to=place.name if place else None,
            password_hash=row.password_hash,
            email_verified_at=self._world.verified.get(person.id),
        )
