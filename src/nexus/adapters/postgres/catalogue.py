"""Venues and what they offer."""

from collections.abc import Sequence
from typing import Any, Final, LiteralString

from attrs import asdict, evolve
from psycopg import Connection

from nexus.adapters.postgres.nesting import as_nested
from nexus.application.catalogue.ports import Newest
from nexus.domain.catalogue.activities import Activity
from nexus.domain.catalogue.venues import Venue, VenueStatus
from nexus.domain.kernel.errors import NoSuchThing, VersionMismatch
from nexus.domain.kernel.ids import ActivityId, VenueId

_VENUES: Final[LiteralString] = """
    SELECT id, name, slug, short_description, full_description, timezone AS time_zone,
           address_line1 AS "place.address_line1", city AS "place.city", state AS "place.state",
           postal_code AS "place.postal_code", country AS "place.country",
           latitude AS "place.latitude", longitude AS "place.longitude",
           contact_email, contact_phone, status, status_reason,
           insurance_coverage_minor AS "insurance.coverage_minor",
           insurance_expiry_date AS "insurance.expires_on",
           background_check_completed, safety_audit_completed, accessibility_features, closed_dates,
           is_premium, requires_confirmation, confirmation_hours, block_booking_advance_days,
           inventory_release_hours, platform_fee_basis_points, external_ref, approved_at, created_at, version
      FROM venues
"""

GET_VENUE: Final[LiteralString] = _VENUES + "WHERE id = %(id)s"

LOCK_VENUE: Final[LiteralString] = GET_VENUE + " FOR UPDATE"

VENUES_BY_ID: Final[LiteralString] = _VENUES + "WHERE id = ANY (%(ids)s)"

LIST_VENUES: Final[LiteralString] = (
    _VENUES
    + """
     WHERE (%(status)s::text IS NULL OR status = %(status)s)
       AND (%(after_at)s::timestamptz IS NULL OR (created_at, id) < (%(after_at)s, %(after_id)s::uuid))
     ORDER BY created_at DESC, id DESC
     LIMIT %(limit)s
"""
)

ADD_VENUE: Final[LiteralString] = """
    INSERT INTO venues (
        id, name, slug, short_description, full_description, status, status_reason, timezone,
        address_line1, city, state, postal_code, country, latitude, longitude,
        contact_email, contact_phone, insurance_coverage_minor, insurance_expiry_date,
        background_check_completed, safety_audit_completed, accessibility_features, closed_dates,
        is_premium, requires_confirmation, confirmation_hours, block_booking_advance_days,
        inventory_release_hours, platform_fee_basis_points, external_ref, approved_at, created_at, version)
    VALUES (
        %(id)s, %(name)s, %(slug)s, %(short_description)s, %(full_description)s, %(status)s,
        %(status_reason)s, %(time_zone)s,
        %(address_line1)s, %(city)s, %(state)s, %(postal_code)s, %(country)s, %(latitude)s, %(longitude)s,
        %(contact_email)s, %(contact_phone)s, %(coverage_minor)s, %(expires_on)s,
        %(background_check_completed)s, %(safety_audit_completed)s, %(accessibility_features)s,
        %(closed_dates)s::date[],
        %(is_premium)s, %(requires_confirmation)s, %(confirmation_hours)s, %(block_booking_advance_days)s,
        %(inventory_release_hours)s, %(platform_fee_basis_points)s, %(external_ref)s, %(approved_at)s,
        %(created_at)s, %(version)s)
"""

SAVE_VENUE: Final[LiteralString] = """
    UPDATE venues
       SET name = %(name)s, short_description = %(short_description)s,
           full_description = %(full_description)s, status = %(status)s, status_reason = %(status_reason)s,
           timezone = %(time_zone)s, address_line1 = %(address_line1)s, city = %(city)s, state = %(state)s,
           postal_code = %(postal_code)s, country = %(country)s, latitude = %(latitude)s,
           longitude = %(longitude)s, contact_email = %(contact_email)s, contact_phone = %(contact_phone)s,
           insurance_coverage_minor = %(coverage_minor)s, insurance_expiry_date = %(expires_on)s,
           background_check_completed = %(background_check_completed)s,
           safety_audit_completed = %(safety_audit_completed)s,
           accessibility_features = %(accessibility_features)s, closed_dates = %(closed_dates)s::date[],
           is_premium = %(is_premium)s, requires_confirmation = %(requires_confirmation)s,
           confirmation_hours = %(confirmation_hours)s,
           block_booking_advance_days = %(block_booking_advance_days)s,
           inventory_release_hours = %(inventory_release_hours)s,
           platform_fee_basis_points = %(platform_fee_basis_points)s, approved_at = %(approved_at)s,
           version = version + 1
     WHERE id = %(id)s AND version = %(version)s
"""

_ACTIVITIES: Final[LiteralString] = """
    SELECT id, venue_id AS venue, name, slug, category, short_description, full_description, min_age, max_age,
           duration_minutes, credits_required, capacity_per_session, tags, accessibility_features,
           what_to_bring, skill_level, is_active, is_published, average_rating, total_reviews,
           external_ref, created_at, version
      FROM activities
"""

GET_ACTIVITY: Final[LiteralString] = _ACTIVITIES + "WHERE id = %(id)s AND venue_id = %(venue)s"

LOCK_ACTIVITY: Final[LiteralString] = GET_ACTIVITY + " FOR UPDATE"

ACTIVITIES_BY_ID: Final[LiteralString] = _ACTIVITIES + "WHERE id = ANY (%(ids)s)"

LIST_ACTIVITIES: Final[LiteralString] = (
    _ACTIVITIES
    + """
     WHERE venue_id = %(venue)s
       AND (%(after_at)s::timestamptz IS NULL OR (created_at, id) < (%(after_at)s, %(after_id)s::uuid))
     ORDER BY created_at DESC, id DESC
     LIMIT %(limit)s
"""
)

ADD_ACTIVITY: Final[LiteralString] = """
    INSERT INTO activities (
        id, venue_id, name, slug, category, short_description, full_description, min_age, max_age,
        duration_minutes, credits_required, capacity_per_session, tags, accessibility_features,
        what_to_bring, skill_level, is_active, is_published, external_ref, created_at, version)
    VALUES (
        %(id)s, %(venue)s, %(name)s, %(slug)s, %(category)s, %(short_description)s, %(full_description)s,
        %(min_age)s, %(max_age)s, %(duration_minutes)s, %(credits_required)s, %(capacity_per_session)s,
        %(tags)s, %(accessibility_features)s, %(what_to_bring)s, %(skill_level)s, %(is_active)s,
        %(is_published)s, %(external_ref)s, %(created_at)s, %(version)s)
"""

SAVE_ACTIVITY: Final[LiteralString] = """
    UPDATE activities
       SET name = %(name)s, category = %(category)s, short_description = %(short_description)s,
           full_description = %(full_description)s, min_age = %(min_age)s, max_age = %(max_age)s,
           duration_minutes = %(duration_minutes)s, credits_required = %(credits_required)s,
           capacity_per_session = %(capacity_per_session)s, tags = %(tags)s,
           accessibility_features = %(accessibility_features)s, what_to_bring = %(what_to_bring)s,
           skill_level = %(skill_level)s, is_active = %(is_active)s, is_published = %(is_published)s,
           version = version + 1
     WHERE id = %(id)s AND version = %(version)s
"""


def _newest(after: Newest | None) -> dict[str, Any]:
    at, key = after or (None, None)
    return {"after_at": at, "after_id": key}


class PostgresVenues:
    """The table ``venues``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, venue: Venue) -> None:
        self._connection.execute(ADD_VENUE, _venue(venue))

    def get(self, venue_id: VenueId, *, lock: bool = False) -> Venue:
        with self._connection.cursor(row_factory=as_nested(Venue)) as cursor:
            found = cursor.execute(LOCK_VENUE if lock else GET_VENUE, {"id": venue_id}).fetchone()
        if found is None:
            raise NoSuchThing("venue")
        return found

    def save(self, venue: Venue) -> Venue:
        if not self._connection.execute(SAVE_VENUE, _venue(venue)).rowcount:
            raise VersionMismatch(venue.version, self.get(venue.id).version)
        return evolve(venue, version=venue.version + 1)

    def list(self, *, status: VenueStatus | None, after: Newest | None, limit: int) -> tuple[Venue, ...]:
        with self._connection.cursor(row_factory=as_nested(Venue)) as cursor:
            return tuple(
                cursor.execute(
                    LIST_VENUES, {"status": status and str(status), "limit": limit} | _newest(after)
                )
            )


class PostgresActivities:
    """The table ``activities``, as venues see it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, activity: Activity) -> None:
        self._connection.execute(ADD_ACTIVITY, _activity(activity))

    def get(self, activity_id: ActivityId, *, venue: VenueId, lock: bool = False) -> Activity:
        with self._connection.cursor(row_factory=as_nested(Activity)) as cursor:
            found = cursor.execute(
                LOCK_ACTIVITY if lock else GET_ACTIVITY, {"id": activity_id, "venue": venue}
            ).fetchone()
        if found is None:
            raise NoSuchThing("activity")
        return found

    def save(self, activity: Activity) -> Activity:
        if not self._connection.execute(SAVE_ACTIVITY, _activity(activity)).rowcount:
            now = self.get(activity.id, venue=activity.venue)
            raise VersionMismatch(activity.version, now.version)
        return evolve(activity, version=activity.version + 1)

    def list(self, *, venue: VenueId, after: Newest | None, limit: int) -> tuple[Activity, ...]:
        with self._connection.cursor(row_factory=as_nested(Activity)) as cursor:
            return tuple(cursor.execute(LIST_ACTIVITIES, {"venue": venue, "limit": limit} | _newest(after)))


def venues_by_id(connection: Connection, ids: Sequence[VenueId]) -> dict[VenueId, Venue]:
    """Several venues at once."""
    with connection.cursor(row_factory=as_nested(Venue)) as cursor:
        return {venue.id: venue for venue in cursor.execute(VENUES_BY_ID, {"ids": list(ids)})}


def activities_by_id(connection: Connection, ids: Sequence[ActivityId]) -> dict[ActivityId, Activity]:
    """Several activities at once, of whichever venue."""
    with connection.cursor(row_factory=as_nested(Activity)) as cursor:
        return {activity.id: activity for activity in cursor.execute(ACTIVITIES_BY_ID, {"ids": list(ids)})}


def _venue(venue: Venue) -> dict[str, Any]:
    values = asdict(venue, recurse=False)
    insurance = venue.insurance
    return (
        values
        | asdict(values.pop("place"))
        | {
            "status": str(venue.status),
            "coverage_minor": insurance and insurance.coverage_minor,
            "expires_on": insurance and insurance.expires_on,
            "insurance": None,
            "accessibility_features": sorted(venue.accessibility_features),
            "closed_dates": sorted(venue.closed_dates),
        }
    )


def _activity(activity: Activity) -> dict[str, Any]:
    return asdict(activity, recurse=False) | {
        "category": str(activity.category),
        "skill_level": str(activity.skill_level),
        "tags": sorted(map(str, activity.tags)),
        "accessibility_features": sorted(activity.accessibility_features),
        "what_to_bring": list(activity.what_to_bring),
    }
