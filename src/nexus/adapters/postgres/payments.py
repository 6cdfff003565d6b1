"""Credits that go back to families, or are gone."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Final, LiteralString

from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.rows import as_object
from nexus.adapters.postgres.whom import PLATFORM
from nexus.application.booking.ports import Posting, Purse
from nexus.domain.booking.bookings import Booking
from nexus.domain.kernel.ids import UserId

PURSES: Final[LiteralString] = """
    SELECT id AS balance, user_id AS parent,
           closed_at IS NULL AND opens_at <= %(at)s AND closes_at > %(at)s AS is_open
      FROM user_credit_balances
"""

LOCK_PURSES: Final[LiteralString] = (
    PURSES
    + """
     WHERE id = ANY (%(balances)s)
        OR (user_id = ANY (%(parents)s) AND closed_at IS NULL AND opens_at <= %(at)s AND closes_at > %(at)s)
     ORDER BY id
       FOR UPDATE
"""
)

# Several lines of one balance get consecutive numbers and chain in their order.
POST: Final[LiteralString] = """
    WITH posting AS (
        SELECT *, count(*) OVER chain AS nth, sum(amount) OVER chain AS moved
          FROM unnest(%(lines)s::uuid[], %(balances)s::uuid[], %(users)s::uuid[], %(types)s::text[],
                      %(amounts)s::int[], %(bookings)s::uuid[], %(reverses)s::uuid[], %(forfeited)s::int[])
               WITH ORDINALITY
               AS p (line, balance, owner, type, amount, booking, reverses, forfeited, ordinal)
        WINDOW chain AS (PARTITION BY balance ORDER BY ordinal)
    ), total AS (
        SELECT balance, count(*) AS lines, sum(amount) AS amount, sum(forfeited) AS forfeited,
               coalesce(sum(amount) FILTER (WHERE type IN ('refund_credit', 'partial_refund')), 0) AS refunded,
               coalesce(-sum(amount) FILTER (WHERE type = 'expiry'), 0) AS expired
          FROM posting
         GROUP BY balance
    ), moved AS (
        UPDATE user_credit_balances b
           SET credits_available = b.credits_available + t.amount,
               credits_refunded = b.credits_refunded + t.refunded,
               credits_forfeited = b.credits_forfeited + t.forfeited,
               credits_expired = b.credits_expired + t.expired,
               last_sequence = b.last_sequence + t.lines
          FROM total t
         WHERE b.id = t.balance
        RETURNING b.id, b.credits_available - t.amount AS before, b.last_sequence - t.lines AS sequence
    )
    INSERT INTO credit_ledger (
        id, balance_id, user_id, sequence, transaction_type, amount, balance_after,
        booking_id, reverses, occurred_at)
    SELECT p.line, p.balance, p.owner, m.sequence + p.nth, p.type, p.amount, m.before + p.moved,
           p.booking, CASE WHEN p.type <> 'expiry' THEN p.reverses END, %(at)s
      FROM posting p
      JOIN moved m ON m.id = p.balance
"""


class PostgresPayments:
    """The tables ``user_credit_balances`` and ``credit_ledger``, as refunds and forfeits write them."""

    def __init__(self, connection: WalledConnection) -> None:
        self._connection = connection

    def lock_purses(self, bookings: Sequence[Booking], *, at: datetime) -> tuple[Purse, ...]:
        values = {
            "balances": [booking.balance for booking in bookings],
            "parents": [booking.parent for booking in bookings],
            "at": at,
        }
        with (
            self._concerning(booking.parent for booking in bookings),
            self._connection.cursor(row_factory=as_object(Purse)) as cursor,
        ):
            return tuple(cursor.execute(LOCK_PURSES, values).fetchall())

    def post(self, postings: Sequence[Posting], *, at: datetime) -> None:
        values = {
            "lines": [posting.line for posting in postings],
            "balances": [posting.balance for posting in postings],
            "users": [posting.parent for posting in postings],
            "types": [posting.movement.value for posting in postings],
            "amounts": [posting.amount for posting in postings],
            "bookings": [posting.booking for posting in postings],
            "reverses": [posting.reverses for posting in postings],
            "forfeited": [posting.forfeited for posting in postings],
            "at": at,
        }
        with self._concerning(posting.parent for posting in postings):
            self._connection.later(POST, values)

    def _concerning(self, people: Iterable[UserId]) -> AbstractContextManager[None]:
        # A venue that gives places back moves other people's credits, which it may not see.
        own = self._connection.acts_only_for(people)
        return nullcontext() if own else self._connection.acting_for(PLATFORM)
