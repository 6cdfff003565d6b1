"""Rows about places and about those who wait for them."""

from datetime import datetime

from attrs import frozen

from nexus.domain.booking.bookings import Booking, BookingSource
from nexus.domain.booking.waitlist import Entry
from nexus.domain.kernel.ids import BookingId, CompanyId, SessionId, UserId
from nexus.domain.kernel.money import Money


@frozen(kw_only=True)
class BookingRow:
    """A row of ``bookings``."""

    booking: Booking
    company: CompanyId
    code: str
    source: BookingSource
    credit_value: Money
    original: BookingId | None
    booked_at: datetime
    confirmed_at: datetime | None
    overlap_excused: bool = False
    cancelled_at: datetime | None = None
    cancellation_reason: str | None = None
    cancellation_notes: str | None = None
    attendance_marked_at: datetime | None = None
    attendance_marked_by: UserId | None = None


@frozen(kw_only=True)
class QueueRow:
    """A row of ``waitlist`` with its children."""

    session: SessionId
    company: CompanyId
    entry: Entry
