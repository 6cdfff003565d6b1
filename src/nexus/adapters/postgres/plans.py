"""Sessions as their venues change them."""

from typing import Final, LiteralString

from psycopg import Connection

from nexus.adapters.postgres.rows import as_object
from nexus.application.booking.ports import Plan
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import SessionId, VenueId
from nexus.domain.kernel.time import TimeOfDay

LOCK_PLAN: Final[LiteralString] = """
    SELECT id AS session, activity_id AS activity, venue_id AS venue, timezone AS time_zone, session_date, start_time,
           end_time, starts_at, ends_at, credits_required AS price, total_capacity,
           platform_allocated_spots AS allocated, opens_at, releases_at,
           instructor_name AS instructor, session_notes AS notes, location, version
      FROM activity_sessions
     WHERE id = %(session)s AND venue_id = %(venue)s
       FOR UPDATE
"""

SAVE_PLAN: Final[LiteralString] = """
    UPDATE activity_sessions
       SET session_date = %(session_date)s, start_time = %(start_time)s, end_time = %(end_time)s,
           time_of_day = %(time_of_day)s, starts_at = %(starts_at)s, ends_at = %(ends_at)s,
           credits_required = %(price)s, total_capacity = %(total_capacity)s,
           platform_allocated_spots = %(allocated)s, sellable = %(sellable)s,
           opens_at = %(opens_at)s, releases_at = %(releases_at)s,
           instructor_name = %(instructor)s, session_notes = %(notes)s, location = %(location)s,
           version = %(version)s
     WHERE id = %(session)s
"""

CANCEL_SESSION: Final[LiteralString] = """
    UPDATE activity_sessions
       SET status = 'cancelled', status_reason = %(reason)s, version = version + 1
     WHERE id = %(session)s
"""


class PostgresPlans:
    """The table ``activity_sessions``, as a venue's changes write it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, session: SessionId, *, venue: VenueId) -> Plan:
        with self._connection.cursor(row_factory=as_object(Plan)) as cursor:
            found = cursor.execute(LOCK_PLAN, {"session": session, "venue": venue}).fetchone()
        if found is None:
            raise NoSuchThing("session")
        return found

    def save(self, plan: Plan, *, sellable: int) -> None:
        self._connection.execute(
            SAVE_PLAN,
            {
                "session": plan.session,
                "session_date": plan.session_date,
                "start_time": plan.start_time,
                "end_time": plan.end_time,
                "time_of_day": TimeOfDay.of(plan.start_time).value,
                "starts_at": plan.starts_at,
                "ends_at": plan.ends_at,
                "price": plan.price,
                "total_capacity": plan.total_capacity,
                "allocated": plan.allocated,
                "sellable": sellable,
                "opens_at": plan.opens_at,
                "releases_at": plan.releases_at,
                "instructor": plan.instructor,
                "notes": plan.notes,
                "location": plan.location,
                "version": plan.version,
            },
        )

    def cancel(self, session: SessionId, *, reason: str) -> None:
        self._connection.execute(CANCEL_SESSION, {"session": session, "reason": reason})
