"""
A dataset of any size that breaks no invariant, made by PostgreSQL itself in a few statements.

At scale 1: 2,000 venues, 10,000 activities, 200,000 sessions, 100,000 families,
1,000,000 bookings with their ledger. Everything follows from numbers: family *f*
has booking *k* (0 to 9) in the activity that `activity_of` says, so that whoever
measures knows every id without asking, and which places are still free.

An activity has a session every other day, ten of them past and ten to come. A
family has booked one session out of each pair of them, and the other one is free.
The last six sessions of every fourth activity are full, with five families in line.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
from attrs import frozen

SESSIONS: Final = 20
"""Sessions of an activity."""
BOOKINGS: Final = 10
"""Bookings of a family."""
WAITING: Final = 5
"""Families in line for a session that is full."""

COMPANY, SUBSCRIPTION, VENUE, ACTIVITY, SESSION, USER, CHILD, BOOKING, LINE, BALANCE = range(1, 11)
HR, VENUE_STAFF = 16, 17


@frozen(kw_only=True)
class Size:
    """How many of each there are."""

    venues: int
    activities: int
    families: int
    companies: int

    @classmethod
    def of(cls, scale: float, *, families: int | None = None) -> "Size":
        """
        In the proportions of the full size, or with so many *families* whatever is offered.

        The number of activities is a multiple of 20, and that of families of 4.
        """
        activities = max(20, round(10_000 * scale / 20) * 20)
        return cls(
            venues=activities // 5,
            activities=activities,
            families=activities * 10 if families is None else families // 4 * 4,
            companies=max(2, activities // 100),
        )


def id_of(kind: int, number: int) -> UUID:
    """The id of the row with this number."""
    return UUID(f"{number:012x}7{kind:03x}8000000000000000")


def activity_of(family: int, nth: int, size: Size) -> int:
    """The activity of a family's nth booking."""
    return (family * 7919 + nth * 104_729) % size.activities


def free_place(number: int, size: Size) -> tuple[int, int]:
    """A family and a session that starts in more than a week in which it can book a place; each number another."""
    family, nth = number % size.families, 7 + number // size.families % 3
    activity = activity_of(family, nth, size)
    activity += activity % 4 == 0
    return family, activity * SESSIONS + 2 * nth + 1 - family // size.activities % 2


def awaited_booking(number: int, size: Size) -> tuple[int, int]:
    """A family and the number of its booking in a session that others wait for; each number another."""
    nth = 7 + number % 3
    family = (4 * (number // 3) + nth % 4) % size.families
    return family, family * BOOKINGS + nth


def free_places(size: Size) -> int:
    """How many numbers `free_place` takes."""
    return 3 * size.families


def awaited_bookings(size: Size) -> int:
    """How many numbers `awaited_booking` takes."""
    return 3 * size.families // 4


def token_of(kind: int, number: int) -> str:
    """The sign-in token of a person."""
    return f"bench-{kind}-{number}"


_HELPERS: Final[LiteralString] = """
    SET LOCAL session_replication_role = replica;
    SET LOCAL work_mem = '256MB';
    CREATE FUNCTION pg_temp.id(kind int, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN (lpad(to_hex(number), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8000000000000000')::uuid
"""

_TENANTS: Final[LiteralString] = """
    INSERT INTO corporates (id, company_name, timezone, primary_contact_name, primary_contact_email,
                            contract_start_date, created_at)
    SELECT pg_temp.id(1, c), 'Company ' || c, 'UTC', 'Kim', 'kim' || c || '@example.com',
           %(base)s::date - 400, %(base)s - interval '400 days'
      FROM generate_series(0, %(companies)s - 1) c;

    INSERT INTO corporate_subscriptions (id, corporate_id, tier, covered_employees, credits_per_employee,
                                         monthly_cost_minor, billing_cycle_day, start_date,
                                         premium_venue_access, allocated_period, created_at)
    SELECT pg_temp.id(2, c), pg_temp.id(1, c), 'premium', 100000, 200, 100000,
           extract(day FROM %(opens)s::date)::smallint, %(opens)s::date - interval '1 year', true,
           %(opens)s::date, %(base)s - interval '400 days'
      FROM generate_series(0, %(companies)s - 1) c;

    INSERT INTO credit_periods (corporate_id, subscription_id, billing_period_start, billing_period_end,
                                opens_at, closes_at)
    SELECT pg_temp.id(1, c), pg_temp.id(2, c), %(opens)s::date, %(closes)s::date, %(opens)s, %(closes)s
      FROM generate_series(0, %(companies)s - 1) c;

    INSERT INTO venues (id, name, slug, status, timezone, address_line1, city, state, postal_code, latitude,
                        longitude, insurance_coverage_minor, insurance_expiry_date, background_check_completed,
                        safety_audit_completed, is_premium, approved_at, created_at)
    SELECT pg_temp.id(3, v), 'Venue ' || v, 'venue-' || v, 'active', 'UTC', v || ' Main St', 'Chicago', 'IL',
           '60601', 41.6 + 0.45 * (v * 7919 %% 1000) / 1000.0, -87.9 + 0.4 * (v * 104729 %% 997) / 997.0,
           200000000, %(base)s::date + 400, true, true, v %% 10 = 0, %(base)s, %(base)s - interval '300 days'
      FROM generate_series(0, %(venues)s - 1) v;

    INSERT INTO users (id, email, role, first_name, last_name, corporate_id, timezone, joined_at)
    SELECT pg_temp.id(6, f), 'family' || f || '@example.com', 'parent', 'Parent', 'Number' || f,
           pg_temp.id(1, f %% %(companies)s), 'UTC', %(base)s - interval '300 days'
      FROM generate_series(0, %(families)s - 1) f;
    INSERT INTO users (id, email, role, first_name, last_name, corporate_id, timezone, joined_at)
    SELECT pg_temp.id(16, c), 'hr' || c || '@example.com', 'hr_admin', 'Human', 'Resources',
           pg_temp.id(1, c), 'UTC', %(base)s - interval '300 days'
      FROM generate_series(0, %(companies)s - 1) c;
    INSERT INTO users (id, email, role, first_name, last_name, venue_id, timezone, joined_at)
    SELECT pg_temp.id(17, v), 'venue' || v || '@example.com', 'venue_admin', 'Venue', 'Staff',
           pg_temp.id(3, v), 'UTC', %(base)s - interval '300 days'
      FROM generate_series(0, %(venues)s - 1) v;

    INSERT INTO user_sessions (token_hash, id, user_id, created_at, last_seen_at, expires_at, idle_limit,
                               has_second_factor)
    SELECT sha256(convert_to('bench-' || kind || '-' || n, 'UTF8')), pg_temp.id(100 + kind, n),
           pg_temp.id(kind, n), %(base)s, %(base)s, %(base)s + interval '30 days', interval '30 days', kind <> 6
      FROM (VALUES (6, %(families)s), (16, %(companies)s), (17, %(venues)s)) AS people (kind, many),
           generate_series(0, many - 1) n;

    INSERT INTO children (id, parent_id, corporate_id, first_name, date_of_birth, status, consents, created_at)
    SELECT pg_temp.id(7, f), pg_temp.id(6, f), pg_temp.id(1, f %% %(companies)s), 'Child' || f,
           %(base)s::date - 2900 + (f %% 300), 'active', '{activity_booking,data_collection}',
           %(base)s - interval '300 days'
      FROM generate_series(0, %(families)s - 1) f;
    INSERT INTO parental_consent_records (id, child_id, parent_id, purpose, given, text_version, method,
                                          recorded_at)
    SELECT pg_temp.id(13, 2 * f + p.nth), pg_temp.id(7, f), pg_temp.id(6, f), p.purpose, true, '1', 'electronic',
           %(base)s - interval '300 days'
      FROM generate_series(0, %(families)s - 1) f,
           (VALUES (0, 'activity_booking'), (1, 'data_collection')) AS p (nth, purpose)
"""

_PLACES_TAKEN: Final[LiteralString] = """
    CREATE TEMPORARY TABLE taken ON COMMIT DROP AS
    SELECT f, k, a, a * 20 + 2 * k + (f / %(activities)s) %% 2 AS s, 1 + a %% 4 AS price,
           CASE WHEN k < 5 AND (f + k) %% 20 = 2 THEN 'no_show'
                WHEN k < 5 AND (f + k) %% 20 > 2 OR k IN (5, 6) AND (f + k) %% 20 > 0 OR k > 6
                THEN CASE WHEN k < 5 THEN 'completed' ELSE 'confirmed' END
                ELSE 'cancelled_parent' END AS status,
           (f + k) %% 20 = 0 AND k < 7 AS is_refunded,
           (f + k) %% 20 IN (1, 2) AND k < 5 AS is_forfeited
      FROM (SELECT f, k, (f * 7919 + k * 104729) %% %(activities)s AS a
              FROM generate_series(0, %(families)s::bigint - 1) f, generate_series(0, 9) k) each
"""

_CATALOGUE: Final[LiteralString] = """
    INSERT INTO activities (id, venue_id, name, slug, category, short_description, min_age, max_age,
                            duration_minutes, credits_required, capacity_per_session, tags, is_published,
                            average_rating, total_reviews, created_at)
    SELECT pg_temp.id(4, a), pg_temp.id(3, a %% %(venues)s),
           (ARRAY['Robots', 'Watercolours', 'Drumming', 'Football', 'Ponds', 'Baking', 'Stories', 'Bridges',
                  'Ballet', 'Stage'])[1 + a %% 10] || ' for beginners ' || a, 'activity-' || a,
           (ARRAY['stem', 'arts_crafts', 'music', 'sports', 'nature', 'cooking', 'reading', 'building',
                  'dance', 'drama'])[1 + a %% 10],
           'An hour of it, with friends', 3 + a %% 5, 9 + a %% 5, 60, 1 + a %% 4, 20,
           CASE WHEN a %% 3 = 0 THEN '{indoor}' ELSE '{outdoor}' END::text[], true,
           (a %% 50) / 10.0, a %% 90, %(base)s - interval '200 days'
      FROM generate_series(0, %(activities)s - 1) a;

    INSERT INTO activity_sessions (id, activity_id, venue_id, session_date, start_time, end_time, timezone,
                                   time_of_day, starts_at, ends_at, credits_required, total_capacity, sellable,
                                   booked_count, waiting_count, last_queue_number, releases_at, released_at,
                                   status, created_at)
    SELECT pg_temp.id(5, e.s), pg_temp.id(4, e.a), pg_temp.id(3, e.a %% %(venues)s), e.starts_at::date,
           e.starts_at::time, (e.starts_at + interval '1 hour')::time, 'UTC',
           CASE WHEN extract(hour FROM e.starts_at) < 12 THEN 'morning'
                WHEN extract(hour FROM e.starts_at) < 17 THEN 'afternoon' ELSE 'evening' END,
           e.starts_at, e.starts_at + interval '1 hour', 1 + e.a %% 4, 20,
           CASE WHEN e.is_awaited OR e.starts_at - interval '72 hours' <= %(base)s THEN coalesce(b.booked, 0)
                ELSE 20 END,
           coalesce(b.booked, 0), CASE WHEN e.is_awaited THEN 5 ELSE 0 END,
           CASE WHEN e.is_awaited THEN 5 ELSE 0 END, e.starts_at - interval '72 hours',
           CASE WHEN e.starts_at - interval '72 hours' <= %(base)s THEN e.starts_at - interval '72 hours' END,
           CASE WHEN e.starts_at <= %(base)s THEN 'completed' ELSE 'scheduled' END,
           %(base)s - interval '60 days'
      FROM (SELECT a, j, a * 20 + j AS s, a %% 4 = 0 AND j >= 14 AS is_awaited,
                   date_trunc('day', %(base)s::timestamptz)
                   + make_interval(days => (j - 10) * 2 + 1, hours => 9 + a %% 9) AS starts_at
              FROM generate_series(0, %(activities)s - 1) a, generate_series(0, 19) j) e
      LEFT JOIN (SELECT s, count(*) AS booked FROM taken WHERE status <> 'cancelled_parent' GROUP BY s) b
             ON b.s = e.s
"""

# The triggers that list a session are off while all of this is made.
_LISTINGS: Final[LiteralString] = """
    INSERT INTO listings (activity_id, credits_required, venue_id, last_start, is_offered, is_open, category, min_age,
                          max_age, tags, insured_until, timezone, latitude, longitude)
    SELECT a.id, s.credits_required, v.id, s.last_start, a.is_active AND a.is_published, v.status = 'active',
           a.category, a.min_age, a.max_age, a.tags, v.insurance_expiry_date, v.timezone, v.latitude, v.longitude
      FROM (SELECT activity_id, credits_required, max(starts_at) AS last_start
              FROM activity_sessions GROUP BY activity_id, credits_required) s
      JOIN activities a ON a.id = s.activity_id
      JOIN venues v ON v.id = a.venue_id
"""

_BOOKINGS: Final[LiteralString] = """
    INSERT INTO bookings (id, session_id, child_id, booked_by, corporate_id, venue_id, status, confirmation_code,
                          source, credits_charged, credits_refunded, credit_value_minor, currency, debit_id,
                          starts_at, ends_at, refundable_until, booked_at, confirmed_at, cancelled_at,
                          cancellation_reason, attendance_marked_at)
    SELECT pg_temp.id(8, t.f * 10 + t.k), pg_temp.id(5, t.s), pg_temp.id(7, t.f), pg_temp.id(6, t.f),
           pg_temp.id(1, t.f %% %(companies)s), s.venue_id, t.status, 'B' || (t.f * 10 + t.k), 'browse', t.price,
           CASE WHEN t.is_refunded THEN t.price ELSE 0 END, 500, 'USD', pg_temp.id(9, t.f * 100 + t.k * 2 + 1),
           s.starts_at, s.ends_at, s.starts_at - interval '48 hours', b.booked_at, b.booked_at,
           CASE WHEN t.status = 'cancelled_parent' THEN b.booked_at + interval '1 hour' END,
           CASE WHEN t.status = 'cancelled_parent' THEN 'other' END,
           CASE WHEN t.status IN ('completed', 'no_show') THEN s.ends_at END
      FROM taken t
      JOIN activity_sessions s ON s.id = pg_temp.id(5, t.s)
     CROSS JOIN LATERAL (
           SELECT least(s.starts_at - interval '10 days', %(base)s - make_interval(hours => 40 - t.k)) AS booked_at
     ) b
     ORDER BY t.k, t.f
"""

_LEDGER: Final[LiteralString] = """
    INSERT INTO credit_ledger (id, balance_id, user_id, sequence, transaction_type, amount, balance_after,
                               booking_id, reverses, occurred_at)
    SELECT pg_temp.id(9, f * 100 + nth), pg_temp.id(10, f), pg_temp.id(6, f), row_number() OVER line, type, amount,
           sum(amount) OVER line, CASE WHEN k >= 0 THEN pg_temp.id(8, f * 10 + k) END,
           CASE WHEN type IN ('refund_credit', 'forfeit') THEN pg_temp.id(9, f * 100 + nth - 1) END,
           %(base)s - make_interval(hours => 40 - k)
      FROM (SELECT f, -1 AS k, 0 AS nth, 'allocation' AS type, 200 AS amount
              FROM generate_series(0, %(families)s::bigint - 1) f
             UNION ALL
            SELECT f, k, k * 2 + 1, 'booking_debit', -price FROM taken
             UNION ALL
            SELECT f, k, k * 2 + 2, CASE WHEN is_refunded THEN 'refund_credit' ELSE 'forfeit' END,
                   CASE WHEN is_refunded THEN price ELSE 0 END
              FROM taken WHERE is_refunded OR is_forfeited) lines
    WINDOW line AS (PARTITION BY f ORDER BY nth)
     ORDER BY nth, f;

    INSERT INTO user_credit_balances (id, user_id, corporate_id, subscription_id, billing_period_start,
                                      billing_period_end, opens_at, closes_at, credits_allocated,
                                      credits_available, credits_used, credits_refunded, credits_forfeited,
                                      last_sequence)
    SELECT pg_temp.id(10, f), pg_temp.id(6, f), pg_temp.id(1, f %% %(companies)s),
           pg_temp.id(2, f %% %(companies)s), %(opens)s::date, %(closes)s::date, %(opens)s, %(closes)s, 200,
           200 - used + refunded, used, refunded, forfeited, lines
      FROM (SELECT f, sum(price) AS used,
                   coalesce(sum(price) FILTER (WHERE is_refunded), 0) AS refunded,
                   coalesce(sum(price) FILTER (WHERE is_forfeited), 0) AS forfeited,
                   1 + count(*) + count(*) FILTER (WHERE is_refunded OR is_forfeited) AS lines
              FROM taken GROUP BY f) sums
     ORDER BY f
"""

_QUEUES: Final[LiteralString] = """
    CREATE TEMPORARY TABLE waiting ON COMMIT DROP AS
    SELECT s, i, s * 5 + i AS w, (a * 31 + j * 7 + i * 1013) %% %(families)s AS f
      FROM (SELECT a, j, a * 20 + j AS s
              FROM generate_series(0, %(activities)s::bigint - 1, 4) a, generate_series(14, 19) j) full_up,
           generate_series(0, 4) i;
    INSERT INTO waitlist (id, session_id, user_id, corporate_id, queue_number, seats, status, joined_at)
    SELECT pg_temp.id(11, w), pg_temp.id(5, s), pg_temp.id(6, f), pg_temp.id(1, f %% %(companies)s), i + 1, 1,
           'waiting', %(base)s - interval '1 day' + make_interval(mins => i)
      FROM waiting;
    INSERT INTO waitlist_children (entry_id, session_id, user_id, child_id, ordinal)
    SELECT pg_temp.id(11, w), pg_temp.id(5, s), pg_temp.id(6, f), pg_temp.id(7, f), 1 FROM waiting;

    INSERT INTO outbox (id, type, payload, occurred_at, sent_at, handled_at, attempts)
    SELECT pg_temp.id(12, f), 'PlacesBooked', '{}', %(base)s, %(base)s, %(base)s, 1
      FROM generate_series(0, %(families)s - 1) f
"""

_STEPS: Final[tuple[tuple[str, LiteralString], ...]] = (
    ("companies, venues and families", _TENANTS),
    ("who books what", _PLACES_TAKEN),
    ("activities and sessions", _CATALOGUE),
    ("what is listed", _LISTINGS),
    ("bookings", _BOOKINGS),
    ("the ledger", _LEDGER),
    ("queues", _QUEUES),
)


def period(base: datetime) -> tuple[datetime, datetime]:
    """The period of credits around *base*: at least five days old, with three weeks to go."""
    first = base - timedelta(days=5)
    if first.day > 28:
        first -= timedelta(days=3)
    opens = datetime.combine(first.date(), time(0), UTC)
    closes = opens.replace(year=opens.year + opens.month // 12, month=opens.month % 12 + 1)
    return opens, closes


def fill(database_url: str, size: Size, *, base: datetime, say: Callable[[str], object] = str) -> None:
    """Fill a migrated, empty database, as its owner; *base* is its present."""
    opens, closes = period(base)
    values: dict[str, Any] = {
        "base": base,
        "opens": opens,
        "closes": closes,
        "venues": size.venues,
        "activities": size.activities,
        "families": size.families,
        "companies": size.companies,
    }
    with psycopg.ClientCursor(psycopg.connect(database_url, autocommit=True)) as cursor:
        with cursor.connection.transaction():
            cursor.execute(_HELPERS)
            for name, statements in _STEPS:
                say(f"making {name}")
                cursor.execute(statements, values)
        say("gathering statistics")
        cursor.execute("VACUUM ANALYZE")
        cursor.connection.close()
