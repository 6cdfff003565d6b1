"""Places that are about to be given up, with everything that this touches."""

from datetime import datetime
from typing import Any, Final, LiteralString

from attrs import fields
from psycopg.rows import dict_row

from nexus.adapters.postgres.booking_views import VIEW_COLUMNS, VIEW_JOINS
from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.lines import ENTRIES, IN_LINE, LINE, as_line
from nexus.adapters.postgres.payments import PURSES
from nexus.adapters.postgres.rows import as_object, to_object
from nexus.adapters.postgres.settings import BROUGHT_ALONG, KEYS, PostgresSettings
from nexus.application.booking.ports import Departure, Purse
from nexus.application.booking.views import BookingView
from nexus.domain.booking.bookings import Booking
from nexus.domain.booking.waitlist import Entry
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import BookingId, UserId

# Says which session is worked on before it locks it: the lock asks for the right to its seats.
LOCK_SESSION: Final[LiteralString] = (
    "SELECT s.*,"
    + BROUGHT_ALONG
    + """ AS settings
      FROM (SELECT set_config('nexus.session', session_id::text, true) AS session
              FROM bookings
             WHERE id = %(booking)s AND booked_by = %(parent)s
            OFFSET 0) b,
           LATERAL ("""
    + LINE
    + " WHERE id = b.session::uuid FOR UPDATE) s"
)

_BOOKINGS: Final[LiteralString] = (
    "SELECT"
    + VIEW_COLUMNS
    + """,
           b.booked_by, b.debit_id, l.balance_id,
           coalesce(b.booked_length, b.ends_at - b.starts_at) AS booked_length
      FROM bookings b
      JOIN credit_ledger l ON l.id = b.debit_id
"""
    + VIEW_JOINS
    + " WHERE b.booked_by = %(parent)s"
)

LOCK_BOOKING: Final[LiteralString] = _BOOKINGS + " AND b.id = %(booking)s FOR UPDATE OF b"

LOCK_GROUP: Final[LiteralString] = (
    _BOOKINGS
    + """
       AND (b.id = %(booking)s
            OR b.status IN ('pending', 'confirmed') AND b.group_booking_id = (
                SELECT group_booking_id FROM bookings WHERE id = %(booking)s))
     ORDER BY b.id <> %(booking)s, b.id
       FOR UPDATE OF b
"""
)

LOCK_ENTRIES: Final[LiteralString] = (
    ENTRIES
    + """
       AND w.session_id = (SELECT session_id FROM bookings WHERE id = %(booking)s AND booked_by = %(parent)s)
"""
    + IN_LINE
)

# A group was paid for from one balance.
LOCK_PURSES: Final[LiteralString] = (
    PURSES
    + """
     WHERE user_id = %(parent)s
       AND (closed_at IS NULL AND opens_at <= %(at)s AND closes_at > %(at)s
            OR id = (SELECT l.balance_id FROM bookings b JOIN credit_ledger l ON l.id = b.debit_id
                      WHERE b.id = %(booking)s AND b.booked_by = %(parent)s))
     ORDER BY id
       FOR UPDATE
"""
)

_SHOWN: Final = tuple(each.name for each in fields(BookingView))
_OTHERWISE_CALLED: Final = {
    "session": "session_id",
    "child": "child_id",
    "parent": "booked_by",
    "venue": "venue_id",
    "debit": "debit_id",
    "balance": "balance_id",
    "group": "group_booking_id",
}
_OF_BOOKING: Final = {each.name: _OTHERWISE_CALLED.get(each.name, each.name) for each in fields(Booking)}


class PostgresDepartures:
    """Everything in one round trip; each part is read when what comes before it is locked, and as it is then."""

    def __init__(self, connection: WalledConnection, settings: PostgresSettings) -> None:
        self._connection = connection
        self._settings = settings

    def lock(
        self, booking: BookingId, *, parent: UserId, with_group: bool = False, at: datetime
    ) -> Departure:
        connection = self._connection
        values: dict[str, Any] = {"booking": booking, "parent": parent, "at": at, "settings": KEYS}
        with connection.said_first():
            session = connection.cursor(row_factory=dict_row).execute(LOCK_SESSION, values)
            booked = connection.cursor(row_factory=dict_row).execute(
                LOCK_GROUP if with_group else LOCK_BOOKING, values
            )
            entries = connection.cursor(row_factory=as_object(Entry)).execute(LOCK_ENTRIES, values)
            purses = connection.cursor(row_factory=as_object(Purse)).execute(LOCK_PURSES, values)
        line = session.fetchone()
        if line is None:
            raise NoSuchThing("booking")
        self._settings.brought(line.pop("settings"), at)
        rows = booked.fetchall()
        return Departure(
            bookings=tuple(
                to_object({name: row[column] for name, column in _OF_BOOKING.items()}, Booking)
                for row in rows
            ),
            shown=tuple(to_object({name: row[name] for name in _SHOWN}, BookingView) for row in rows),
            line=as_line(line, entries.fetchall()),
            purses=tuple(purses.fetchall()),
        )
