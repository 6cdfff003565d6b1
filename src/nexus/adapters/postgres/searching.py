"""
The statements that find a page of activities, put together from constants only.

Each order is searched in two ways. A walk goes along an index in the order that is
asked for, for so many rows at most, judges each, and stops when the page is full: what
it takes does not depend on how much there is, but on how rare it is what is looked for. Where
it did not fill the page, everything that may be listed is looked up by what is asked of
it, and its sessions are looked at afterwards.

A walk has one plan for all values (`WalledConnection.walking`); looking up is planned
for the values at hand.
"""

from typing import Final, LiteralString

from nexus.application.catalogue.search import Search, Sort

VENUE: Final[LiteralString] = """
    v.id AS "venue.id", v.name AS "venue.name", v.is_premium AS "venue.is_premium",
    v.requires_confirmation AS "venue.requires_confirmation",
    v.address_line1 AS "venue.place.address_line1", v.city AS "venue.place.city",
    v.state AS "venue.place.state", v.postal_code AS "venue.place.postal_code",
    v.country AS "venue.place.country", v.latitude AS "venue.place.latitude",
    v.longitude AS "venue.place.longitude"
"""

# Seats of session s that anybody may book at this moment; the insurance is checked where it is known.
FREE_SEATS: Final[LiteralString] = """
    CASE WHEN s.status = 'scheduled'
          AND s.starts_at > %(at)s
          AND (s.opens_at IS NULL OR s.opens_at <= %(at)s)
          AND (s.releases_at IS NULL OR s.released_at IS NOT NULL OR s.releases_at > %(at)s)
          AND (NOT s.has_line OR s.starts_at < %(last_offer)s)
         THEN s.sellable - s.booked_count - s.held_count
         ELSE 0 END
"""

# What is asked of an activity and its venue, at one of its prices. That a session comes at all
# is decided by the sessions; last_start only leaves out what has none.
_SUITS: Final[LiteralString] = """
        l.last_start > %(at)s AND l.last_start >= %(earliest)s
    AND (l.insured_until >= %(surely)s::date
         OR l.insured_until >= (%(at)s::timestamptz AT TIME ZONE l.timezone)::date)
    AND (%(categories)s::text[] IS NULL OR l.category = ANY (%(categories)s))
    AND (%(age)s::integer IS NULL OR %(age)s BETWEEN l.min_age AND l.max_age)
    AND (%(avoid)s::text[] IS NULL OR NOT (l.tags && %(avoid)s OR l.category = ANY (%(avoid)s)))
    AND l.tags @> %(wanted)s::text[]
    AND NOT l.tags && %(unwanted)s::text[]
    AND l.credits_required <= %(max_credits)s
    AND (%(reach_km)s::float8 IS NULL
         OR distance_km(%(latitude)s::float8, %(longitude)s::float8, l.latitude, l.longitude) <= %(reach_km)s)
"""

# What is asked of a session by itself.
_COMES: Final[LiteralString] = """
        s.status = 'scheduled'
    AND s.starts_at > %(at)s
    AND s.starts_at >= %(earliest)s
    AND s.starts_at < %(latest)s
    AND s.credits_required <= %(max_credits)s
"""
_AT_ITS_TIME: Final[LiteralString] = "s.time_of_day = ANY (%(times_of_day)s::text[])"
# "+ 0" keeps the dates out of any index: the instants bound them closely already, and the
# index that has a date in it begins with the schedule.
_ON_THE_DAYS: Final[LiteralString] = """
        (%(first_day)s::date IS NULL OR s.session_date + 0 >= %(first_day)s)
    AND (%(last_day)s::date IS NULL OR s.session_date + 0 <= %(last_day)s)
"""
_HAS_A_PLACE: Final[LiteralString] = "s.has_seats AND " + FREE_SEATS + " > 0"

# What is asked of it together with the activity and its venue.
_FITS: Final[LiteralString] = """
        s.session_date + 0 <= l.insured_until
    AND (%(born)s::date IS NULL
         OR date_part('year', age(s.session_date, %(born)s)) BETWEEN l.min_age AND l.max_age)
"""

_ANY_SESSION: Final[LiteralString] = (
    _COMES
    + " AND "
    + _AT_ITS_TIME
    + " AND "
    + _ON_THE_DAYS
    + " AND (NOT %(available)s::boolean OR "
    + _HAS_A_PLACE
    + ") AND "
    + _FITS
)

# An activity's first session that fits; of all its prices, the listing at that session's stays.
_FIRST_SESSION: Final[LiteralString] = (
    """
     CROSS JOIN LATERAL (
        SELECT s.*
          FROM activity_sessions s
         WHERE s.activity_id = l.activity_id AND """
    + _ANY_SESSION
    + """
         ORDER BY s.starts_at, s.id
         LIMIT 1) s
"""
)

_FACTS: Final[LiteralString] = """
    SELECT a.id, a.name, a.category, a.short_description, a.min_age, a.max_age, a.duration_minutes, a.tags,
           a.average_rating::float8, a.total_reviews,
           CASE WHEN %(latitude)s::float8 IS NOT NULL THEN
               distance_km(%(latitude)s::float8, %(longitude)s::float8, v.latitude, v.longitude)
           END AS distance_km,
           s.session_id, s.session_date,
           s.start_time, s.end_time,
           s.timezone, s.starts_at,
           s.ends_at, s.credits_required,
           s.free_seats, """
_PAGE: Final[LiteralString] = (
    """
    SELECT l.activity_id, s.id AS session_id, s.session_date, s.start_time, s.end_time, s.timezone, s.starts_at,
           s.ends_at, s.credits_required, """
    + FREE_SEATS
    + " AS free_seats, "
)
_CARD: Final[LiteralString] = _FACTS + "s.sort_key, " + VENUE + " FROM ("
# Ratings are exact in the index, and their cursor is not: no order may hang on the difference.
_RATED_CARD: Final[LiteralString] = _FACTS + "s.sort_key::float8, " + VENUE + " FROM ("
_END: Final[LiteralString] = """
     LIMIT %(limit)s) s
      JOIN activities a ON a.id = s.activity_id
      JOIN venues v ON v.id = a.venue_id
     ORDER BY s.sort_key, s.activity_id
"""

_FAR: Final[LiteralString] = "l.position <-> on_sphere(%(latitude)s::float8, %(longitude)s::float8)"
_NAME: Final[LiteralString] = 'lower(a.name) COLLATE "C"'

_KEY: Final[dict[Sort, tuple[LiteralString, LiteralString]]] = {
    Sort.SOONEST: ("s.starts_at", "%(after_key)s::timestamptz"),
    Sort.NEAREST: (_FAR, "%(after_key)s::float8"),
    Sort.CHEAPEST: ("l.credits_required", "%(after_key)s::integer"),
    Sort.RATING: ("(-a.average_rating)", "%(after_key)s::float8::numeric"),
    Sort.NAME: (_NAME, "%(after_key)s::text"),
}
"""What each order goes by, and its value on the card before the page."""


def _brief(statement: LiteralString) -> LiteralString:
    """Without indents: psycopg reads what is longer than 4,096 characters anew at each execution."""
    return " ".join(statement.split())


def _after(sort: Sort, id_: LiteralString) -> LiteralString:
    key, last = _KEY[sort]
    return "(" + key + ", " + id_ + ") > (" + last + ", %(after_id)s::uuid)"


def _part(time_of_day: LiteralString, place: LiteralString) -> LiteralString:
    """One time of day's part of the calendar, in its order; not looked at unless it is asked for."""
    return (
        "(SELECT * FROM activity_sessions s WHERE s.time_of_day = '"
        + time_of_day
        + "' AND '"
        + time_of_day
        + "' = ANY (%(times_of_day)s::text[]) AND "
        + _COMES
        + " AND "
        + _ON_THE_DAYS
        + place
        + " AND "
        + _after(Sort.SOONEST, "s.activity_id")
        + " ORDER BY s.starts_at, s.activity_id)"
    )


# Along the calendar: a session counts unless an earlier one of its activity fits as well.
def _calendar(place: LiteralString) -> LiteralString:
    return (
        _CARD
        + _PAGE
        + " s.starts_at AS sort_key FROM (SELECT * FROM ("
        + _part("morning", place)
        + " UNION ALL "
        + _part("afternoon", place)
        + " UNION ALL "
        + _part("evening", place)
        + """) s
                 ORDER BY s.starts_at, s.activity_id
                 LIMIT 3000) s
         CROSS JOIN LATERAL (
            SELECT *
              FROM listings l
             WHERE l.activity_id = s.activity_id AND l.credits_required = s.credits_required
               AND l.is_offered AND l.is_open
            OFFSET 0) l
         WHERE """
        + _SUITS
        + " AND "
        + _FITS
        + """
           AND NOT EXISTS (
            SELECT FROM activity_sessions e
             WHERE e.activity_id = s.activity_id
               AND e.starts_at <= s.starts_at AND (e.starts_at, e.id) < (s.starts_at, s.id)
               AND """
        + _ANY_SESSION.replace("s.", "e.")
        + ") ORDER BY s.starts_at, s.activity_id"
        + _END
    )


WALK_CALENDAR: Final[LiteralString] = _calendar("")
WALK_FREE_CALENDAR: Final[LiteralString] = _calendar(" AND " + _HAS_A_PLACE)


# Ordered by the walk's own columns, so that the server sees that there is nothing to sort.
def _walk(along: LiteralString, key: LiteralString, *, card: LiteralString = _CARD) -> LiteralString:
    return _brief(
        card
        + _PAGE
        + "l.sort_key FROM ("
        + along
        + _FIRST_SESSION
        + " WHERE "
        + _SUITS
        + " AND s.credits_required = l.credits_required ORDER BY "
        + key
        + _END
    )


def _along_listings(sort: Sort) -> LiteralString:
    key = _KEY[sort][0]
    return (
        "SELECT l.*, "
        + key
        + " AS sort_key FROM listings l WHERE l.is_offered AND l.is_open AND "
        + _after(sort, "l.activity_id")
        + " ORDER BY "
        + key
        + ", l.activity_id LIMIT 2000) l"
    )


def _along_activities(sort: Sort) -> LiteralString:
    key = _KEY[sort][0]
    return (
        "SELECT a.id, "
        + key
        + " AS sort_key FROM activities a WHERE a.is_active AND a.is_published AND "
        + _after(sort, "a.id")
        + " ORDER BY "
        + key
        + """, a.id LIMIT 2000) a
     CROSS JOIN LATERAL (
        SELECT l.*, a.sort_key
          FROM listings l
         WHERE l.activity_id = a.id AND l.is_offered AND l.is_open
        OFFSET 0) l"""
    )


WALK_NEAREST: Final[LiteralString] = _walk(_along_listings(Sort.NEAREST), "l.sort_key, l.activity_id")
WALK_CHEAPEST: Final[LiteralString] = _walk(
    _along_listings(Sort.CHEAPEST), "l.credits_required, l.activity_id"
)
WALK_BEST_RATED: Final[LiteralString] = _walk(
    _along_activities(Sort.RATING), "a.sort_key, a.id", card=_RATED_CARD
)
WALK_NAMES: Final[LiteralString] = _walk(_along_activities(Sort.NAME), "a.sort_key, a.id")

_CANDIDATE: Final[LiteralString] = (
    """
      FROM listings l
      JOIN activities a ON a.id = l.activity_id
     WHERE l.is_offered AND l.is_open
       AND (%(reach_km)s::float8 IS NULL
            OR l.position <@ cube_enlarge(on_sphere(%(latitude)s::float8, %(longitude)s::float8),
                                          %(reach_through)s, 3))
       AND (%(q)s::text IS NULL
            OR a.search @@ websearch_to_tsquery('english', %(q)s)
            OR a.name ILIKE %(part)s)
       AND """
    + _SUITS
)


# Sorted before their sessions are looked at: that ends with the page.
def _look_up(sort: Sort, *, card: LiteralString = _CARD) -> LiteralString:
    key = _KEY[sort][0]
    return _brief(
        card
        + _PAGE
        + "l.sort_key FROM (SELECT l.*, "
        + key
        + " AS sort_key"
        + _CANDIDATE
        + " AND "
        + _after(sort, "a.id")
        + " ORDER BY "
        + key
        + ", a.id OFFSET 0) l"
        + _FIRST_SESSION
        + " WHERE s.credits_required = l.credits_required ORDER BY l.sort_key, l.activity_id"
        + _END
    )


LOOK_UP_SOONEST: Final[LiteralString] = _brief(
    _CARD
    + _PAGE
    + "s.starts_at AS sort_key FROM (SELECT l.*"
    + _CANDIDATE
    + " OFFSET 0) l"
    + _FIRST_SESSION
    + " WHERE s.credits_required = l.credits_required AND "
    + _after(Sort.SOONEST, "l.activity_id")
    + " ORDER BY s.starts_at, l.activity_id"
    + _END
)
LOOK_UP_NEAREST: Final[LiteralString] = _look_up(Sort.NEAREST)
LOOK_UP_CHEAPEST: Final[LiteralString] = _look_up(Sort.CHEAPEST)
LOOK_UP_BEST_RATED: Final[LiteralString] = _look_up(Sort.RATING, card=_RATED_CARD)
LOOK_UP_NAMES: Final[LiteralString] = _look_up(Sort.NAME)

LOOK_UP: Final[dict[Sort, LiteralString]] = {
    Sort.SOONEST: LOOK_UP_SOONEST,
    Sort.NEAREST: LOOK_UP_NEAREST,
    Sort.CHEAPEST: LOOK_UP_CHEAPEST,
    Sort.RATING: LOOK_UP_BEST_RATED,
    Sort.NAME: LOOK_UP_NAMES,
}
_WALKS: Final[dict[Sort, LiteralString]] = {
    Sort.NEAREST: WALK_NEAREST,
    Sort.CHEAPEST: WALK_CHEAPEST,
    Sort.RATING: WALK_BEST_RATED,
    Sort.NAME: WALK_NAMES,
}


WALKS: Final[frozenset[str]] = frozenset({*_WALKS.values(), WALK_CALENDAR, WALK_FREE_CALENDAR})


def walk(search: Search) -> LiteralString | None:
    """The walk in the order of this search; words are looked up at once."""
    if search.q is not None:
        return None
    if search.sort is Sort.SOONEST:
        return WALK_FREE_CALENDAR if search.available else WALK_CALENDAR
    return _WALKS[search.sort]
