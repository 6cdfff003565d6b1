"""Bookings, queue entries and rosters, as people read them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, LiteralString

from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.rows import as_object
from nexus.adapters.postgres.whom import PLATFORM
from nexus.application.booking.views import BookingView, EntryView, RosterLine
from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import BookingId, EntryId, SessionId, UserId, VenueId

VIEW_COLUMNS: Final[LiteralString] = """
           b.id, b.status, b.confirmation_code, b.group_booking_id, b.source, b.session_id,
           a.id AS activity_id, a.name AS activity_name, v.id AS venue_id, v.name AS venue_name,
           concat_ws(', ', v.address_line1, v.city, v.state || ' ' || v.postal_code) AS venue_address,
           s.location, b.child_id, c.first_name AS child_first_name,
           s.session_date, s.start_time, s.end_time, s.timezone AS time_zone, b.starts_at, b.ends_at,
           b.credits_charged, b.credits_refunded, b.refundable_until, b.confirm_by, b.booked_at,
           b.cancelled_at, b.cancellation_reason, b.version
"""
"""What families read of a booking *b*, with :data:`VIEW_JOINS`."""

VIEW_JOINS: Final[LiteralString] = """
      JOIN activity_sessions s ON s.id = b.session_id
      JOIN activities a ON a.id = s.activity_id
      JOIN venues v ON v.id = b.venue_id
      JOIN children c ON c.id = b.child_id
"""

_BOOKING: Final[LiteralString] = "SELECT" + VIEW_COLUMNS + "FROM bookings b" + VIEW_JOINS

SHOW_BOOKING: Final[LiteralString] = _BOOKING + " WHERE b.id = %(id)s AND b.booked_by = %(parent)s"

LIST_BOOKINGS: Final[LiteralString] = (
    _BOOKING
    + """
     WHERE b.booked_by = %(parent)s
       AND (%(status)s::text IS NULL OR b.status = %(status)s)
       AND (%(upcoming_at)s::timestamptz IS NULL
            OR b.status IN ('pending', 'confirmed') AND b.ends_at > %(upcoming_at)s)
       AND (%(after_at)s::timestamptz IS NULL OR (b.booked_at, b.id) < (%(after_at)s, %(after_id)s::uuid))
     ORDER BY b.booked_at DESC, b.id DESC
     LIMIT %(limit)s
"""
)

_ENTRY: Final[LiteralString] = """
    SELECT w.id, w.session_id, a.id AS activity_id, a.name AS activity_name, v.name AS venue_name,
           (SELECT array_agg(k.child_id ORDER BY k.ordinal) FROM waitlist_children k
             WHERE k.entry_id = w.id) AS child_ids,
           w.seats, w.status,
           CASE WHEN w.status IN ('waiting', 'offered') THEN
               waiting_up_to(w.session_id, w.queue_number)
           END AS position,
           w.joined_at, w.offered_at, w.offer_expires_at, w.ended_at, w.closed_reason,
           s.starts_at, s.session_date, s.start_time, s.timezone AS time_zone
      FROM waitlist w
      JOIN activity_sessions s ON s.id = w.session_id
      JOIN activities a ON a.id = s.activity_id
      JOIN venues v ON v.id = s.venue_id
"""

SHOW_ENTRIES: Final[LiteralString] = (
    _ENTRY
    + """
     WHERE w.id = ANY (%(ids)s) AND w.user_id = %(parent)s
     ORDER BY array_position(%(ids)s::uuid[], w.id)
"""
)

LIST_ENTRIES: Final[LiteralString] = (
    _ENTRY
    + """
     WHERE w.user_id = %(parent)s
       AND (%(active)s::boolean IS NULL OR (w.status IN ('waiting', 'offered')) = %(active)s)
       AND (%(after_at)s::timestamptz IS NULL OR (w.joined_at, w.id) < (%(after_at)s, %(after_id)s::uuid))
     ORDER BY w.joined_at DESC, w.id DESC
     LIMIT %(limit)s
"""
)

BOOKINGS_OF_SESSION: Final[LiteralString] = """
    SELECT ARRAY (SELECT b.id FROM bookings b
                   WHERE b.session_id = s.id AND b.venue_id = s.venue_id
                     AND b.status IN ('pending', 'confirmed', 'completed', 'no_show'))
      FROM activity_sessions s
     WHERE s.id = %(session)s AND s.venue_id = %(venue)s
"""

# For the bookings that the venue was let see, so that this may look at families, which it may not.
# A child whose parent withdrew the consent to keep its data is not named to anybody.
ROSTER: Final[LiteralString] = """
    SELECT b.id AS booking_id, b.status, b.confirmation_code, c.id AS child_id,
           c.first_name AS child_first_name,
           date_part('year', age(s.session_date, c.date_of_birth))::int AS child_age,
           c.accessibility_needs,
           CASE WHEN 'medical_sharing' = ANY (c.consents) THEN c.medical_notes END AS sealed_medical_notes,
           CASE WHEN 'medical_sharing' = ANY (c.consents) THEN k.key END AS child_key,
           u.first_name || ' ' || u.last_name AS parent_name, u.email::text AS parent_email,
           u.phone AS parent_phone, b.confirm_by, b.attendance_marked_at, b.version
      FROM bookings b
      JOIN activity_sessions s ON s.id = b.session_id
      JOIN children c ON c.id = b.child_id
      LEFT JOIN child_keys k ON k.child_id = c.id
      JOIN users u ON u.id = b.booked_by
     WHERE b.id = ANY (%(bookings)s)
       AND c.status = 'active'
     ORDER BY c.first_name, b.id
"""


class PostgresBookingViews:
    """Joins over ``bookings`` and ``waitlist``; each is one statement, however many rows."""

    def __init__(self, connection: WalledConnection) -> None:
        self._connection = connection

    def booking(self, booking: BookingId, *, parent: UserId) -> BookingView:
        with self._connection.cursor(row_factory=as_object(BookingView)) as cursor:
            found = cursor.execute(SHOW_BOOKING, {"id": booking, "parent": parent}).fetchone()
        if found is None:
            raise NoSuchThing("booking")
        return found

    def bookings_of(
        self,
        parent: UserId,
        *,
        status: BookingStatus | None,
        upcoming_at: datetime | None,
        after: tuple[datetime, BookingId] | None,
        limit: int,
    ) -> tuple[BookingView, ...]:
        after_at, after_id = after or (None, None)
        values = {
            "parent": parent,
            "status": status and status.value,
            "upcoming_at": upcoming_at,
            "after_at": after_at,
            "after_id": after_id,
            "limit": limit,
        }
        with self._connection.cursor(row_factory=as_object(BookingView)) as cursor:
            return tuple(cursor.execute(LIST_BOOKINGS, values).fetchall())

    def entries(self, ids: Sequence[EntryId], *, parent: UserId) -> tuple[EntryView, ...]:
        with self._connection.cursor(row_factory=as_object(EntryView)) as cursor:
            return tuple(cursor.execute(SHOW_ENTRIES, {"ids": list(ids), "parent": parent}).fetchall())

    def entries_of(
        self,
        parent: UserId,
        *,
        active: bool | None,
        after: tuple[datetime, EntryId] | None,
        limit: int,
    ) -> tuple[EntryView, ...]:
        after_at, after_id = after or (None, None)
        values = {
            "parent": parent,
            "active": active,
            "after_at": after_at,
            "after_id": after_id,
            "limit": limit,
        }
        with self._connection.cursor(row_factory=as_object(EntryView)) as cursor:
            return tuple(cursor.execute(LIST_ENTRIES, values).fetchall())

    def roster(self, session: SessionId, *, venue: VenueId) -> tuple[RosterLine, ...]:
        values = {"session": session, "venue": venue}
        found = self._connection.execute(BOOKINGS_OF_SESSION, values).fetchone()
        if found is None:
            raise NoSuchThing("session")
        with (
            self._connection.acting_for(PLATFORM),
            self._connection.cursor(row_factory=as_object(RosterLine)) as cursor,
        ):
            return tuple(cursor.execute(ROSTER, {"bookings": found[0]}).fetchall())
