"""Everything that the in-memory twins know, one dictionary per table."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from attrs import define, field, fields

from nexus.adapters.memory.account_rows import (
    BalanceRow,
    ChallengeRow,
    FactorRow,
    LineRow,
    SignInRow,
    SubscriptionRow,
    UserRow,
)
from nexus.adapters.memory.audit_rows import AuditRow
from nexus.adapters.memory.booking_rows import BookingRow, QueueRow
from nexus.adapters.memory.key_rows import ApiKeyRow
from nexus.adapters.memory.rows import SessionRow
from nexus.adapters.memory.tables import Change, Index, Table
from nexus.application.identity.ports import StoredChild
from nexus.application.platform.ports import Entry
from nexus.application.platform.verify_data import Verification
from nexus.domain.catalogue.activities import Activity
from nexus.domain.catalogue.schedules import Schedule
from nexus.domain.catalogue.venues import Venue
from nexus.domain.compliance.consent import ConsentRecord
from nexus.domain.credits.periods import Period
from nexus.domain.identity.tenants import Company
from nexus.domain.kernel.events import Event
from nexus.domain.kernel.ids import ActivityId


@define
class World:
    """The tables. Rows are frozen objects: whoever remembers the row before a change can take the change back."""

    events: dict[UUID, Event] = field(factory=dict)
    users: dict[UUID, UserRow] = field(factory=dict)
    sign_ins: dict[bytes, SignInRow] = field(factory=dict)
    second_factors: dict[UUID, FactorRow] = field(factory=dict)
    recovery_codes: dict[tuple[UUID, bytes], datetime | None] = field(factory=dict)
    challenges: dict[bytes, ChallengeRow] = field(factory=dict)
    mail_tokens: dict[tuple[UUID, str], Any] = field(factory=dict)
    verified: dict[UUID, datetime] = field(factory=dict)
    companies: dict[UUID, Company] = field(factory=dict)
    subscriptions: dict[UUID, SubscriptionRow] = field(factory=dict)
    children: dict[UUID, StoredChild] = field(factory=dict)
    child_keys: dict[UUID, bytes | None] = field(factory=dict)
    consents: dict[UUID, ConsentRecord] = field(factory=dict)
    periods: dict[tuple[UUID, date], tuple[UUID, Period]] = field(factory=dict)
    """By company and first day: of which subscription, and when."""
    balances: dict[UUID, BalanceRow] = field(factory=dict)
    lines: dict[UUID, LineRow] = field(factory=dict)
    api_keys: dict[UUID, ApiKeyRow] = field(factory=dict)
    settings: dict[tuple[str, datetime], Entry] = field(factory=dict)
    verifications: dict[UUID, Verification] = field(factory=dict)
    venues: dict[UUID, Venue] = field(factory=dict)
    activities: dict[UUID, Activity] = field(factory=dict)
    schedules: dict[UUID, Schedule] = field(factory=dict)
    sessions: dict[UUID, SessionRow] = field(factory=dict)
    bookings: dict[UUID, BookingRow] = field(factory=dict)
    queue: dict[UUID, QueueRow] = field(factory=dict)
    imported: dict[str, tuple[ActivityId, bytes]] = field(factory=dict)
    audit: dict[UUID, AuditRow] = field(factory=dict)
    replies: dict[tuple[UUID, str], Any] = field(factory=dict)

    changes: list[Change] = field(factory=list, init=False)
    """What was there before each change, latest last, since the changes were last forgotten."""

    balances_of: Index[BalanceRow] = field(init=False)
    """Balances by their user."""
    booked_in: Index[BookingRow] = field(init=False)
    """Active bookings by their session."""
    booked_for: Index[BookingRow] = field(init=False)
    """Active bookings by their child."""
    booked_as: Index[BookingRow] = field(init=False)
    """Bookings by their code."""
    queued_in: Index[QueueRow] = field(init=False)
    """Active entries by their session."""

    def __attrs_post_init__(self) -> None:
        self.balances_of = Index(lambda row: row.user)
        self.booked_in = Index(lambda row: row.booking.session if row.booking.status.is_active else None)
        self.booked_for = Index(lambda row: row.booking.child if row.booking.status.is_active else None)
        self.booked_as = Index(lambda row: row.code)
        self.queued_in = Index(lambda row: row.session if row.entry.status.is_active else None)
        indexes: dict[str, tuple[Index[Any], ...]] = {
            "balances": (self.balances_of,),
            "bookings": (self.booked_in, self.booked_for, self.booked_as),
            "queue": (self.queued_in,),
        }
        for a in fields(type(self)):
            rows = getattr(self, a.name)
            if isinstance(rows, dict):
                setattr(self, a.name, Table(a.name, rows, self.changes, indexes.get(a.name, ())))

    def undo(self, mark: int) -> None:
        """Take back every change after the first *mark* ones, latest first."""
        while len(self.changes) > mark:
            table, key, row = self.changes.pop()
            table.restore(key, row)

    def forget_changes(self) -> None:
        """Nothing that was done until now will be taken back."""
        self.changes.clear()
