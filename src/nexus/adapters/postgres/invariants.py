"""
What must always be true of the data, each as a query that returns the offending rows.

No rows: it holds. The numbers are those of docs/reference/invariants.md.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, LiteralString

import psycopg
from attrs import frozen
from psycopg.rows import dict_row

from nexus.adapters.postgres.audit import FAULTY_MONTHS


@frozen(kw_only=True)
class Invariant:
    """A promise about the data, and the query for what breaks it."""

    number: str
    promise: str
    query: LiteralString


@frozen(kw_only=True)
class Finding:
    """A promise with the rows that break it (at most the first hundred)."""

    invariant: Invariant
    rows: Sequence[dict[str, Any]]

    @property
    def holds(self) -> bool:
        return not self.rows


INVARIANTS: Final[tuple[Invariant, ...]] = (
    Invariant(
        number="I1",
        promise="No session has more seats booked and held than it may sell",
        query="""
            SELECT id, sellable, booked_count, held_count
              FROM activity_sessions
             WHERE booked_count + held_count > sellable OR booked_count < 0 OR held_count < 0
                OR sellable > total_capacity
        """,
    ),
    Invariant(
        number="I2",
        promise="The counters of a session equal a recount of bookings, offers and waiting families",
        query="""
            WITH taken AS (
                SELECT session_id,
                       count(*) FILTER (WHERE status IN ('confirmed', 'completed', 'no_show')) AS booked,
                       count(*) FILTER (WHERE status = 'pending') AS pending
                  FROM bookings GROUP BY session_id
            ), line AS (
                SELECT session_id,
                       sum(seats) FILTER (WHERE status = 'offered') AS offered,
                       count(*) FILTER (WHERE status = 'waiting') AS waiting,
                       max(queue_number) AS last_number
                  FROM waitlist GROUP BY session_id
            )
            SELECT s.id, s.booked_count, coalesce(t.booked, 0) AS booked,
                   s.held_count, coalesce(t.pending, 0) + coalesce(l.offered, 0) AS held,
                   s.waiting_count, coalesce(l.waiting, 0) AS waiting
              FROM activity_sessions s
              LEFT JOIN taken t ON t.session_id = s.id
              LEFT JOIN line l ON l.session_id = s.id
             WHERE s.booked_count <> coalesce(t.booked, 0)
                OR s.held_count <> coalesce(t.pending, 0) + coalesce(l.offered, 0)
                OR s.waiting_count <> coalesce(l.waiting, 0)
                OR s.last_queue_number < coalesce(l.last_number, 0)
        """,
    ),
    Invariant(
        number="I3",
        promise="A child has at most one active booking of a session",
        query="""
            SELECT session_id, child_id, count(*) AS bookings
              FROM bookings
             WHERE status IN ('pending', 'confirmed')
             GROUP BY session_id, child_id
            HAVING count(*) > 1
        """,
    ),
    Invariant(
        number="I4",
        promise="No two active bookings of a child overlap, except where a venue moved one of them",
        query="""
            WITH active AS (
                SELECT id, child_id, starts_at, ends_at,
                       max(ends_at) OVER (PARTITION BY child_id ORDER BY starts_at, id
                                          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy_until
                  FROM bookings
                 WHERE status IN ('pending', 'confirmed') AND NOT overlap_excused
            )
            SELECT id, child_id, starts_at, busy_until FROM active WHERE starts_at < busy_until
        """,
    ),
    Invariant(
        number="I5a",
        promise="A balance is the sum of its ledger lines, and never negative",
        query="""
            SELECT b.id, b.credits_available, coalesce(sum(l.amount), 0) AS ledger
              FROM user_credit_balances b
              LEFT JOIN credit_ledger l ON l.balance_id = b.id
             GROUP BY b.id
            HAVING b.credits_available <> coalesce(sum(l.amount), 0) OR b.credits_available < 0
        """,
    ),
    Invariant(
        number="I5b",
        promise="The lines of a balance are numbered without holes and each follows from the one before",
        query="""
            WITH chained AS (
                SELECT id, balance_id, sequence, amount, balance_after,
                       row_number() OVER line AS expected,
                       sum(amount) OVER line AS should_be
                  FROM credit_ledger
                WINDOW line AS (PARTITION BY balance_id ORDER BY sequence)
            )
            SELECT * FROM chained WHERE sequence <> expected OR balance_after <> should_be
        """,
    ),
    Invariant(
        number="I5c",
        promise="What a balance counts (used, refunded, forfeited, adjusted, expired) equals its lines",
        query="""
            WITH moved AS (
                SELECT balance_id,
                       sum(amount) FILTER (WHERE transaction_type = 'allocation') AS allocated,
                       -sum(amount) FILTER (WHERE transaction_type = 'booking_debit') AS used,
                       sum(amount) FILTER (
                           WHERE transaction_type IN ('refund_credit', 'partial_refund')) AS refunded,
                       sum(amount) FILTER (WHERE transaction_type = 'adjustment') AS adjusted,
                       -sum(amount) FILTER (WHERE transaction_type = 'expiry') AS expired,
                       max(sequence) AS last_sequence
                  FROM credit_ledger GROUP BY balance_id
            )
            SELECT b.id, b.credits_allocated, m.allocated, b.credits_used, m.used,
                   b.credits_refunded, m.refunded, b.credits_expired, m.expired
              FROM user_credit_balances b
              LEFT JOIN moved m ON m.balance_id = b.id
             WHERE b.credits_allocated <> coalesce(m.allocated, 0)
                OR b.credits_used <> coalesce(m.used, 0)
                OR b.credits_refunded <> coalesce(m.refunded, 0)
                OR b.credits_adjusted <> coalesce(m.adjusted, 0)
                OR b.credits_expired <> coalesce(m.expired, 0)
                OR b.last_sequence <> coalesce(m.last_sequence, 0)
        """,
    ),
    Invariant(
        number="I6a",
        promise="Every booking was paid once, and its refunds are those of the ledger and never more than the debit",
        query="""
            WITH lines AS (
                SELECT booking_id,
                       count(*) FILTER (WHERE transaction_type = 'booking_debit') AS debits,
                       -sum(amount) FILTER (WHERE transaction_type = 'booking_debit') AS paid,
                       coalesce(sum(amount) FILTER (
                           WHERE transaction_type IN ('refund_credit', 'partial_refund')), 0) AS refunded
                  FROM credit_ledger
                 WHERE booking_id IS NOT NULL
                 GROUP BY booking_id
            )
            SELECT b.id, b.credits_charged, l.debits, l.paid, b.credits_refunded, l.refunded
              FROM bookings b
              LEFT JOIN lines l ON l.booking_id = b.id
             WHERE l.debits IS DISTINCT FROM 1
                OR l.paid <> b.credits_charged
                OR l.refunded <> b.credits_refunded
                OR l.refunded > l.paid
        """,
    ),
    Invariant(
        number="I6b",
        promise="A refund or forfeit names the debit of its own booking, and a settled debit was settled once",
        query="""
            SELECT l.id, l.transaction_type, l.booking_id, l.reverses
              FROM credit_ledger l
              JOIN credit_ledger debit ON debit.id = l.reverses
             WHERE debit.transaction_type <> 'booking_debit'
                OR debit.booking_id IS DISTINCT FROM l.booking_id
                OR debit.user_id <> l.user_id
             UNION ALL
            SELECT l.id, l.transaction_type, l.booking_id, l.reverses
              FROM credit_ledger l
              JOIN bookings b ON b.id = l.booking_id
             WHERE l.transaction_type = 'forfeit' AND b.status NOT IN ('cancelled_parent', 'no_show')
        """,
    ),
    Invariant(
        number="I6c",
        promise="A booking that the venue cancelled was refunded in full",
        query="""
            SELECT id, credits_charged, credits_refunded
              FROM bookings
             WHERE status = 'cancelled_venue' AND credits_refunded <> credits_charged
        """,
    ),
    Invariant(
        number="I7",
        promise="Append-only tables are guarded even in replication mode, and the application does not own them",
        query="""
            SELECT t.name AS table, g.tgname AS trigger, g.tgenabled AS enabled
              FROM (VALUES ('credit_ledger'), ('parental_consent_records'), ('audit_logs')) AS t (name)
              CROSS JOIN (VALUES ('_append_only'), ('_never_truncated')) AS k (suffix)
              LEFT JOIN pg_trigger g
                ON g.tgrelid = to_regclass(t.name) AND g.tgname = t.name || k.suffix
             WHERE g.tgenabled IS DISTINCT FROM 'A'
                OR has_table_privilege('nexus_app', t.name, 'UPDATE, DELETE, TRUNCATE')
        """,
    ),
    Invariant(
        number="I7b",
        promise="The audit log has this month and the next, and every month of it is guarded like the whole",
        query=FAULTY_MONTHS,
    ),
    Invariant(
        number="I8a",
        promise="Nobody was overtaken except a group that did not fit, and that at most three times",
        query="""
            SELECT ahead.id, ahead.session_id, ahead.queue_number, ahead.seats, ahead.overtaken
              FROM waitlist ahead
              JOIN waitlist behind
                ON behind.session_id = ahead.session_id
               AND behind.queue_number > ahead.queue_number
               AND behind.status = 'offered'
             WHERE ahead.status = 'waiting' AND ahead.joined_at <= behind.offered_at
               AND (ahead.seats <= behind.seats OR ahead.overtaken = 0)
        """,
    ),
    Invariant(
        number="I8b",
        promise="A child waits at most once in a line, and only active entries keep it there",
        query="""
            SELECT c.session_id, c.child_id, w.status, c.is_active
              FROM waitlist_children c
              JOIN waitlist w ON w.id = c.entry_id
             WHERE c.is_active <> (w.status IN ('waiting', 'offered'))
        """,
    ),
    Invariant(
        number="I9",
        promise="No seat that could be offered has been idle for more than a minute while a family waits",
        query="""
            SELECT s.id, s.sellable - s.booked_count - s.held_count AS free, first.seats, first.id AS entry
              FROM activity_sessions s
              JOIN LATERAL (
                  SELECT w.id, w.seats, w.joined_at
                    FROM waitlist w
                   WHERE w.session_id = s.id AND w.status = 'waiting'
                   ORDER BY w.queue_number LIMIT 1
              ) first ON true
             WHERE s.status = 'scheduled' AND s.waiting_count > 0
               AND s.starts_at - %(last_offer)s > %(at)s
               AND first.seats <= s.sellable - s.booked_count - s.held_count
        """,
    ),
    Invariant(
        number="I10",
        promise="No offer has been open for more than a minute after its end",
        query="""
            SELECT w.id, w.session_id, w.offer_expires_at
              FROM waitlist w
              JOIN activity_sessions s ON s.id = w.session_id
             WHERE w.status = 'offered'
               AND (w.offer_expires_at < %(at)s - interval '1 minute'
                    OR w.offer_expires_at > s.starts_at AND s.starts_at < %(at)s - interval '1 minute')
        """,
    ),
    Invariant(
        number="I11",
        promise="Every named command that took effect has its reply",
        query="""
            SELECT actor_id, key, claimed_at
              FROM command_keys
             WHERE status IS NULL OR body IS NULL
        """,
    ),
    Invariant(
        number="I12",
        promise="Every event was handled within ten minutes or waits visibly",
        query="""
            SELECT id, type, occurred_at, attempts, last_error
              FROM outbox
             WHERE handled_at IS NULL
               AND (parked_at IS NOT NULL
                    OR sent_at IS NOT NULL AND sent_at < clock_timestamp() - interval '10 minutes' AND attempts < 5)
        """,
    ),
    Invariant(
        number="I13",
        promise="Periods of a person's credits, and subscriptions of a company, never overlap",
        query="""
            WITH periods AS (
                SELECT id, user_id AS owner, opens_at AS opens, closes_at AS closes,
                       max(closes_at) OVER (PARTITION BY user_id ORDER BY opens_at, id
                                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
                  FROM user_credit_balances
            ), subscriptions AS (
                SELECT id, corporate_id AS owner, start_date AS opens,
                       max(coalesce(end_date, 'infinity')) OVER (
                           PARTITION BY corporate_id ORDER BY start_date, id
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
                  FROM corporate_subscriptions
            )
            SELECT id, owner FROM periods WHERE opens < until
             UNION ALL
            SELECT id, owner FROM subscriptions WHERE opens < until
        """,
    ),
    Invariant(
        number="I16a",
        promise="What a child's row says of its consents is what their history says",
        query="""
            WITH latest AS (
                SELECT DISTINCT ON (child_id, purpose) child_id, purpose, given
                  FROM parental_consent_records r
                 WHERE NOT EXISTS (  -- withdrawing data_collection ends what was given before it
                       SELECT FROM parental_consent_records w
                        WHERE w.child_id = r.child_id AND w.purpose = 'data_collection' AND NOT w.given
                          AND w.position > r.position)
                 ORDER BY child_id, purpose, position DESC
            ), given AS (
                SELECT child_id, array_agg(purpose ORDER BY purpose) AS purposes,
                       bool_or(purpose = 'data_collection') AS kept
                  FROM latest WHERE given GROUP BY child_id
            )
            SELECT c.id, c.consents, CASE WHEN g.kept THEN g.purposes ELSE '{}' END AS history
              FROM children c
              LEFT JOIN given g ON g.child_id = c.id
             WHERE (SELECT coalesce(array_agg(p ORDER BY p), '{}') FROM unnest(c.consents) p)
                   <> CASE WHEN g.kept THEN g.purposes ELSE '{}' END
        """,
    ),
    Invariant(
        number="I16b",
        promise="No child without consent is active, expected anywhere, or waiting",
        query="""
            SELECT c.id, c.status, 'active without consent' AS fault
              FROM children c
             WHERE c.status = 'active' AND NOT 'data_collection' = ANY (c.consents)
             UNION ALL
            SELECT c.id, c.status, 'booked without consent'
              FROM children c
              JOIN bookings b ON b.child_id = c.id
             WHERE b.status IN ('pending', 'confirmed') AND b.starts_at > %(at)s
               AND (c.status <> 'active' OR NOT 'activity_booking' = ANY (c.consents))
             UNION ALL
            SELECT c.id, c.status, 'waiting without consent'
              FROM children c
              JOIN waitlist_children w ON w.child_id = c.id AND w.is_active
             WHERE c.status <> 'active' OR NOT 'activity_booking' = ANY (c.consents)
        """,
    ),
    Invariant(
        number="I17",
        promise="Rows name the tenant that their owner belongs to",
        query="""
            SELECT b.id, 'booking at another venue than its session' AS fault
              FROM bookings b JOIN activity_sessions s ON s.id = b.session_id
             WHERE b.venue_id <> s.venue_id
             UNION ALL
            SELECT s.id, 'session at another venue than its activity'
              FROM activity_sessions s JOIN activities a ON a.id = s.activity_id
             WHERE s.venue_id <> a.venue_id
             UNION ALL
            SELECT b.id, 'balance of another company than its subscription'
              FROM user_credit_balances b JOIN corporate_subscriptions p ON p.id = b.subscription_id
             WHERE b.corporate_id <> p.corporate_id
        """,
    ),
    Invariant(
        number="I18",
        promise="Every session is listed at its price, with what its activity and its venue say now",
        query="""
            SELECT s.activity_id, s.credits_required, s.last_start, l.last_start AS listed
              FROM (SELECT activity_id, credits_required, max(starts_at) AS last_start
                      FROM activity_sessions GROUP BY activity_id, credits_required) s
              LEFT JOIN listings l USING (activity_id, credits_required)
             WHERE l.last_start IS NULL OR l.last_start < s.last_start
             UNION ALL
            SELECT l.activity_id, l.credits_required, NULL, l.last_start
              FROM listings l
              JOIN activities a ON a.id = l.activity_id
              JOIN venues v ON v.id = a.venue_id
             WHERE (l.venue_id, l.is_offered, l.is_open, l.category, l.min_age, l.max_age, l.tags, l.insured_until,
                    l.timezone, l.latitude, l.longitude)
                   IS DISTINCT FROM
                   (v.id, a.is_active AND a.is_published, v.status = 'active', a.category, a.min_age, a.max_age, a.tags,
                    v.insurance_expiry_date, v.timezone, v.latitude, v.longitude)
        """,
    ),
)


def verify(connection: psycopg.Connection, *, at: Any, last_offer: Any) -> Iterator[Finding]:
    """
    Check every invariant in turn on one snapshot, read-only; nothing waits for it.

    Parameters:
        at: The present instant, for promises about time.
        last_offer: How long before the start the last offer is made.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield from check(connection, at=at, last_offer=last_offer)


def check(connection: psycopg.Connection, *, at: Any, last_offer: Any) -> Iterator[Finding]:
    """The same in a transaction that is open."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT set_config('nexus.scope', 'platform', true)")
        for invariant in INVARIANTS:
            query: LiteralString = "SELECT * FROM (" + invariant.query + ") offending LIMIT 100"
            rows = cursor.execute(query, {"at": at, "last_offer": last_offer}).fetchall()
            yield Finding(invariant=invariant, rows=rows)
