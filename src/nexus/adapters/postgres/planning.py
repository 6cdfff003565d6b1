"""Weekly schedules, and sessions as their venues plan them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from attrs import asdict, evolve
from psycopg import Connection

from nexus.adapters.postgres.catalogue import activities_by_id, venues_by_id
from nexus.adapters.postgres.rows import as_object
from nexus.application.catalogue.ports import DueSchedule, Newest
from nexus.application.catalogue.views import KeptSession, VenueSessionView
from nexus.domain.catalogue.schedules import Schedule
from nexus.domain.catalogue.sessions import PlannedSession
from nexus.domain.kernel.errors import NoSuchThing, VersionMismatch
from nexus.domain.kernel.ids import ActivityId, ScheduleId, VenueId

_SCHEDULES: Final[LiteralString] = """
    SELECT r.id, r.activity_id AS activity, r.venue_id AS venue, r.schedule_name, r.days_of_week,
    r.start_time, r.duration_minutes, r.capacity, r.platform_allocated_spots, r.effective_from, r.effective_until,
    r.skipped_dates, r.is_active, r.generated_until, r.external_ref, r.created_at, r.version
      FROM activity_recurring_schedules r
"""

LOCK_SCHEDULE: Final[LiteralString] = (
    _SCHEDULES
    + """
     WHERE id = %(id)s AND venue_id = %(venue)s
       FOR UPDATE
"""
)

LIST_SCHEDULES: Final[LiteralString] = (
    _SCHEDULES
    + """
     WHERE venue_id = %(venue)s
       AND (%(activity)s::uuid IS NULL OR activity_id = %(activity)s)
       AND (%(after_at)s::timestamptz IS NULL OR (created_at, id) < (%(after_at)s, %(after_id)s::uuid))
     ORDER BY created_at DESC, id DESC
     LIMIT %(limit)s
"""
)

TAKE_DUE_SCHEDULES: Final[LiteralString] = (
    _SCHEDULES
    + """
      JOIN activities a ON a.id = r.activity_id
      JOIN venues v ON v.id = r.venue_id
     CROSS JOIN LATERAL (
        SELECT (%(at)s::timestamptz AT TIME ZONE v.timezone)::date + %(horizon_days)s::integer + 1 AS until) h
     WHERE r.is_active AND a.is_active AND v.status <> 'rejected'
       AND r.effective_from < h.until
       AND (r.generated_until IS NULL
            OR r.generated_until < h.until
               AND (r.effective_until IS NULL OR r.generated_until <= r.effective_until))
     ORDER BY r.generated_until NULLS FIRST, r.id
     LIMIT %(limit)s
       FOR UPDATE OF r SKIP LOCKED
"""
)

ADD_SCHEDULE: Final[LiteralString] = """
    INSERT INTO activity_recurring_schedules (
        id, activity_id, venue_id, schedule_name, days_of_week, start_time, duration_minutes, capacity,
        platform_allocated_spots, effective_from, effective_until, skipped_dates, is_active,
        generated_until, external_ref, created_at, version)
    VALUES (
        %(id)s, %(activity)s, %(venue)s, %(schedule_name)s, %(days_of_week)s, %(start_time)s,
        %(duration_minutes)s, %(capacity)s, %(platform_allocated_spots)s, %(effective_from)s,
        %(effective_until)s, %(skipped_dates)s::date[], %(is_active)s, %(generated_until)s,
        %(external_ref)s, %(created_at)s, %(version)s)
"""

SAVE_SCHEDULE: Final[LiteralString] = """
    UPDATE activity_recurring_schedules
       SET schedule_name = %(schedule_name)s, days_of_week = %(days_of_week)s, start_time = %(start_time)s,
           duration_minutes = %(duration_minutes)s, capacity = %(capacity)s,
           platform_allocated_spots = %(platform_allocated_spots)s, effective_from = %(effective_from)s,
           effective_until = %(effective_until)s, skipped_dates = %(skipped_dates)s::date[],
           is_active = %(is_active)s, generated_until = %(generated_until)s, version = version + 1
     WHERE id = %(id)s AND version = %(version)s
"""

NOTE_GENERATED: Final[LiteralString] = """
    UPDATE activity_recurring_schedules r
       SET generated_until = u.until
      FROM unnest(%(ids)s::uuid[], %(untils)s::date[]) AS u (id, until)
     WHERE r.id = u.id
"""

# Each column travels as one array: thousands of sessions are one statement.
ADD_SESSIONS: Final[LiteralString] = """
    INSERT INTO activity_sessions (
        id, activity_id, venue_id, recurring_schedule_id, session_date, start_time, end_time, timezone,
        time_of_day, starts_at, ends_at, credits_required, total_capacity, platform_allocated_spots,
        sellable, opens_at, releases_at, instructor_name, session_notes, location, external_ref, created_at)
    SELECT *
      FROM unnest(
        %(id)s::uuid[], %(activity)s::uuid[], %(venue)s::uuid[], %(schedule)s::uuid[],
        %(session_date)s::date[], %(start_time)s::time[], %(end_time)s::time[], %(time_zone)s::text[],
        %(time_of_day)s::text[], %(starts_at)s::timestamptz[], %(ends_at)s::timestamptz[],
        %(credits_required)s::integer[], %(total_capacity)s::integer[],
        %(platform_allocated_spots)s::integer[], %(sellable)s::integer[], %(opens_at)s::timestamptz[],
        %(releases_at)s::timestamptz[], %(instructor_name)s::text[], %(session_notes)s::text[],
        %(location)s::text[], %(external_ref)s::text[], %(created_at)s::timestamptz[])
    ON CONFLICT (recurring_schedule_id, session_date, start_time) DO NOTHING
"""

_ARRAYS: Final = (
    "id", "activity", "venue", "schedule", "session_date", "start_time", "end_time", "time_zone",
    "time_of_day", "starts_at", "ends_at", "credits_required", "total_capacity", "platform_allocated_spots",
    "sellable", "opens_at", "releases_at", "instructor_name", "session_notes", "location", "external_ref",
    "created_at",
)  # fmt: skip

# Nobody ever waited whose number was not taken from the session: a venue sees no queue.
DELETE_EMPTY_SESSIONS: Final[LiteralString] = """
    DELETE FROM activity_sessions s
     WHERE s.recurring_schedule_id = %(schedule)s
       AND s.starts_at > %(at)s
       AND s.status = 'scheduled'
       AND s.booked_count + s.held_count + s.waiting_count = 0
       AND s.last_queue_number = 0
       AND NOT EXISTS (SELECT FROM bookings b WHERE b.session_id = s.id)
"""

# Somebody was in it once: history keeps it, but it is not the schedule's any more.
DETACH_EMPTIED_SESSIONS: Final[LiteralString] = """
    UPDATE activity_sessions
       SET status = 'cancelled', status_reason = 'The weekly schedule changed.',
           recurring_schedule_id = NULL, version = version + 1
     WHERE recurring_schedule_id = %(schedule)s
       AND starts_at > %(at)s
       AND status = 'scheduled'
       AND booked_count + held_count + waiting_count = 0
"""

REMAINING_SESSIONS: Final[LiteralString] = """
    SELECT id, session_date, start_time, starts_at, booked_count, held_count, waiting_count, status
      FROM activity_sessions
     WHERE recurring_schedule_id = %(schedule)s AND session_date >= %(first)s
     ORDER BY starts_at, id
"""

LIST_VENUE_SESSIONS: Final[LiteralString] = """
    SELECT s.id, s.activity_id, a.name AS activity_name, s.recurring_schedule_id AS schedule_id,
           s.session_date, s.start_time, s.end_time, s.timezone AS time_zone, s.starts_at, s.ends_at,
           s.credits_required, s.total_capacity, s.platform_allocated_spots, s.sellable, s.booked_count,
           s.held_count, s.waiting_count, s.opens_at, s.releases_at, s.released_at, s.status,
           s.status_reason, s.instructor_name, s.session_notes, s.location, s.version
      FROM activity_sessions s
      JOIN activities a ON a.id = s.activity_id
     WHERE s.venue_id = %(venue)s
       AND (%(starts_from)s::timestamptz IS NULL OR s.starts_at >= %(starts_from)s)
       AND (%(starts_until)s::timestamptz IS NULL OR s.starts_at < %(starts_until)s)
       AND (%(activity)s::uuid IS NULL OR s.activity_id = %(activity)s)
       AND (%(after_at)s::timestamptz IS NULL OR (s.starts_at, s.id) > (%(after_at)s, %(after_id)s::uuid))
     ORDER BY s.starts_at, s.id
     LIMIT %(limit)s
"""


class PostgresSchedules:
    """The table ``activity_recurring_schedules``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, schedule: Schedule) -> None:
        self._connection.execute(ADD_SCHEDULE, _schedule(schedule))

    def get(self, schedule_id: ScheduleId, *, venue: VenueId) -> Schedule:
        with self._connection.cursor(row_factory=as_object(Schedule)) as cursor:
            found = cursor.execute(LOCK_SCHEDULE, {"id": schedule_id, "venue": venue}).fetchone()
        if found is None:
            raise NoSuchThing("schedule")
        return found

    def save(self, schedule: Schedule) -> Schedule:
        if not self._connection.execute(SAVE_SCHEDULE, _schedule(schedule)).rowcount:
            now = self.get(schedule.id, venue=schedule.venue)
            raise VersionMismatch(schedule.version, now.version)
        return evolve(schedule, version=schedule.version + 1)

    def list(
        self, *, venue: VenueId, activity: ActivityId | None, after: Newest | None, limit: int
    ) -> tuple[Schedule, ...]:
        at, key = after or (None, None)
        names = {"venue": venue, "activity": activity, "after_at": at, "after_id": key, "limit": limit}
        with self._connection.cursor(row_factory=as_object(Schedule)) as cursor:
            return tuple(cursor.execute(LIST_SCHEDULES, names))

    def take_due(self, *, at: datetime, horizon_days: int, limit: int) -> tuple[DueSchedule, ...]:
        names = {"at": at, "horizon_days": horizon_days, "limit": limit}
        with self._connection.cursor(row_factory=as_object(Schedule)) as cursor:
            due = cursor.execute(TAKE_DUE_SCHEDULES, names).fetchall()
        activities = activities_by_id(self._connection, list({one.activity for one in due}))
        venues = venues_by_id(self._connection, list({one.venue for one in due}))
        return tuple(DueSchedule(one, activities[one.activity], venues[one.venue]) for one in due)

    def generated(self, until: Sequence[tuple[ScheduleId, date]]) -> None:
        self._connection.execute(
            NOTE_GENERATED, {"ids": [id_ for id_, _ in until], "untils": [day for _, day in until]}
        )


class PostgresSessions:
    """The table ``activity_sessions``, as venues plan it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, sessions: Sequence[PlannedSession]) -> int:
        if not sessions:
            return 0
        columns = {name: [getattr(session, name) for session in sessions] for name in _ARRAYS}
        columns["time_of_day"] = list(map(str, columns["time_of_day"]))
        return self._connection.execute(ADD_SESSIONS, columns).rowcount

    def clear(self, schedule: ScheduleId, *, at: datetime) -> int:
        names = {"schedule": schedule, "at": at}
        deleted = self._connection.execute(DELETE_EMPTY_SESSIONS, names).rowcount
        return deleted + self._connection.execute(DETACH_EMPTIED_SESSIONS, names).rowcount

    def remaining(self, schedule: ScheduleId, *, first: date) -> tuple[tuple[KeptSession, bool], ...]:
        rows = self._connection.execute(REMAINING_SESSIONS, {"schedule": schedule, "first": first})
        return tuple(
            (
                KeptSession(
                    id=id_,
                    session_date=day,
                    start_time=start,
                    starts_at=starts_at,
                    booked_count=booked,
                    held_count=held,
                    waiting_count=waiting,
                ),
                status == "scheduled",
            )
            for id_, day, start, starts_at, booked, held, waiting, status in rows
        )

    def list(
        self,
        *,
        venue: VenueId,
        starts_from: datetime | None,
        starts_until: datetime | None,
        activity: ActivityId | None,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> tuple[VenueSessionView, ...]:
        after_at, after_id = after or (None, None)
        names = {
            "venue": venue,
            "starts_from": starts_from,
            "starts_until": starts_until,
            "activity": activity,
            "after_at": after_at,
            "after_id": after_id,
            "limit": limit,
        }
        with self._connection.cursor(row_factory=as_object(VenueSessionView)) as cursor:
            return tuple(cursor.execute(LIST_VENUE_SESSIONS, names))


def _schedule(schedule: Schedule) -> dict[str, Any]:
    return asdict(schedule, recurse=False) | {
        "days_of_week": sorted(schedule.days_of_week),
        "skipped_dates": sorted(schedule.skipped_dates),
    }
