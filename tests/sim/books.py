"""The judge's own books: what it has seen committed, indexed as it needs it."""

from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from attrs import define, field

from nexus.adapters.memory.tables import ABSENT
from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.booking.waitlist import Entry, EntryStatus
from nexus.domain.credits.ledger import Movement
from nexus.domain.kernel.ids import BookingId, ChildId, EntryId, SessionId

SEATED = {BookingStatus.CONFIRMED, BookingStatus.COMPLETED, BookingStatus.NO_SHOW}
REFUNDS = {Movement.REFUND_CREDIT, Movement.PARTIAL_REFUND}


class Broken(AssertionError):
    """A promise does not hold; the number is that of docs/reference/invariants.md."""

    def __init__(self, promise: str, text: str) -> None:
        super().__init__(f"{promise}: {text}")
        self.promise = promise


def broken(promise: str, text: str) -> NoReturn:
    raise Broken(promise, text)


def must(holds: bool, promise: str, text: str, *figures: Any) -> None:
    """Say *text* with these figures in its braces, but only where it does not hold: mostly it does."""
    if not holds:
        raise Broken(promise, text.format(*figures))


@define
class SessionBook:
    """What the judge counts of one session."""

    booked: int = 0
    pending: int = 0
    offered: int = 0
    queue: list[EntryId] = field(factory=list)
    """Active entries in the order in which they joined, by our own list."""
    passed: dict[EntryId, int] = field(factory=dict)
    """How many offers went to families behind, while this one waited."""
    ever: set[EntryId] = field(factory=set)


@define
class Paid:
    """A debit and what has become of it."""

    line: UUID
    balance: UUID
    amount: int
    refunded: int = 0
    settled: bool = False


@define
class Books:
    """Everything that the judge remembers."""

    sessions: dict[SessionId, SessionBook] = field(factory=dict)
    active: dict[BookingId, Any] = field(factory=dict)
    latest: dict[tuple[SessionId, ChildId], BookingId] = field(factory=dict)
    entries: dict[tuple[SessionId, ChildId], EntryId] = field(factory=dict)
    line: dict[EntryId, tuple[SessionId, Entry]] = field(factory=dict)
    """Active entries."""
    paid: dict[BookingId, Paid] = field(factory=dict)
    of_child: dict[ChildId, set[BookingId]] = field(factory=dict)
    moved: set[BookingId] = field(factory=set)
    """Bookings that the venue moved: they may overlap, and are refundable until the start."""
    messages: dict[UUID, int] = field(factory=dict)

    def booking(self, session: SessionId, child: ChildId) -> BookingId | None:
        return self.latest.get((session, child))

    def entry(self, session: SessionId, child: ChildId) -> EntryId | None:
        return self.entries.get((session, child))

    def of(self, session: SessionId) -> SessionBook:
        found = self.sessions.get(session)
        if found is None:
            found = self.sessions[session] = SessionBook()
        return found

    def note_booking(self, old: Any, new: Any) -> None:
        """Follow a changed row of ``bookings``."""
        booking = new.booking
        book = self.of(booking.session)
        if old is not ABSENT:
            was = old.booking.status
            book.booked -= was in SEATED
            book.pending -= was is BookingStatus.PENDING
        book.booked += booking.status in SEATED
        book.pending += booking.status is BookingStatus.PENDING
        if booking.status.is_active:
            self.active[booking.id] = booking
            self.of_child.setdefault(booking.child, set()).add(booking.id)
            self.latest[booking.session, booking.child] = booking.id
        elif self.active.pop(booking.id, None) is not None:
            self.of_child[booking.child].discard(booking.id)

    def note_entry(self, old: Any, new: Any) -> None:
        """Follow a changed row of ``waitlist``."""
        entry, session = new.entry, new.session
        book = self.of(session)
        if old is not ABSENT and old.entry.status is EntryStatus.OFFERED:
            book.offered -= old.entry.seats
        if entry.status is EntryStatus.OFFERED:
            book.offered += entry.seats
        if entry.status.is_active:
            if entry.id not in self.line:
                book.queue.append(entry.id)
                book.passed[entry.id] = 0
            self.line[entry.id] = session, entry
            for child in entry.children:
                self.entries[session, child] = entry.id
        elif self.line.pop(entry.id, None) is not None:
            book.queue.remove(entry.id)

    def forget(self, sessions: set[SessionId], bookings: set[BookingId]) -> None:
        """The sessions are history."""
        for session in sessions:
            self.sessions.pop(session, None)
        self.latest = {key: id_ for key, id_ in self.latest.items() if key[0] not in sessions}
        self.entries = {key: id_ for key, id_ in self.entries.items() if key[0] not in sessions}
        for booking in bookings:
            self.paid.pop(booking, None)
            self.moved.discard(booking)


def when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"
