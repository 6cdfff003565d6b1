"""Everything that the in-memory twins know, one dictionary per table."""

from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import define, field, fields

from nexus.adapters.memory.account_rows import BalanceRow, LineRow, SignInRow, SubscriptionRow, UserRow
from nexus.adapters.memory.booking_rows import BookingRow, QueueRow
from nexus.adapters.memory.rows import SessionRow
from nexus.application.identity.ports import StoredChild
from nexus.application.platform.ports import Entry
from nexus.domain.catalogue.activities import Activity
from nexus.domain.catalogue.schedules import Schedule
from nexus.domain.catalogue.venues import Venue
from nexus.domain.compliance.consent import ConsentRecord
from nexus.domain.identity.tenants import Company
from nexus.domain.kernel.events import Event
from nexus.domain.kernel.ids import ActivityId


@define
class World:
    """The tables. Rows are frozen objects, so that copying the dictionaries is a snapshot."""

    events: dict[UUID, Event] = field(factory=dict)
    users: dict[UUID, UserRow] = field(factory=dict)
    sign_ins: dict[bytes, SignInRow] = field(factory=dict)
    companies: dict[UUID, Company] = field(factory=dict)
    subscriptions: dict[UUID, SubscriptionRow] = field(factory=dict)
    children: dict[UUID, StoredChild] = field(factory=dict)
    consents: dict[UUID, ConsentRecord] = field(factory=dict)
    balances: dict[UUID, BalanceRow] = field(factory=dict)
    lines: dict[UUID, LineRow] = field(factory=dict)
    settings: dict[tuple[str, datetime], Entry] = field(factory=dict)
    venues: dict[UUID, Venue] = field(factory=dict)
    activities: dict[UUID, Activity] = field(factory=dict)
    schedules: dict[UUID, Schedule] = field(factory=dict)
    sessions: dict[UUID, SessionRow] = field(factory=dict)
    bookings: dict[UUID, BookingRow] = field(factory=dict)
    queue: dict[UUID, QueueRow] = field(factory=dict)
    imported: dict[str, tuple[ActivityId, bytes]] = field(factory=dict)
    replies: dict[tuple[UUID, str], Any] = field(factory=dict)

    def snapshot(self) -> "World":
        return World(**{a.name: dict(getattr(self, a.name)) for a in fields(World)})

    def restore(self, before: "World") -> None:
        for a in fields(World):
            table: dict[Any, Any] = getattr(self, a.name)
            table.clear()
            table.update(getattr(before, a.name))
