"""
What booking asks of a store.

Every method that changes something belongs to a unit of work. Locks are taken in
one order everywhere: child, session, waitlist, balance; ids sorted.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from typing import Protocol

from attrs import frozen

from nexus.application.booking.views import BookingView, BookingViews
from nexus.application.kernel.audit import AuditWork
from nexus.application.kernel.ports import Outbox
from nexus.domain.booking.bookings import Booking, BookingSource, BookingStatus
from nexus.domain.booking.sessions import Offering
from nexus.domain.booking.waitlist import Line
from nexus.domain.booking.wishes import Attendee
from nexus.domain.kernel.ids import (
    ActivityId,
    BalanceId,
    BookingId,
    ChildId,
    CompanyId,
    EntryId,
    GroupId,
    LineId,
    SessionId,
    UserId,
    VenueId,
)
from nexus.domain.kernel.money import Money
from nexus.domain.platform.settings import PlatformSettings

NewCode = Callable[[], str]
"""A fresh confirmation code: short, random, unambiguous when read aloud."""


class Overtaken(Exception):
    """Somebody else changed the same rows first: look again and decide anew."""


@frozen(kw_only=True)
class Facts:
    """What decides a booking, read together: the session, the children, the credits open now."""

    offering: Offering
    attendees: tuple[Attendee, ...]
    has_premium: bool
    credits: int


@frozen(kw_only=True)
class Place:
    """One child's booking about to be written."""

    booking: BookingId
    child: ChildId
    code: str
    debit: LineId


@frozen(kw_only=True)
class Order:
    """Places for one family in one session, all or none, exactly as they were decided."""

    session: SessionId
    version: int
    parent: UserId
    company: CompanyId
    status: BookingStatus
    price: int
    places: tuple[Place, ...]
    group: GroupId | None
    source: BookingSource
    original: BookingId | None
    credit_value: Money
    refundable_until: datetime
    confirm_by: datetime | None
    in_turn: bool
    last_offer_minutes: int
    at: datetime


class Movement(StrEnum):
    """How credits move when a booking is given up or changed."""

    REFUND = "refund_credit"
    PARTIAL_REFUND = "partial_refund"
    FORFEIT = "forfeit"
    EXPIRY = "expiry"


@frozen(kw_only=True)
class Posting:
    """
    A ledger line about to be written.

    ``amount`` is signed; a forfeit moves nothing and ``forfeited`` counts it.
    """

    line: LineId
    balance: BalanceId
    parent: UserId
    movement: Movement
    amount: int
    booking: BookingId
    reverses: LineId
    forfeited: int = 0


@frozen(kw_only=True)
class Purse:
    """Where a family's credits can go back to: a balance and whether it is open now."""

    balance: BalanceId
    parent: UserId
    is_open: bool


@frozen(kw_only=True)
class Departure:
    """What a family may give up, the booking that was asked for first, and what that touches."""

    bookings: tuple[Booking, ...]
    shown: tuple[BookingView, ...]
    line: Line
    purses: tuple[Purse, ...]


@frozen(kw_only=True)
class Plan:
    """A session as its venue plans it: what a change may touch."""

    session: SessionId
    activity: ActivityId
    venue: VenueId
    time_zone: str
    session_date: date
    start_time: time
    end_time: time
    starts_at: datetime
    ends_at: datetime
    price: int
    total_capacity: int
    allocated: int | None
    opens_at: datetime | None
    releases_at: datetime | None
    instructor: str | None
    notes: str | None
    location: str | None
    version: int


class Places(Protocol):
    """Bookings, as they are made and ended."""

    def facts(
        self, session: SessionId, children: Sequence[ChildId], *, parent: UserId, at: datetime
    ) -> Facts:
        """
        What decides whether these children get places now; takes no lock.

        Raises:
            NoSuchThing: No such session, or a child is not the parent's own.
        """
        ...

    def place(self, order: Order, *, last: bool = False) -> tuple[BookingView, ...]:
        """
        Seat, debit, bookings and ledger lines in one guarded step; the bookings in the order of the places.

        *last*: nothing else is done in this unit of work, which may be committed with it.

        Raises:
            Overtaken: A guard does not hold any more (seats, credits, consent, a change of the
                session), the same child is booked meanwhile, or the code was given before.
                Nothing may be kept of the attempt then.
        """
        ...

    def lock_children(self, children: Sequence[ChildId], *, parent: UserId) -> None:
        """
        Nobody books these children or changes what they may do until the unit of work ends.

        For those who lock a session before they book; it comes before that lock.
        """
        ...

    def lock(
        self,
        booking: BookingId,
        *,
        parent: UserId | None = None,
        venue: VenueId | None = None,
    ) -> tuple[Booking, ...]:
        """
        The booking, with its session locked.

        Raises:
            NoSuchThing: There is none for this parent or venue.
        """
        ...

    def lock_active(self, session: SessionId) -> tuple[Booking, ...]:
        """All active bookings of a session that is locked already, by id."""
        ...

    def unanswered(self, session: SessionId, *, at: datetime) -> tuple[Booking, ...]:
        """Pending bookings of a locked session whose venue has let the time pass."""
        ...

    def of_child(self, child: ChildId, *, at: datetime) -> Mapping[SessionId, BookingId]:
        """The child's active bookings that have not started, by session."""
        ...

    def save(
        self,
        bookings: Sequence[Booking],
        *,
        at: datetime,
        by: UserId | None = None,
        reason: str | None = None,
        notes: str | None = None,
    ) -> None:
        """
        Store changed bookings that were locked.

        When one of them has another version all the same, the unit of work fails, at its end at the latest.
        """
        ...

    def move(self, session: SessionId, *, starts_at: datetime, ends_at: datetime) -> None:
        """
        The active bookings of a session follow its new times and are refundable until its start.

        Their versions rise, since their terms change. A clash that this makes with
        another booking of a child is excused.

        Raises:
            Overtaken: Somebody books one of the children at this very moment.
        """
        ...

    def complete(self, *, before: datetime, at: datetime, limit: int) -> int:
        """Count as attended what ended before that instant and was never marked; returns how many."""
        ...

    def close_sessions(self, *, before: datetime, limit: int) -> int:
        """Call sessions completed that ended before that instant; returns how many."""
        ...


class Lines(Protocol):
    """Sessions with their queues."""

    def lock(self, session: SessionId, *, venue: VenueId | None = None) -> Line:
        """
        The session's seats and its active entries, locked until the unit of work ends.

        Raises:
            NoSuchThing: There is no such session (of that venue).
        """
        ...

    def save(self, before: Line, after: Line) -> None:
        """Store what changed between the two."""
        ...

    def session_of(self, entry: EntryId, *, parent: UserId) -> SessionId:
        """
        Where that entry is in line.

        Raises:
            NoSuchThing: It is not this parent's.
        """
        ...

    def children_of(self, entry: EntryId, *, parent: UserId) -> tuple[ChildId, ...]:
        """
        For whom the family waits; they never change.

        Raises:
            NoSuchThing: It is not this parent's.
        """
        ...

    def status_of(self, entry: EntryId) -> str:
        """How that entry stands, also after it ended."""
        ...

    def waiting_for(self, child: ChildId) -> tuple[SessionId, ...]:
        """Sessions in whose line the child is, sorted."""
        ...

    def due(self, *, at: datetime, limit: int) -> tuple[SessionId, ...]:
        """
        Sessions in which something is overdue, sorted: a lapsed offer, an unanswered booking,
        a line that the start has ended, a release with people waiting.
        """
        ...

    def release(self, *, at: datetime, limit: int) -> int:
        """Return the unsold seats of sessions due whom nobody waits for; returns how many sessions."""
        ...


class Payments(Protocol):
    """Credits that go back, or are gone."""

    def lock_purses(self, bookings: Sequence[Booking], *, at: datetime) -> tuple[Purse, ...]:
        """The balances that paid for these bookings and those open now, locked in order."""
        ...

    def post(self, postings: Sequence[Posting], *, at: datetime) -> None:
        """Write ledger lines and move their balances with them."""
        ...


class Departures(Protocol):
    """Places that are about to be given up."""

    def lock(
        self, booking: BookingId, *, parent: UserId, with_group: bool = False, at: datetime
    ) -> Departure:
        """
        All that giving up this booking (and the active rest of its group) touches, locked in order.

        Raises:
            NoSuchThing: It is not this parent's.
        """
        ...


class Plans(Protocol):
    """Sessions as their venues change them."""

    def lock(self, session: SessionId, *, venue: VenueId) -> Plan:
        """
        The plan, with the session locked.

        Raises:
            NoSuchThing: The venue has no such session.
        """
        ...

    def save(self, plan: Plan, *, sellable: int) -> None:
        """Store the changed plan; its version goes up by one."""
        ...

    def cancel(self, session: SessionId, *, reason: str) -> None:
        """The session is not going to happen."""
        ...


class SettingsAt(Protocol):
    """The platform's settings."""

    def at(self, instant: datetime) -> PlatformSettings:
        """The values in force at that instant."""
        ...


class BookWork(AuditWork, Protocol):
    """What a family's and a venue's commands around a seat need."""

    @property
    def places(self) -> Places: ...
    @property
    def lines(self) -> Lines: ...
    @property
    def payments(self) -> Payments: ...
    @property
    def departures(self) -> Departures: ...
    @property
    def plans(self) -> Plans: ...
    @property
    def booking_views(self) -> BookingViews: ...
    @property
    def settings(self) -> SettingsAt: ...
    @property
    def outbox(self) -> Outbox: ...
