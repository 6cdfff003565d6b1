"""Bookings and waiting, as people read them."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, Protocol

from attrs import frozen

from nexus.domain.booking.bookings import BookingSource, BookingStatus
from nexus.domain.booking.waitlist import EntryStatus
from nexus.domain.kernel.ids import (
    ActivityId,
    BookingId,
    ChildId,
    EntryId,
    GroupId,
    SessionId,
    UserId,
    VenueId,
)


@frozen(kw_only=True)
class BookingView:
    """
    A family's place.

    ``refundable_until`` is the last instant at which cancelling gives every credit
    back; times without a zone are the venue's local ones.
    """

    id: BookingId
    status: BookingStatus
    confirmation_code: str
    group_booking_id: GroupId | None
    source: BookingSource
    session_id: SessionId
    activity_id: ActivityId
    activity_name: str
    venue_id: VenueId
    venue_name: str
    venue_address: str
    location: str | None
    child_id: ChildId
    child_first_name: str
    session_date: date
    start_time: time
    end_time: time
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    credits_charged: int
    credits_refunded: int
    refundable_until: datetime
    confirm_by: datetime | None
    booked_at: datetime
    cancelled_at: datetime | None
    cancellation_reason: str | None
    version: int


@frozen(kw_only=True)
class CancellationQuote:
    """What cancelling would do at this moment, and until when it stays so."""

    booking_id: BookingId
    refund: int
    forfeit: int
    refundable_until: datetime
    starts_at: datetime


@frozen(kw_only=True)
class Obstacle:
    """A rule that stands in the way of a booking: its name, a sentence, the figures."""

    type: str
    title: str
    figures: dict[str, Any]


@frozen(kw_only=True)
class BookingQuote:
    """
    What booking would cost and on which terms; nothing is reserved by asking.

    ``refundable_until`` is when a free cancellation ends; it may have passed already.
    """

    session_id: SessionId
    child_ids: tuple[ChildId, ...]
    price_per_child: int
    total: int
    credits_available: int
    credits_after: int
    needs_confirmation: bool
    refundable_until: datetime
    can_be_booked: bool
    obstacles: tuple[Obstacle, ...]


@frozen(kw_only=True)
class EntryView:
    """
    A family's entry in a queue.

    ``position`` is 1 for the first in line and None once the entry has ended.
    """

    id: EntryId
    session_id: SessionId
    activity_id: ActivityId
    activity_name: str
    venue_name: str
    child_ids: tuple[ChildId, ...]
    seats: int
    status: EntryStatus
    position: int | None
    joined_at: datetime
    offered_at: datetime | None
    offer_expires_at: datetime | None
    ended_at: datetime | None
    closed_reason: str | None
    starts_at: datetime
    session_date: date
    start_time: time
    time_zone: str


@frozen(kw_only=True)
class RosterLine:
    """
    Whom the venue expects.

    Medical notes are there only with the parent's consent to share them; the
    notes are sealed here, as is the child's key, and opened by the use case.
    """

    booking_id: BookingId
    status: BookingStatus
    confirmation_code: str
    child_id: ChildId
    child_first_name: str
    child_age: int
    accessibility_needs: tuple[str, ...]
    sealed_medical_notes: bytes | None
    child_key: bytes | None
    parent_name: str
    parent_email: str
    parent_phone: str | None
    confirm_by: datetime | None
    attendance_marked_at: datetime | None
    version: int


@frozen(kw_only=True)
class RosterEntry:
    """
    A line of the roster as the venue reads it.

    Notes that exist but cannot be opened say so in their own place, and in
    ``medical_notes_unreadable``: ask the family before the session.
    """

    booking_id: BookingId
    status: BookingStatus
    confirmation_code: str
    child_first_name: str
    child_age: int
    accessibility_needs: tuple[str, ...]
    medical_notes: str | None
    medical_notes_unreadable: bool
    parent_name: str
    parent_email: str
    parent_phone: str | None
    confirm_by: datetime | None
    attendance_marked_at: datetime | None
    version: int


@frozen(kw_only=True)
class SessionChange:
    """What changing or cancelling a session did to its families."""

    session_id: SessionId
    version: int
    families_told: int
    credits_refunded: int
    entries_closed: int


class BookingViews(Protocol):
    """Bookings and entries, as people read them."""

    def booking(self, booking: BookingId, *, parent: UserId) -> BookingView:
        """
        How it stands.

        Raises:
            NoSuchThing: It is not this parent's.
        """
        ...

    def bookings_of(
        self,
        parent: UserId,
        *,
        status: BookingStatus | None,
        upcoming_at: datetime | None,
        after: tuple[datetime, BookingId] | None,
        limit: int,
    ) -> tuple[BookingView, ...]:
        """Latest first; ``upcoming_at`` keeps active ones that have not ended by then."""
        ...

    def entries(self, ids: Sequence[EntryId], *, parent: UserId) -> tuple[EntryView, ...]:
        """In the order of the ids; those of others are left out."""
        ...

    def entries_of(
        self,
        parent: UserId,
        *,
        active: bool | None,
        after: tuple[datetime, EntryId] | None,
        limit: int,
    ) -> tuple[EntryView, ...]:
        """Latest first."""
        ...

    def roster(self, session: SessionId, *, venue: VenueId) -> tuple[RosterLine, ...]:
        """
        Whom the venue expects, by child's first name.

        Raises:
            NoSuchThing: The venue has no such session.
        """
        ...
