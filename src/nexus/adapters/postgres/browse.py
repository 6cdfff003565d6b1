"""What families may see of activities and sessions."""

from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from nexus.adapters.postgres.cards import as_card
from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.nesting import as_nested
from nexus.adapters.postgres.search_terms import conditions, first_page, moment
from nexus.adapters.postgres.searching import FREE_SEATS, LOOK_UP, VENUE, walk
from nexus.application.catalogue.search import After, ChildInBrowse, Search, Sort
from nexus.application.catalogue.views import ActivityCard, ActivityDetail, SessionView
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import ActivityId, ChildId, SessionId, UserId

CHILD_IN_BROWSE: Final[LiteralString] = """
    SELECT date_of_birth, activities_to_avoid, status = 'active'
      FROM children
     WHERE id = %(child)s AND parent_id = %(parent)s
"""

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
    + VENUE
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
    + FREE_SEATS
    + """ END AS free_seats, """
    + VENUE
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


class PostgresBrowsing:
    """What families may see of activities and sessions."""

    def __init__(self, connection: WalledConnection) -> None:
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
        names = conditions(search, child, at=at) | moment(at, last_offer_minutes) | {"limit": limit}
        names["after_key"], names["after_id"] = after or first_page(search.sort)
        along = walk(search)
        if along is not None:
            ties = search.sort is not Sort.SOONEST  # the calendar's index leaves none
            with (
                self._connection.walking(sort_ties=ties),
                self._connection.cursor(row_factory=as_card) as cursor,
            ):
                cards = cursor.execute(along, names, prepare=True).fetchall()
            if len(cards) == limit:
                return tuple(cards)
        with self._connection.cursor(row_factory=as_card) as cursor:
            return tuple(cursor.execute(LOOK_UP[search.sort], names, prepare=False))

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
        key, id_ = after or (None, None)
        names = {"activity": activity, "after_key": key, "after_id": id_, "limit": limit}
        names |= moment(at, last_offer_minutes)
        with self._connection.cursor(row_factory=as_nested(SessionView)) as cursor:
            return tuple(cursor.execute(SESSIONS_OF_ACTIVITY, names))

    def session(self, session: SessionId, *, at: datetime, last_offer_minutes: int) -> SessionView:
        names = {"session": session} | moment(at, last_offer_minutes)
        with self._connection.cursor(row_factory=as_nested(SessionView)) as cursor:
            found = cursor.execute(SHOW_SESSION, names).fetchone()
        if found is None:
            raise NoSuchThing("session")
        return found
