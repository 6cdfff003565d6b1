"""Balances and the ledger: allocation, expiry, adjustments, what people see."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, LiteralString
from uuid import UUID

from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.rows import as_object
from nexus.application.credits.ports import Closing, Covered, Grant, OpenBalance, Plan
from nexus.application.credits.views import BalanceView, LineView
from nexus.domain.credits.events import Remainder
from nexus.domain.credits.periods import Period
from nexus.domain.kernel.ids import BalanceId, CompanyId, LineId, SubscriptionId, UserId

PLANS_AROUND: Final[LiteralString] = """
    SELECT s.id AS subscription, s.corporate_id AS company, s.covered_employees, s.credits_per_employee,
           s.billing_cycle_day AS billing_day, s.start_date, s.end_date, c.timezone AS time_zone,
           s.allocated_period
      FROM corporate_subscriptions s
      JOIN corporates c ON c.id = s.corporate_id
     WHERE c.is_active
       AND s.start_date <= %(day)s::date + 1
       AND (s.end_date IS NULL OR s.end_date >= %(day)s::date - 1)
     ORDER BY s.id
"""

NEXT_COVERED: Final[LiteralString] = """
    SELECT id AS user, joined_at, monthly_credits
      FROM users
     WHERE corporate_id = %(company)s
       AND is_active
       AND (left_at IS NULL OR left_at > %(at)s)
       AND (joined_at, id) > (coalesce(%(joined_at)s::timestamptz, '-infinity'),
                              coalesce(%(id)s::uuid, '00000000-0000-0000-0000-000000000000'))
     ORDER BY joined_at, id
     LIMIT %(limit)s
"""

# Whoever comes second finds it there; where another one overlaps with it, it is not.
OPEN_PERIOD: Final[LiteralString] = """
    INSERT INTO credit_periods (
           corporate_id, subscription_id, billing_period_start, billing_period_end, opens_at, closes_at)
    VALUES (%(company)s, %(subscription)s, %(first)s, %(until)s, %(opens_at)s, %(closes_at)s)
    ON CONFLICT DO NOTHING
"""

# That a person has one balance for a period decides who has credits already.
ALLOCATE: Final[LiteralString] = """
    WITH wanted AS (
        SELECT w.*, p.*
          FROM credit_periods p,
               unnest(%(users)b::uuid[], %(amounts)b::int[], %(balances)b::uuid[], %(lines)b::uuid[])
               AS w (user_id, amount, balance_id, line_id)
         WHERE p.corporate_id = %(company)s
           AND p.subscription_id = %(subscription)s
           AND p.billing_period_start = %(first)s
           AND p.billing_period_end = %(until)s
           AND p.opens_at = %(opens_at)s
           AND p.closes_at = %(closes_at)s
    ), opened AS (
        INSERT INTO user_credit_balances (
               id, user_id, corporate_id, subscription_id, billing_period_start, billing_period_end,
               opens_at, closes_at, credits_allocated, credits_available, last_sequence)
        SELECT balance_id, user_id, corporate_id, subscription_id, billing_period_start,
               billing_period_end, opens_at, closes_at, amount, amount, 1
          FROM wanted
         ORDER BY user_id
        ON CONFLICT (corporate_id, billing_period_start, user_id) DO NOTHING
        RETURNING id, user_id, credits_allocated
    ), written AS (
        INSERT INTO credit_ledger (
               id, balance_id, user_id, sequence, transaction_type, amount, balance_after, occurred_at)
        SELECT w.line_id, o.id, o.user_id, 1, 'allocation', o.credits_allocated, o.credits_allocated, %(at)s
          FROM opened o
          JOIN wanted w ON w.balance_id = o.id
    )
    SELECT user_id FROM opened
"""

# Who writes into bookings holds this lock until the commit; vacuuming takes another one.
BURDEN: Final[LiteralString] = """
    SELECT CASE WHEN EXISTS (
                SELECT
                  FROM pg_locks
                 WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND relation = 'bookings'::regclass
                   AND mode = 'RowExclusiveLock'
                   AND pid <> pg_backend_pid())
           THEN clock_timestamp() - transaction_timestamp()
           ELSE interval '0' END
"""

MARK_ALLOCATED: Final[LiteralString] = """
    UPDATE corporate_subscriptions
       SET allocated_period = %(first)s
     WHERE id = %(subscription)s
       AND (allocated_period IS NULL OR allocated_period < %(first)s)
"""

# A row that another worker closed meanwhile no longer matches when its lock is granted.
LOCK_OVER: Final[LiteralString] = """
    SELECT id AS balance, user_id AS user, credits_available AS available, closes_at
      FROM user_credit_balances
     WHERE id IN (SELECT id
                    FROM user_credit_balances
                   WHERE closed_at IS NULL AND closes_at <= %(at)s
                   ORDER BY closes_at, id
                   LIMIT %(limit)s)
       AND closed_at IS NULL
     ORDER BY id
       FOR UPDATE
"""

CLOSE: Final[LiteralString] = """
    WITH closing AS (
        SELECT *
          FROM unnest(%(balances)b::uuid[], %(remainders)b::int[], %(lines)b::uuid[])
               AS c (balance_id, remainder, line_id)
    ), closed AS (
        UPDATE user_credit_balances b
           SET credits_available = 0,
               credits_expired = b.credits_expired + c.remainder,
               last_sequence = b.last_sequence + (c.remainder > 0)::int,
               closed_at = %(at)s
          FROM closing c
         WHERE b.id = c.balance_id
        RETURNING b.id, b.user_id, b.last_sequence, c.remainder, c.line_id
    )
    INSERT INTO credit_ledger (
           id, balance_id, user_id, sequence, transaction_type, amount, balance_after, occurred_at)
    SELECT line_id, id, user_id, last_sequence, 'expiry', -remainder, 0, %(at)s
      FROM closed
     WHERE remainder > 0
"""

WARN: Final[LiteralString] = """
    UPDATE user_credit_balances
       SET warned_at = %(at)s
     WHERE id IN (SELECT id
                    FROM user_credit_balances
                   WHERE closed_at IS NULL
                     AND warned_at IS NULL
                     AND credits_available > 0
                     AND opens_at <= %(at)s
                     AND closes_at > %(at)s
                     AND closes_at <= %(until)s
                   ORDER BY id
                   LIMIT %(limit)s
                     FOR UPDATE)
       AND warned_at IS NULL
    RETURNING user_id AS user, credits_available AS credits, closes_at
"""

LOCK_OPEN: Final[LiteralString] = """
    SELECT id AS balance, credits_available AS available
      FROM user_credit_balances
     WHERE user_id = %(user)s
       AND opens_at <= %(at)s
       AND closes_at > %(at)s
       AND closed_at IS NULL
       FOR UPDATE
"""

ADJUST: Final[LiteralString] = """
    WITH moved AS (
        UPDATE user_credit_balances
           SET credits_available = credits_available + %(amount)s,
               credits_adjusted = credits_adjusted + %(amount)s,
               last_sequence = last_sequence + 1
         WHERE id = %(balance)s
        RETURNING *
    ), written AS (
        INSERT INTO credit_ledger (
               id, balance_id, user_id, sequence, transaction_type, amount, balance_after, reason,
               adjusted_by, occurred_at)
        SELECT %(line)s, id, user_id, last_sequence, 'adjustment', %(amount)s, credits_available,
               %(reason)s, %(by)s, %(at)s
          FROM moved
    )
    SELECT id, billing_period_start AS period_start, billing_period_end AS period_end, opens_at, closes_at,
           credits_allocated AS allocated, credits_available AS available, credits_used AS used,
           credits_refunded AS refunded, credits_forfeited AS forfeited, credits_adjusted AS adjusted,
           credits_expired AS expired
      FROM moved
"""

BALANCES_OF_USER: Final[LiteralString] = """
    SELECT id, billing_period_start AS period_start, billing_period_end AS period_end, opens_at, closes_at,
           credits_allocated AS allocated, credits_available AS available, credits_used AS used,
           credits_refunded AS refunded, credits_forfeited AS forfeited, credits_adjusted AS adjusted,
           credits_expired AS expired
      FROM user_credit_balances
     WHERE user_id = %(user)s
     ORDER BY billing_period_start DESC
     LIMIT %(limit)s
"""

LINES_OF_USER: Final[LiteralString] = """
    SELECT id, balance_id AS balance, sequence, transaction_type AS movement, amount, balance_after,
           booking_id AS booking, reason, occurred_at
      FROM credit_ledger
     WHERE user_id = %(user)s
       AND (%(occurred_at)s::timestamptz IS NULL
            OR (occurred_at, id) < (%(occurred_at)s::timestamptz, %(id)s::uuid))
     ORDER BY occurred_at DESC, id DESC
     LIMIT %(limit)s
"""

IS_EMPLOYEE: Final[LiteralString] = """
    SELECT FROM users WHERE id = %(user)s AND corporate_id IS NOT NULL
"""


class PostgresCredits:
    """The tables ``user_credit_balances`` and ``credit_ledger``, apart from bookings."""

    def __init__(self, connection: WalledConnection) -> None:
        self._connection = connection

    def plans(self, *, around: date) -> Sequence[Plan]:
        with self._connection.cursor(row_factory=as_object(Plan)) as cursor:
            return cursor.execute(PLANS_AROUND, {"day": around}).fetchall()

    def covered(
        self, company: CompanyId, *, at: datetime, after: tuple[datetime, UserId] | None, limit: int
    ) -> Sequence[Covered]:
        joined_at, last = after or (None, None)
        names = {"company": company, "at": at, "joined_at": joined_at, "id": last, "limit": limit}
        # By the thousands: made as they are, a converter for each would take longer than the query.
        return [Covered(*row) for row in self._connection.execute(NEXT_COVERED, names).fetchall()]

    def allocate(
        self, grants: Sequence[Grant], plan: Plan, period: Period, *, at: datetime
    ) -> Sequence[UserId]:
        when = {
            "company": plan.company,
            "subscription": plan.subscription,
            "first": period.first,
            "until": period.until,
            "opens_at": period.opens_at,
            "closes_at": period.closes_at,
        }
        self._connection.later(OPEN_PERIOD, when)
        rows = self._connection.execute(
            ALLOCATE,
            when
            | {
                "users": [grant.user for grant in grants],
                "amounts": [grant.amount for grant in grants],
                "balances": [grant.balance for grant in grants],
                "lines": [grant.line for grant in grants],
                "at": at,
            },
        ).fetchall()
        return [UserId(user) for (user,) in rows]

    def burden(self) -> timedelta:
        row = self._connection.execute(BURDEN).fetchone()
        return timedelta(0) if row is None else row[0]

    def mark_allocated(self, subscription: SubscriptionId, first: date) -> None:
        self._connection.execute(MARK_ALLOCATED, {"subscription": subscription, "first": first})

    def lock_over(self, *, at: datetime, limit: int) -> Sequence[Closing]:
        with self._connection.cursor(row_factory=as_object(Closing)) as cursor:
            return cursor.execute(LOCK_OVER, {"at": at, "limit": limit}).fetchall()

    def close(self, closings: Sequence[tuple[Closing, LineId]], *, at: datetime) -> None:
        names = {
            "balances": [closing.balance for closing, _ in closings],
            "remainders": [closing.available for closing, _ in closings],
            "lines": [line for _, line in closings],
            "at": at,
        }
        self._connection.execute(CLOSE, names)

    def warn(self, *, at: datetime, closing_until: datetime, limit: int) -> Sequence[Remainder]:
        with self._connection.cursor(row_factory=as_object(Remainder)) as cursor:
            return cursor.execute(WARN, {"at": at, "until": closing_until, "limit": limit}).fetchall()

    def lock_open(self, user: UserId, *, at: datetime) -> OpenBalance | None:
        with self._connection.cursor(row_factory=as_object(OpenBalance)) as cursor:
            return cursor.execute(LOCK_OPEN, {"user": user, "at": at}).fetchone()

    def adjust(
        self, balance: BalanceId, amount: int, *, line: LineId, by: UserId, reason: str, at: datetime
    ) -> BalanceView:
        names = {"balance": balance, "amount": amount, "line": line, "by": by, "reason": reason, "at": at}
        with self._connection.cursor(row_factory=as_object(BalanceView)) as cursor:
            moved = cursor.execute(ADJUST, names).fetchone()
        if moved is None:
            raise RuntimeError("a locked balance vanished")
        return moved

    def account(
        self, user: UserId, *, periods: int, after: tuple[datetime, UUID] | None, limit: int
    ) -> tuple[Sequence[BalanceView], Sequence[LineView]]:
        occurred_at, last = after or (None, None)
        balances = self._connection.cursor(row_factory=as_object(BalanceView))
        lines = self._connection.cursor(row_factory=as_object(LineView))
        with self._connection.said_first():
            balances.execute(BALANCES_OF_USER, {"user": user, "limit": periods})
            lines.execute(
                LINES_OF_USER, {"user": user, "occurred_at": occurred_at, "id": last, "limit": limit}
            )
        return balances.fetchall(), lines.fetchall()

    def is_employee(self, user: UserId) -> bool:
        return self._connection.execute(IS_EMPLOYEE, {"user": user}).rowcount > 0
