"""Bookings, as they are made and ended."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Any, Final, LiteralString

from attrs import fields
from psycopg import Cursor
from psycopg.errors import DeadlockDetected, ExclusionViolation, UniqueViolation
from psycopg.rows import dict_row

from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.placing import LOCK_CHILDREN, LONGEST, PLACE, READ_FACTS
from nexus.adapters.postgres.rows import as_object, to_object
from nexus.adapters.postgres.settings import KEYS, PostgresSettings
from nexus.adapters.postgres.whom import PLATFORM
from nexus.application.booking.ports import Facts, Order, Overtaken
from nexus.application.booking.views import BookingView
from nexus.application.kernel.caller import caller
from nexus.domain.booking.bookings import Booking, BookingStatus
from nexus.domain.booking.sessions import Offering
from nexus.domain.booking.wishes import Attendee
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import BookingId, ChildId, SessionId, UserId, VenueId

# Says which session is worked on before it locks it: the lock asks for the right to its seats.
LOCK_BOOKING: Final[LiteralString] = """
    SELECT s.id
      FROM (SELECT set_config('nexus.session', session_id::text, true) AS session
              FROM bookings
             WHERE id = %(booking)s
               AND (%(parent)s::uuid IS NULL OR booked_by = %(parent)s)
               AND (%(venue)s::uuid IS NULL OR venue_id = %(venue)s)
            OFFSET 0) b,
           LATERAL (SELECT id FROM activity_sessions WHERE id = b.session::uuid FOR UPDATE) s
"""

READ_BOOKINGS: Final[LiteralString] = """
    SELECT b.id, b.session_id AS session, b.child_id AS child, b.booked_by AS parent, b.venue_id AS venue,
           b.status, b.starts_at, b.ends_at,
           coalesce(b.booked_length, b.ends_at - b.starts_at) AS booked_length,
           b.credits_charged, b.credits_refunded, b.refundable_until,
           b.confirm_by, b.debit_id AS debit, l.balance_id AS balance, b.group_booking_id AS "group", b.version
      FROM bookings b
      JOIN credit_ledger l ON l.id = b.debit_id
     WHERE b.id = %(booking)s AND (%(parent)s::uuid IS NULL OR b.booked_by = %(parent)s)
        OR (%(booking)s::uuid IS NULL AND b.session_id = %(session)s AND b.status IN ('pending', 'confirmed')
            AND (%(lapsed_at)s::timestamptz IS NULL
                 OR b.status = 'pending' AND b.confirm_by <= %(lapsed_at)s))
     ORDER BY b.id
       FOR UPDATE OF b
"""

BOOKINGS_OF_CHILD: Final[LiteralString] = """
    SELECT session_id, id FROM bookings
     WHERE child_id = %(child)s AND status IN ('pending', 'confirmed') AND starts_at > %(at)s
"""

# Where one has another version it fails, and with it all that goes out together and the commit.
SAVE_BOOKINGS: Final[LiteralString] = """
    WITH saved AS (
        UPDATE bookings b
           SET status = n.status,
               credits_refunded = n.credits_refunded,
               version = n.version,
               confirmed_at = CASE WHEN n.status = 'confirmed' THEN coalesce(b.confirmed_at, %(at)s)
                                   ELSE b.confirmed_at END,
               cancelled_at = CASE WHEN n.status LIKE 'cancelled%%' THEN %(at)s ELSE b.cancelled_at END,
               cancellation_reason = CASE WHEN n.status LIKE 'cancelled%%' THEN %(reason)s
                                          ELSE b.cancellation_reason END,
               cancellation_notes = CASE WHEN n.status LIKE 'cancelled%%' THEN %(notes)s
                                         ELSE b.cancellation_notes END,
               attendance_marked_at = CASE WHEN n.status IN ('completed', 'no_show') THEN %(at)s
                                           ELSE b.attendance_marked_at END,
               attendance_marked_by = CASE WHEN n.status IN ('completed', 'no_show') THEN %(by)s::uuid
                                           ELSE b.attendance_marked_by END
          FROM unnest(%(ids)s::uuid[], %(statuses)s::text[], %(refunded)s::int[], %(versions)s::int[])
               AS n (id, status, credits_refunded, version)
         WHERE b.id = n.id AND b.version = n.version - 1
        RETURNING b.id
    )
    SELECT CASE WHEN count(*) < cardinality(%(ids)s::uuid[])
                THEN overtaken('a booking') END
      FROM saved
"""

# The version rises, since the terms change: who cancels by an old one is told so.
MOVE_BOOKINGS: Final[LiteralString] = """
    UPDATE bookings b
       SET starts_at = %(starts_at)s,
           ends_at = %(ends_at)s,
           booked_length = coalesce(b.booked_length, b.ends_at - b.starts_at),
           refundable_until = %(starts_at)s,
           confirm_by = least(b.confirm_by, %(starts_at)s),
           version = b.version + 1,
           overlap_excused = EXISTS (
               SELECT FROM bookings other
                WHERE other.child_id = b.child_id AND other.id <> b.id
                  AND other.status IN ('pending', 'confirmed')
                  AND other.starts_at < %(ends_at)s AND other.ends_at > %(starts_at)s)
     WHERE b.session_id = %(session)s AND b.status IN ('pending', 'confirmed')
"""

# The session before its bookings, as everybody else; one that somebody works on is left for the next run.
COMPLETE_BOOKINGS: Final[LiteralString] = """
    WITH due AS (
        SELECT id, session_id FROM bookings
         WHERE status = 'confirmed' AND ends_at <= %(before)s
         ORDER BY ends_at, id
         LIMIT %(limit)s
    ), over AS (
        SELECT id FROM activity_sessions
         WHERE id IN (SELECT session_id FROM due)
           FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE bookings b
       SET status = 'completed', version = version + 1, attendance_marked_at = %(at)s
      FROM due
     WHERE b.id = due.id AND b.status = 'confirmed' AND due.session_id IN (SELECT id FROM over)
"""

CLOSE_SESSIONS: Final[LiteralString] = """
    WITH over AS (
        SELECT id FROM activity_sessions s
         WHERE status = 'scheduled' AND starts_at < %(before)s AND ends_at <= %(before)s
           AND NOT EXISTS (
               SELECT FROM bookings b WHERE b.session_id = s.id AND b.status IN ('pending', 'confirmed'))
         ORDER BY starts_at
         LIMIT %(limit)s
           FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE activity_sessions SET status = 'completed' WHERE id IN (SELECT id FROM over)
"""


_OF_ATTENDEE: Final = tuple(attribute.name for attribute in fields(Attendee))


def _somebody_will_wait() -> bool:
    """Whether the answer is still waited for when the places are given, however long that takes."""
    gives_up_at = caller.get().gives_up_at
    return gives_up_at is None or monotonic() + LONGEST < gives_up_at


class PostgresPlaces:
    """The table ``bookings``, as booking and cancelling write it."""

    def __init__(self, connection: WalledConnection, settings: PostgresSettings) -> None:
        self._connection = connection
        self._settings = settings

    def facts(
        self, session: SessionId, children: Sequence[ChildId], *, parent: UserId, at: datetime
    ) -> Facts:
        values = {
            "session": session,
            "children": list(children),
            "parent": parent,
            "at": at,
            "settings": KEYS,
        }
        with self._connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(READ_FACTS, values).fetchall()
        if not rows:
            raise NoSuchThing("session")
        each = [
            to_object({name: row.pop(name) for name in _OF_ATTENDEE}, Attendee)
            for row in rows
            if row["child"]
        ]
        attendees = {attendee.child: attendee for attendee in each}
        if any(child not in attendees for child in children):
            raise NoSuchThing("child")
        found = rows[0]
        self._settings.brought(found.pop("settings"), at)
        seats = {name: found.pop(name) for name in ("sellable", "booked", "held")}
        credits, has_premium = found.pop("credits"), found.pop("has_premium")
        return Facts(
            offering=to_object({**found, "seats": seats}, Offering),
            attendees=tuple(attendees[child] for child in children),
            has_premium=has_premium,
            credits=credits or 0,
        )

    def place(self, order: Order, *, last: bool = False) -> tuple[BookingView, ...]:
        seats = len(order.places)
        pending = order.status is BookingStatus.PENDING
        values: dict[str, Any] = {
            "session": order.session,
            "version": order.version,
            "parent": order.parent,
            "company": order.company,
            "status": order.status.value,
            "price": order.price,
            "total": order.price * seats,
            "seats": seats,
            "booked": 0 if pending else seats,
            "held": seats if pending else 0,
            "bookings": [place.booking for place in order.places],
            "children": [place.child for place in order.places],
            "codes": [place.code for place in order.places],
            "debits": [place.debit for place in order.places],
            "group": order.group,
            "source": order.source.value,
            "original": order.original,
            "credit_value": order.credit_value.minor,
            "currency": order.credit_value.currency,
            "refundable_until": order.refundable_until,
            "confirm_by": order.confirm_by,
            "in_turn": order.in_turn,
            "last_offer_minutes": order.last_offer_minutes,
            "at": order.at,
        }
        with_commit = last and _somebody_will_wait()
        try:
            with self._connection.said_last() if with_commit else self._connection.said_first():
                placed = self._connection.cursor(row_factory=as_object(BookingView)).execute(PLACE, values)
        except (UniqueViolation, ExclusionViolation, DeadlockDetected) as clash:
            raise Overtaken from clash
        return tuple(placed.fetchall())

    def lock_children(self, children: Sequence[ChildId], *, parent: UserId) -> None:
        self._connection.execute(LOCK_CHILDREN, {"children": list(children), "parent": parent})

    def lock(
        self,
        booking: BookingId,
        *,
        parent: UserId | None = None,
        venue: VenueId | None = None,
    ) -> tuple[Booking, ...]:
        values = {"booking": booking, "parent": parent, "venue": venue}
        if parent is not None:
            # One round trip; the booking is read when its session is locked, and as it is then.
            with self._connection.said_first():
                locked = self._connection.execute(LOCK_BOOKING, values)
                found = self._read(booking=booking, parent=parent)
            if locked.fetchone() is None:
                raise NoSuchThing("booking")
            return tuple(found.fetchall())
        if self._connection.execute(LOCK_BOOKING, values).fetchone() is None:
            raise NoSuchThing("booking")
        # The debits are the families' own, and no venue sees them.
        with self._connection.acting_for(PLATFORM):
            return tuple(self._read(booking=booking).fetchall())

    def lock_active(self, session: SessionId) -> tuple[Booking, ...]:
        with self._connection.acting_for(PLATFORM):
            return tuple(self._read(session=session).fetchall())

    def unanswered(self, session: SessionId, *, at: datetime) -> tuple[Booking, ...]:
        with self._connection.acting_for(PLATFORM):
            return tuple(self._read(session=session, lapsed_at=at).fetchall())

    def _read(
        self,
        *,
        booking: BookingId | None = None,
        parent: UserId | None = None,
        session: SessionId | None = None,
        lapsed_at: datetime | None = None,
    ) -> Cursor[Booking]:
        values = {
            "booking": booking,
            "parent": parent,
            "session": session,
            "lapsed_at": lapsed_at,
        }
        return self._connection.cursor(row_factory=as_object(Booking)).execute(READ_BOOKINGS, values)

    def of_child(self, child: ChildId, *, at: datetime) -> Mapping[SessionId, BookingId]:
        rows = self._connection.execute(BOOKINGS_OF_CHILD, {"child": child, "at": at}).fetchall()
        return {SessionId(session): BookingId(booking) for session, booking in rows}

    def save(
        self,
        bookings: Sequence[Booking],
        *,
        at: datetime,
        by: UserId | None = None,
        reason: str | None = None,
        notes: str | None = None,
    ) -> None:
        if not bookings:
            return
        values = {
            "ids": [booking.id for booking in bookings],
            "statuses": [booking.status.value for booking in bookings],
            "refunded": [booking.credits_refunded for booking in bookings],
            "versions": [booking.version for booking in bookings],
            "at": at,
            "by": by,
            "reason": reason,
            "notes": notes,
        }
        self._connection.later(SAVE_BOOKINGS, values)

    def move(self, session: SessionId, *, starts_at: datetime, ends_at: datetime) -> None:
        values = {"session": session, "starts_at": starts_at, "ends_at": ends_at}
        try:
            self._connection.execute(MOVE_BOOKINGS, values)
        except (ExclusionViolation, DeadlockDetected) as clash:  # a booking made at this very moment
            raise Overtaken from clash

    def complete(self, *, before: datetime, at: datetime, limit: int) -> int:
        values = {"before": before, "at": at, "limit": limit}
        return self._connection.execute(COMPLETE_BOOKINGS, values).rowcount

    def close_sessions(self, *, before: datetime, limit: int) -> int:
        return self._connection.execute(CLOSE_SESSIONS, {"before": before, "limit": limit}).rowcount
