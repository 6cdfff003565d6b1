"""
Finding activities.

The statements are put together from constants only: who is a candidate, which
of its sessions fit, and in which order they are wanted. They are planned anew for
every search (``prepare=False``), because a plan that suits one suits no other.
"""

from datetime import datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

from attrs import evolve
from psycopg import Connection

from nexus.adapters.postgres.nesting import as_nested
from nexus.adapters.postgres.search_terms import bound, conditions
from nexus.application.catalogue.search import After, ChildInBrowse, Search, Sort
from nexus.application.catalogue.views import ActivityCard, ActivityDetail, SessionView
from nexus.domain.catalogue.places import DRIVE
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import ActivityId, ChildId, SessionId, UserId

CHILD_IN_BROWSE: Final[LiteralString] = """
    SELECT date_of_birth, activities_to_avoid, status = 'active'
      FROM children
     WHERE id = %(child)s AND parent_id = %(parent)s
"""

_VENUE: Final[LiteralString] = """
    v.id AS "venue.id", v.name AS "venue.name", v.is_premium AS "venue.is_premium",
    v.requires_confirmation AS "venue.requires_confirmation",
    v.address_line1 AS "venue.place.address_line1", v.city AS "venue.place.city",
    v.state AS "venue.place.state", v.postal_code AS "venue.place.postal_code",
    v.country AS "venue.place.country", v.latitude AS "venue.place.latitude",
    v.longitude AS "venue.place.longitude"
"""

# Seats of session s that anybody may book at this moment; the insurance is checked where it is known.
_FREE_SEATS: Final[LiteralString] = """
    CASE WHEN s.status = 'scheduled'
          AND s.starts_at > %(at)s
          AND (s.opens_at IS NULL OR s.opens_at <= %(at)s)
          AND (s.releases_at IS NULL OR s.released_at IS NOT NULL OR s.releases_at > %(at)s)
          AND (s.waiting_count = 0 OR s.starts_at < %(last_offer)s)
         THEN s.sellable - s.booked_count - s.held_count
         ELSE 0 END
"""

_CANDIDATE: Final[LiteralString] = """
        a.is_active AND a.is_published
    AND v.status = 'active'
    AND v.insurance_expiry_date >= (%(at)s AT TIME ZONE v.timezone)::date
    AND (%(categories)s::text[] IS NULL OR a.category = ANY (%(categories)s))
    AND (%(age)s::integer IS NULL OR %(age)s BETWEEN a.min_age AND a.max_age)
    AND (%(avoid)s::text[] IS NULL OR NOT (a.tags && %(avoid)s OR a.category = ANY (%(avoid)s)))
    AND a.tags @> %(wanted)s::text[]
    AND NOT a.tags && %(unwanted)s::text[]
    AND (%(reach_km)s::float8 IS NULL
         OR distance_km(%(latitude)s::float8, %(longitude)s::float8, v.latitude, v.longitude) <= %(reach_km)s)
    AND (%(q)s::text IS NULL
         OR a.search @@ websearch_to_tsquery('english', %(q)s)
         OR a.name ILIKE %(part)s)
"""

# "+ 0" keeps the dates out of any index: the instants bound them closely already, and the
# index that has a date in it begins with the schedule.
_FITS: Final[LiteralString] = (
    """
        s.status = 'scheduled'
    AND s.starts_at > %(at)s
    AND s.starts_at >= %(earliest)s
    AND s.starts_at < %(latest)s
    AND (%(first_day)s::date IS NULL OR s.session_date + 0 >= %(first_day)s)
    AND (%(last_day)s::date IS NULL OR s.session_date + 0 <= %(last_day)s)
    AND (%(time_of_day)s::text IS NULL OR s.time_of_day = %(time_of_day)s)
    AND (%(max_credits)s::integer IS NULL OR s.credits_required <= %(max_credits)s)
    AND s.session_date + 0 <= v.insurance_expiry_date
    AND (%(born)s::date IS NULL
         OR date_part('year', age(s.session_date, %(born)s)) BETWEEN a.min_age AND a.max_age)
    AND (NOT %(available)s::boolean OR
"""
    + _FREE_SEATS
    + " > 0)"
)

_CARD: Final[LiteralString] = (
    """
    SELECT a.id, a.name, a.category, a.short_description, a.min_age, a.max_age, a.duration_minutes, a.tags,
           a.average_rating::float8, a.total_reviews,
           CASE WHEN %(latitude)s::float8 IS NOT NULL THEN
               distance_km(%(latitude)s::float8, %(longitude)s::float8, v.latitude, v.longitude)
           END AS distance_km,
           s.id AS "next_session.id", s.session_date AS "next_session.session_date",
           s.start_time AS "next_session.start_time", s.end_time AS "next_session.end_time",
           s.timezone AS "next_session.time_zone", s.starts_at AS "next_session.starts_at",
           s.ends_at AS "next_session.ends_at", s.credits_required AS "next_session.credits_required",
    """
    + _FREE_SEATS
    + """ AS "next_session.free_seats", """
    + _VENUE
)

# From one activity to its first session that fits.
_ACTIVITIES_FIRST: Final[LiteralString] = (
    """
      FROM activities a
      JOIN venues v ON v.id = a.venue_id
     CROSS JOIN LATERAL (
        SELECT *
          FROM activity_sessions s
         WHERE s.activity_id = a.id AND """
    + _FITS
    + """
         ORDER BY s.starts_at, s.id
         LIMIT 1) s
     WHERE """
    + _CANDIDATE
)

# Along the calendar: a session counts unless an earlier one of its activity fits as well.
BROWSE_CALENDAR: Final[LiteralString] = (
    _CARD
    + """, s.starts_at AS sort_key
      FROM activity_sessions s
      JOIN activities a ON a.id = s.activity_id
      JOIN venues v ON v.id = a.venue_id
     WHERE """
    + _CANDIDATE
    + " AND "
    + _FITS
    + """
       AND s.starts_at >= coalesce(%(after_key)s::timestamptz, '-infinity')
       AND (%(after_key)s::timestamptz IS NULL OR (s.starts_at, a.id) > (%(after_key)s, %(after_id)s::uuid))
       AND NOT EXISTS (
            SELECT FROM activity_sessions e
             WHERE e.activity_id = s.activity_id AND (e.starts_at, e.id) < (s.starts_at, s.id) AND """
    + _FITS.replace("s.", "e.")
    + """)
     ORDER BY s.starts_at, a.id
     LIMIT %(limit)s
"""
)

BROWSE_SOONEST: Final[LiteralString] = (
    _CARD
    + ", s.starts_at AS sort_key"
    + _ACTIVITIES_FIRST
    + """
       AND (%(after_key)s::timestamptz IS NULL OR (s.starts_at, a.id) > (%(after_key)s, %(after_id)s::uuid))
     ORDER BY s.starts_at, a.id
     LIMIT %(limit)s
"""
)

BROWSE_NEAREST: Final[LiteralString] = (
    _CARD
    + ", distance_km(%(latitude)s::float8, %(longitude)s::float8, v.latitude, v.longitude) AS sort_key"
    + _ACTIVITIES_FIRST
    + """
       AND (%(after_key)s::float8 IS NULL
            OR (distance_km(%(latitude)s::float8, %(longitude)s::float8, v.latitude, v.longitude), a.id)
             > (%(after_key)s, %(after_id)s::uuid))
     ORDER BY sort_key, a.id
     LIMIT %(limit)s
"""
)

BROWSE_CHEAPEST: Final[LiteralString] = (
    _CARD
    + ", s.credits_required AS sort_key"
    + _ACTIVITIES_FIRST
    + """
       AND (%(after_key)s::bigint IS NULL
            OR (s.credits_required, a.id) > (%(after_key)s, %(after_id)s::uuid))
     ORDER BY s.credits_required, a.id
     LIMIT %(limit)s
"""
)

BROWSE_BEST_RATED: Final[LiteralString] = (
    _CARD
    + ", (-a.average_rating)::float8 AS sort_key"
    + _ACTIVITIES_FIRST
    + """
       AND (%(after_key)s::float8 IS NULL
            OR (-a.average_rating, a.id) > (%(after_key)s::numeric, %(after_id)s::uuid))
     ORDER BY -a.average_rating, a.id
     LIMIT %(limit)s
"""
)

BROWSE_BY_NAME: Final[LiteralString] = (
    _CARD
    + """, lower(a.name) COLLATE "C" AS sort_key"""
    + _ACTIVITIES_FIRST
    + """
       AND (%(after_key)s::text IS NULL
            OR (lower(a.name) COLLATE "C", a.id) > (%(after_key)s, %(after_id)s::uuid))
     ORDER BY lower(a.name) COLLATE "C", a.id
     LIMIT %(limit)s
"""
)

_VISIBLE: Final[LiteralString] = """
        a.is_active AND a.is_published
    AND v.status = 'active'
    AND v.insurance_expiry_date >= (%(at)s::timestamptz AT TIME ZONE v.timezone)::date
"""

SHOW_ACTIVITY: Final[LiteralString] = (
    """
    SELECT a.id AS "activity.id", a.venue_id AS "activity.venue", a.name AS "activity.name",
           a.slug AS "activity.slug", a.category AS "activity.category",
           a.short_description AS "activity.short_description",
           a.full_description AS "activity.full_description", a.min_age AS "activity.min_age",
           a.max_age AS "activity.max_age", a.duration_minutes AS "activity.duration_minutes",
           a.credits_required AS "activity.credits_required",
           a.capacity_per_session AS "activity.capacity_per_session", a.tags AS "activity.tags",
           a.accessibility_features AS "activity.accessibility_features",
           a.what_to_bring AS "activity.what_to_bring", a.skill_level AS "activity.skill_level",
           a.is_active AS "activity.is_active", a.is_published AS "activity.is_published",
           a.average_rating AS "activity.average_rating", a.total_reviews AS "activity.total_reviews",
           a.created_at AS "activity.created_at", a.version AS "activity.version",
    """
    + _VENUE
    + """
      FROM activities a
      JOIN venues v ON v.id = a.venue_id
     WHERE a.id = %(activity)s AND """
    + _VISIBLE
)

_SESSIONS: Final[LiteralString] = (
    """
    SELECT s.id, s.activity_id, a.name AS activity_name, a.category, a.min_age, a.max_age, s.session_date,
           s.start_time, s.end_time, s.timezone AS time_zone, s.time_of_day, s.starts_at, s.ends_at,
           s.credits_required, s.status, s.status_reason, s.waiting_count, s.opens_at, s.releases_at,
           s.released_at, s.instructor_name, s.location,
           CASE WHEN s.session_date > v.insurance_expiry_date THEN 0 ELSE """
    + _FREE_SEATS
    + """ END AS free_seats, """
    + _VENUE
    + """
      FROM activity_sessions s
      JOIN activities a ON a.id = s.activity_id
      JOIN venues v ON v.id = a.venue_id
     WHERE """
    + _VISIBLE
)

SESSIONS_OF_ACTIVITY: Final[LiteralString] = (
    _SESSIONS
    + """
       AND s.activity_id = %(activity)s
       AND s.status = 'scheduled'
       AND s.starts_at > %(at)s
       AND (%(after_key)s::timestamptz IS NULL OR (s.starts_at, s.id) > (%(after_key)s, %(after_id)s::uuid))
     ORDER BY s.starts_at, s.id
     LIMIT %(limit)s
"""
)

SHOW_SESSION: Final[LiteralString] = _SESSIONS + " AND s.id = %(session)s"

_BY_SORT: Final[dict[Sort, LiteralString]] = {
    Sort.SOONEST: BROWSE_SOONEST,
    Sort.NEAREST: BROWSE_NEAREST,
    Sort.CHEAPEST: BROWSE_CHEAPEST,
    Sort.RATING: BROWSE_BEST_RATED,
    Sort.NAME: BROWSE_BY_NAME,
}

_SOON: Final = timedelta(days=2)


class PostgresBrowsing:
    """What families may see of activities and sessions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def child(self, child: ChildId, *, parent: UserId) -> ChildInBrowse:
        found = self._connection.execute(CHILD_IN_BROWSE, {"child": child, "parent": parent}).fetchone()
        if found is None:
            raise NoSuchThing("child")
        return ChildInBrowse(date_of_birth=found[0], activities_to_avoid=found[1], is_active=found[2])

    def browse(
        self,
        search: Search,
        *,
        child: ChildInBrowse | None,
        at: datetime,
        last_offer_minutes: int,
        after: After | None,
        limit: int,
    ) -> tuple[ActivityCard, ...]:
        calendar = search.sort is Sort.SOONEST and _is_met_soon(search, after, at)
        names = conditions(search, child) | _page(after, limit) | _moment(at, last_offer_minutes)
        with self._connection.cursor(row_factory=as_nested(ActivityCard)) as cursor:
            cards = cursor.execute(
                BROWSE_CALENDAR if calendar else _BY_SORT[search.sort], names, prepare=False
            ).fetchall()
        return tuple(
            card if card.distance_km is None else evolve(card, drive_minutes=DRIVE.minutes(card.distance_km))
            for card in cards
        )

    def activity(self, activity: ActivityId, *, at: datetime) -> ActivityDetail:
        with self._connection.cursor(row_factory=as_nested(ActivityDetail)) as cursor:
            found = cursor.execute(SHOW_ACTIVITY, {"activity": activity, "at": at}).fetchone()
        if found is None:
            raise NoSuchThing("activity")
        return found

    def sessions(
        self,
        activity: ActivityId,
        *,
        at: datetime,
        last_offer_minutes: int,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> tuple[SessionView, ...]:
        names = {"activity": activity} | _page(after, limit) | _moment(at, last_offer_minutes)
        with self._connection.cursor(row_factory=as_nested(SessionView)) as cursor:
            return tuple(cursor.execute(SESSIONS_OF_ACTIVITY, names))

    def session(self, session: SessionId, *, at: datetime, last_offer_minutes: int) -> SessionView:
        names = {"session": session} | _moment(at, last_offer_minutes)
        with self._connection.cursor(row_factory=as_nested(SessionView)) as cursor:
            found = cursor.execute(SHOW_SESSION, names).fetchone()
        if found is None:
            raise NoSuchThing("session")
        return found


def _is_met_soon(search: Search, after: After | None, at: datetime) -> bool:
    """
    Whether walking along the calendar meets the page's activities after a few steps.

    Few candidates are better looked up one by one, and so is a late page: by then
    most sessions belong to activities that were on an earlier one.
    """
    begin = max(at, bound(search.starts_from, at, timedelta(0))[0])
    return search.q is None and search.within_minutes is None and (after is None or after[0] - begin < _SOON)


def _moment(at: datetime, last_offer_minutes: int) -> dict[str, Any]:
    """A session that starts before ``last_offer`` makes no more offers."""
    return {"at": at, "last_offer": at + timedelta(minutes=last_offer_minutes)}


def _page(after: tuple[Any, UUID] | None, limit: int) -> dict[str, Any]:
    key, id_ = after or (None, None)
    return {"after_key": key, "after_id": id_, "limit": limit}
