"""What an employee sees of their credits."""

from datetime import date, datetime

from attrs import frozen

from nexus.domain.credits.ledger import Movement
from nexus.domain.kernel.ids import BalanceId, BookingId, LineId


@frozen(kw_only=True)
class BalanceView:
    """What was given for one period and what became of it."""

    id: BalanceId
    period_start: date
    period_end: date
    opens_at: datetime
    closes_at: datetime
    allocated: int
    available: int
    used: int
    refunded: int
    forfeited: int
    adjusted: int
    expired: int


@frozen(kw_only=True)
class LineView:
    """One movement."""

    id: LineId
    balance: BalanceId
    sequence: int
    movement: Movement
    amount: int
    balance_after: int
    booking: BookingId | None
    reason: str | None
    occurred_at: datetime


@frozen(kw_only=True)
class CreditsView:
    """
    What is available now, the balances of the last two years, and a page of movements.

    ``current`` is the balance open now; the latest movements come first, by
    (``occurred_at``, ``id``).
    """

    available: int
    current: BalanceView | None
    balances: tuple[BalanceView, ...]
    lines: tuple[LineView, ...]
