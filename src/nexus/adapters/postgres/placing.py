"""What is said to give a family its places: what decides, and then all of it in one guarded statement."""

from typing import Final, LiteralString

from nexus.adapters.postgres.booking_views import VIEW_COLUMNS
from nexus.adapters.postgres.pool import LONGEST_STATEMENT
from nexus.adapters.postgres.settings import BROUGHT_ALONG

LONGEST: Final = LONGEST_STATEMENT + 1
"""Seconds that it takes at most, with one for what goes out with it."""

# A row for each of the children, or one without a child: a single round trip tells everything.
# It also says which session is worked on: whether offers in it have lapsed, and its seats,
# are the business of whoever books there.
READ_FACTS: Final[LiteralString] = (
    """
    SELECT s.id AS session, a.id AS activity, v.id AS venue, s.status, s.starts_at, s.ends_at,
           s.session_date AS local_date, s.credits_required AS price, a.min_age, a.max_age,
           a.is_published AND a.is_active AS is_published, v.status = 'active' AS venue_is_active,
           v.insurance_expiry_date AS insured_until, v.is_premium, v.requires_confirmation,
           s.sellable, s.booked_count AS booked, s.held_count AS held, s.waiting_count AS waiting,
           s.opens_at, s.releases_at, s.released_at IS NOT NULL AS released, s.version,
           make_interval(hours => v.confirmation_hours) AS confirmation_window,
           s.held_count > 0 AND EXISTS (
               SELECT FROM waitlist w
                WHERE w.session_id = s.id AND w.status = 'offered' AND w.offer_expires_at <= %(at)s
           ) AS has_lapsed_offers,
           purse.credits_available AS credits,
           coalesce(purse.premium_venue_access, false) AS has_premium,
           c.id AS child, c.date_of_birth AS born,
           c.status = 'active' AS is_active, 'activity_booking' = ANY (c.consents) AS may_be_booked,
           (SELECT b.id FROM bookings b
             WHERE b.child_id = c.id AND b.session_id = s.id AND b.status IN ('pending', 'confirmed')
           ) AS same_session,
           (SELECT b.id FROM bookings b
             WHERE b.child_id = c.id AND b.session_id <> s.id AND b.status IN ('pending', 'confirmed')
               AND b.starts_at < s.ends_at AND b.ends_at > s.starts_at
             ORDER BY b.starts_at, b.id LIMIT 1
           ) AS overlapping,
    """
    + BROUGHT_ALONG
    + """ AS settings
      FROM set_config('nexus.session', %(session)s::text, true)
     CROSS JOIN activity_sessions s
      JOIN activities a ON a.id = s.activity_id
      JOIN venues v ON v.id = s.venue_id
      LEFT JOIN LATERAL (
          SELECT b.credits_available, p.premium_venue_access
            FROM user_credit_balances b
            JOIN corporate_subscriptions p ON p.id = b.subscription_id
           WHERE b.user_id = %(parent)s AND b.closed_at IS NULL
             AND b.opens_at <= %(at)s AND b.closes_at > %(at)s
      ) purse ON true
      LEFT JOIN children c ON c.id = ANY (%(children)s) AND c.parent_id = %(parent)s
     WHERE s.id = %(session)s
"""
)

LOCK_CHILDREN: Final[LiteralString] = """
    SELECT id FROM children
     WHERE id = ANY (%(children)s) AND parent_id = %(parent)s
     ORDER BY id
       FOR NO KEY UPDATE
"""

# Child, seat and balance are guarded and locked in this order; where one guard
# does not hold, nothing after it happens and the caller rolls back. Where all do, it
# tells the bookings as families read them, which needs no round trip of its own then. Where
# one does not, the statement fails, since the commit may have been sent behind it.
PLACE: Final[LiteralString] = (
    """
    WITH consented AS (
        SELECT id, first_name FROM children
         WHERE id = ANY (%(children)s) AND parent_id = %(parent)s
           AND status = 'active' AND 'activity_booking' = ANY (consents)
         ORDER BY id
           FOR NO KEY UPDATE
    ), seat AS (
        UPDATE activity_sessions
           SET booked_count = booked_count + %(booked)s, held_count = held_count + %(held)s
         WHERE id = %(session)s
           AND version = %(version)s
           AND status = 'scheduled'
           AND starts_at > %(at)s
           AND booked_count + held_count + %(seats)s <= sellable
           AND (%(in_turn)s OR (
                   (waiting_count = 0 OR starts_at - %(at)s < make_interval(mins => %(last_offer_minutes)s))
               AND (releases_at IS NULL OR releases_at > %(at)s OR released_at IS NOT NULL)))
           AND (SELECT count(*) FROM consented) = %(seats)s
        RETURNING activity_id, venue_id, location, session_date, start_time, end_time, timezone, starts_at, ends_at
    ), purse AS (
        UPDATE user_credit_balances
           SET credits_available = credits_available - %(total)s,
               credits_used = credits_used + %(total)s,
               last_sequence = last_sequence + %(seats)s
         WHERE user_id = %(parent)s
           AND closed_at IS NULL AND opens_at <= %(at)s AND closes_at > %(at)s
           AND credits_available >= %(total)s
           AND EXISTS (SELECT FROM seat)
        RETURNING id, credits_available, last_sequence
    ), wanted AS (
        SELECT *
          FROM unnest(%(bookings)s::uuid[], %(children)s::uuid[], %(codes)s::text[], %(debits)s::uuid[])
               WITH ORDINALITY AS w (booking, child, code, debit, ordinal)
    ), placed AS (
        INSERT INTO bookings (
            id, session_id, child_id, booked_by, corporate_id, venue_id, status, group_booking_id,
            confirmation_code, source, credits_charged, credit_value_minor, currency, debit_id,
            starts_at, ends_at, refundable_until, confirm_by, booked_at, confirmed_at, original_booking_id)
        SELECT w.booking, %(session)s, w.child, %(parent)s, %(company)s, seat.venue_id, %(status)s, %(group)s,
               w.code, %(source)s, %(price)s, %(credit_value)s, %(currency)s, w.debit,
               seat.starts_at, seat.ends_at, %(refundable_until)s, %(confirm_by)s::timestamptz, %(at)s,
               CASE WHEN %(confirm_by)s::timestamptz IS NULL THEN %(at)s::timestamptz END, %(original)s
          FROM wanted w, seat, purse
        RETURNING *
    ), paid AS (
        INSERT INTO credit_ledger (
            id, balance_id, user_id, sequence, transaction_type, amount, balance_after, booking_id, occurred_at)
        SELECT w.debit, purse.id, %(parent)s, purse.last_sequence - %(seats)s + w.ordinal, 'booking_debit',
               -%(price)s, purse.credits_available + %(price)s * (%(seats)s - w.ordinal), w.booking, %(at)s
          FROM wanted w, purse
    )
    SELECT"""
    + VIEW_COLUMNS
    + """, g.held
      FROM (SELECT CASE WHEN count(*) = %(seats)s THEN true
                        ELSE overtaken('what a booking needs') END AS held
              FROM placed) g
      LEFT JOIN (placed b
                 CROSS JOIN seat s
                 JOIN activities a ON a.id = s.activity_id
                 JOIN venues v ON v.id = s.venue_id
                 JOIN consented c ON c.id = b.child_id) ON true
     ORDER BY array_position(%(bookings)s::uuid[], b.id)
"""
)
