"""Imported catalogues: whole batches in a few statements."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.types.json import Jsonb

from nexus.adapters.postgres.rows import as_object
from nexus.application.catalogue.import_ports import Entry, KnownProgramme, KnownVenue
from nexus.domain.catalogue.activities import Activity
from nexus.domain.catalogue.schedules import Schedule
from nexus.domain.catalogue.sessions import PlannedSession
from nexus.domain.catalogue.venues import Venue
from nexus.domain.kernel.ids import ActivityId

LOCK_SOURCE: Final[LiteralString] = """
    SELECT pg_advisory_xact_lock(hashtextextended('import:' || %(source)s, 0))
"""

KNOWN_VENUES: Final[LiteralString] = """
    SELECT id, external_ref, block_booking_advance_days, inventory_release_hours
      FROM venues
     WHERE external_ref = ANY (%(refs)s)
"""

KNOWN_PROGRAMMES: Final[LiteralString] = """
    SELECT a.id, a.external_ref, a.venue_id AS venue, p.fingerprint
      FROM imported_programmes p
      JOIN activities a ON a.id = p.activity_id
     WHERE p.external_ref = ANY (%(refs)s)
"""

# The counters are in the condition as well: a booking that commits while this
# waits for the session's lock is seen in them.
CLEAR_SESSIONS: Final[LiteralString] = """
    DELETE FROM activity_sessions s
     WHERE s.activity_id = ANY (%(activities)s)
       AND s.starts_at > %(at)s
       AND s.booked_count = 0 AND s.held_count = 0 AND s.waiting_count = 0
       AND (s.external_ref IS NOT NULL
            OR EXISTS (SELECT FROM activity_recurring_schedules r
                        WHERE r.id = s.recurring_schedule_id AND r.external_ref IS NOT NULL))
       AND NOT EXISTS (SELECT FROM bookings b WHERE b.session_id = s.id)
       AND NOT EXISTS (SELECT FROM waitlist w WHERE w.session_id = s.id)
"""

STOP_SCHEDULES: Final[LiteralString] = """
    UPDATE activity_recurring_schedules
       SET is_active = false, version = version + 1
     WHERE activity_id = ANY (%(activities)s) AND external_ref IS NOT NULL AND is_active
"""

RETIRE: Final[LiteralString] = """
    WITH gone AS (
        UPDATE activities
           SET is_active = false, external_ref = NULL, version = version + 1
         WHERE id = ANY (%(activities)s)
     RETURNING id
    ), schedules AS (
        UPDATE activity_recurring_schedules SET external_ref = NULL
         WHERE activity_id IN (SELECT id FROM gone)
    )
    UPDATE activity_sessions SET external_ref = NULL
     WHERE activity_id IN (SELECT id FROM gone)
"""

ADD_VENUES: Final[LiteralString] = """
    INSERT INTO venues (
        id, name, slug, status, timezone, address_line1, city, state, postal_code, country,
        latitude, longitude,
        insurance_coverage_minor, insurance_expiry_date, background_check_completed, safety_audit_completed,
        external_ref, approved_at, created_at)
    SELECT id, name, slug, status, timezone, address_line1, city, state, postal_code, country,
           latitude, longitude,
           insurance_coverage_minor, insurance_expiry_date, true, true, external_ref, %(at)s, %(at)s
      FROM jsonb_to_recordset(%(rows)s) AS r (
        id uuid, name text, slug text, status text, timezone text, address_line1 text, city text, state text,
        postal_code text, country text, latitude float8, longitude float8, insurance_coverage_minor bigint,
        insurance_expiry_date date, external_ref text)
    ON CONFLICT (external_ref) DO NOTHING
"""

PUT_ACTIVITIES: Final[LiteralString] = """
    INSERT INTO activities AS a (
        id, venue_id, name, slug, category, short_description, full_description, min_age, max_age,
        duration_minutes, credits_required, capacity_per_session, is_published, external_ref, created_at)
    SELECT id, venue_id, name, slug, category, short_description, full_description, min_age, max_age,
           duration_minutes, credits_required, capacity_per_session, true, external_ref, %(at)s
      FROM jsonb_to_recordset(%(rows)s) AS r (
        id uuid, venue_id uuid, name text, slug text, category text, short_description text,
        full_description text, min_age smallint, max_age smallint, duration_minutes integer,
        credits_required integer, capacity_per_session integer, external_ref text)
    ON CONFLICT (external_ref) DO UPDATE
       SET name = excluded.name,
           category = excluded.category,
           short_description = excluded.short_description,
           full_description = excluded.full_description,
           min_age = excluded.min_age,
           max_age = excluded.max_age,
           duration_minutes = excluded.duration_minutes,
           credits_required = excluded.credits_required,
           capacity_per_session = excluded.capacity_per_session,
           version = a.version + 1
"""

PUT_SCHEDULES: Final[LiteralString] = """
    INSERT INTO activity_recurring_schedules AS s (
        id, activity_id, venue_id, days_of_week, start_time, duration_minutes, capacity,
        effective_from, effective_until, external_ref, created_at)
    SELECT id, activity_id, venue_id, days_of_week, start_time, duration_minutes, capacity,
           effective_from, effective_until, external_ref, %(at)s
      FROM jsonb_to_recordset(%(rows)s) AS r (
        id uuid, activity_id uuid, venue_id uuid, days_of_week smallint[], start_time time,
        duration_minutes integer, capacity integer, effective_from date, effective_until date,
        external_ref text)
    ON CONFLICT (external_ref) DO UPDATE
       SET days_of_week = excluded.days_of_week,
           start_time = excluded.start_time,
           duration_minutes = excluded.duration_minutes,
           capacity = excluded.capacity,
           platform_allocated_spots = least(s.platform_allocated_spots, excluded.capacity),
           effective_from = excluded.effective_from,
           effective_until = excluded.effective_until,
           is_active = true,
           generated_until = NULL,
           version = s.version + 1
"""

ADD_SESSIONS: Final[LiteralString] = """
    INSERT INTO activity_sessions (
        id, activity_id, venue_id, session_date, start_time, end_time, timezone, time_of_day,
        starts_at, ends_at,
        credits_required, total_capacity, sellable, opens_at, releases_at, external_ref, created_at)
    SELECT id, activity_id, venue_id, session_date, start_time, end_time, timezone, time_of_day,
           starts_at, ends_at,
           credits_required, total_capacity, sellable, opens_at, releases_at, external_ref, %(at)s
      FROM jsonb_to_recordset(%(rows)s) AS r (
        id uuid, activity_id uuid, venue_id uuid, session_date date, start_time time, end_time time,
        timezone text, time_of_day text, starts_at timestamptz, ends_at timestamptz, credits_required integer,
        total_capacity integer, sellable integer, opens_at timestamptz, releases_at timestamptz,
        external_ref text)
    ON CONFLICT (external_ref) DO NOTHING
"""

REMEMBER_PROGRAMMES: Final[LiteralString] = """
    INSERT INTO imported_programmes (external_ref, activity_id, fingerprint, imported_at)
    SELECT r.external_ref, r.id, decode(r.fingerprint, 'hex'), %(at)s
      FROM jsonb_to_recordset(%(rows)s) AS r (id uuid, external_ref text, fingerprint text)
    ON CONFLICT (external_ref) DO UPDATE
       SET activity_id = excluded.activity_id,
           fingerprint = excluded.fingerprint,
           imported_at = excluded.imported_at
"""


class PostgresImports:
    """What came from files, found again by its id there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, source: str) -> None:
        self._connection.execute(LOCK_SOURCE, {"source": source})

    def venues(self, refs: Sequence[str]) -> tuple[KnownVenue, ...]:
        with self._connection.cursor(row_factory=as_object(KnownVenue)) as cursor:
            return tuple(cursor.execute(KNOWN_VENUES, {"refs": list(refs)}))

    def programmes(self, refs: Sequence[str]) -> tuple[KnownProgramme, ...]:
        with self._connection.cursor(row_factory=as_object(KnownProgramme)) as cursor:
            return tuple(cursor.execute(KNOWN_PROGRAMMES, {"refs": list(refs)}))

    def clear(self, activities: Sequence[ActivityId], *, at: datetime) -> None:
        if activities:
            self._connection.execute(CLEAR_SESSIONS, {"activities": list(activities), "at": at})
            self._connection.execute(STOP_SCHEDULES, {"activities": list(activities)})

    def retire(self, activities: Sequence[ActivityId]) -> None:
        if activities:
            self._connection.execute(RETIRE, {"activities": list(activities)})

    def put(self, venues: Sequence[Venue], entries: Sequence[Entry], *, at: datetime) -> None:
        self._insert(ADD_VENUES, [_venue(v) for v in venues], at)
        self._insert(PUT_ACTIVITIES, [_activity(e.activity) for e in entries], at)
        self._insert(PUT_SCHEDULES, [_schedule(e.schedule) for e in entries if e.schedule], at)
        self._insert(ADD_SESSIONS, [_session(e.session) for e in entries if e.session], at)
        self._insert(REMEMBER_PROGRAMMES, [_memory(e) for e in entries], at)

    def _insert(self, statement: LiteralString, rows: list[dict[str, Any]], at: datetime) -> None:
        if rows:
            self._connection.execute(statement, {"rows": Jsonb(rows), "at": at})


def _venue(venue: Venue) -> dict[str, Any]:
    insurance = venue.insurance
    return {
        "id": str(venue.id),
        "name": venue.name,
        "slug": venue.slug,
        "status": venue.status,
        "timezone": venue.time_zone,
        "address_line1": venue.place.address_line1,
        "city": venue.place.city,
        "state": venue.place.state,
        "postal_code": venue.place.postal_code,
        "country": venue.place.country,
        "latitude": venue.place.latitude,
        "longitude": venue.place.longitude,
        "insurance_coverage_minor": insurance and insurance.coverage_minor,
        "insurance_expiry_date": insurance and insurance.expires_on.isoformat(),
        "external_ref": venue.external_ref,
    }


def _activity(activity: Activity) -> dict[str, Any]:
    return {
        "id": str(activity.id),
        "venue_id": str(activity.venue),
        "name": activity.name,
        "slug": activity.slug,
        "category": activity.category,
        "short_description": activity.short_description,
        "full_description": activity.full_description,
        "min_age": activity.min_age,
        "max_age": activity.max_age,
        "duration_minutes": activity.duration_minutes,
        "credits_required": activity.credits_required,
        "capacity_per_session": activity.capacity_per_session,
        "external_ref": activity.external_ref,
    }


def _schedule(schedule: Schedule) -> dict[str, Any]:
    return {
        "id": str(schedule.id),
        "activity_id": str(schedule.activity),
        "venue_id": str(schedule.venue),
        "days_of_week": sorted(schedule.days_of_week),
        "start_time": schedule.start_time.isoformat(),
        "duration_minutes": schedule.duration_minutes,
        "capacity": schedule.capacity,
        "effective_from": schedule.effective_from.isoformat(),
        "effective_until": schedule.effective_until and schedule.effective_until.isoformat(),
        "external_ref": schedule.external_ref,
    }


def _session(session: PlannedSession) -> dict[str, Any]:
    return {
        "id": str(session.id),
        "activity_id": str(session.activity),
        "venue_id": str(session.venue),
        "session_date": session.session_date.isoformat(),
        "start_time": session.start_time.isoformat(),
        "end_time": session.end_time.isoformat(),
        "timezone": session.time_zone,
        "time_of_day": session.time_of_day,
        "starts_at": session.starts_at.isoformat(),
        "ends_at": session.ends_at.isoformat(),
        "credits_required": session.credits_required,
        "total_capacity": session.total_capacity,
        "sellable": session.sellable,
        "opens_at": session.opens_at and session.opens_at.isoformat(),
        "releases_at": session.releases_at and session.releases_at.isoformat(),
        "external_ref": session.external_ref,
    }


def _memory(entry: Entry) -> dict[str, Any]:
    activity = entry.activity
    return {
        "id": str(activity.id),
        "external_ref": activity.external_ref,
        "fingerprint": entry.fingerprint.hex(),
    }
