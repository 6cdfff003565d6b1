"""
The ledger of one employee's credits: balances, and every movement as one line.

::

    allocation      +  a period begins
    booking_debit   -  a place is paid
    refund_credit   +  all that is left of a debit comes back; settles it
    partial_refund  +  some of a debit comes back
    forfeit         0  nothing more comes back; settles the debit
    adjustment     +/- a platform admin corrects, with a reason
    expiry          -  what is left when the period closes
"""

from datetime import datetime
from enum import StrEnum

from attrs import define, evolve, field, frozen

from nexus.domain.kernel.errors import Conflict, InvalidValue
from nexus.domain.kernel.ids import BalanceId, BookingId, LineId, UserId


class Movement(StrEnum):
    """The kinds of lines."""

    ALLOCATION = "allocation"
    BOOKING_DEBIT = "booking_debit"
    REFUND_CREDIT = "refund_credit"
    PARTIAL_REFUND = "partial_refund"
    FORFEIT = "forfeit"
    ADJUSTMENT = "adjustment"
    EXPIRY = "expiry"

    def allows(self, amount: int) -> bool:
        """Whether a line of this kind may move so many credits."""
        match self:
            case Movement.ALLOCATION | Movement.REFUND_CREDIT | Movement.PARTIAL_REFUND:
                return amount > 0
            case Movement.BOOKING_DEBIT | Movement.EXPIRY:
                return amount < 0
            case Movement.FORFEIT:
                return amount == 0
            case Movement.ADJUSTMENT:
                return amount != 0


@frozen
class InsufficientCredits(Conflict):
    """The balance does not cover the price."""

    balance: int
    price: int


@frozen
class NoOpenBalance(Conflict):
    """There is no balance open at this moment."""


@frozen
class AlreadySettled(Conflict):
    """What was paid for this booking has been refunded or forfeited already."""


@frozen
class RefundExceedsPrice(Conflict):
    """More would come back than is left of the price."""

    left: int


@frozen(kw_only=True)
class Line:
    """One movement; ``reverses`` names the debit that a refund or forfeit belongs to."""

    id: LineId
    balance: BalanceId
    sequence: int
    movement: Movement
    amount: int
    balance_after: int
    at: datetime
    booking: BookingId | None = None
    reverses: LineId | None = None
    reason: str | None = None
    by: UserId | None = None

    def __attrs_post_init__(self) -> None:
        if not self.movement.allows(self.amount):
            raise InvalidValue("amount", f"{self.movement} cannot move {self.amount}")


@frozen(kw_only=True)
class Balance:
    """What one employee has for one period, [``opens_at``, ``closes_at``)."""

    id: BalanceId
    opens_at: datetime
    closes_at: datetime
    available: int = 0
    last_sequence: int = 0
    closed_at: datetime | None = None


@define
class Ledger:
    """
    One employee's balances and lines, as they must behave whatever stores them.

    The stores guard the same rules in their own statements; this one is what
    they are compared with. A refused movement leaves no trace.
    """

    balances: dict[BalanceId, Balance] = field(factory=dict)
    lines: dict[LineId, Line] = field(factory=dict)

    def allocate(self, line: LineId, balance: Balance, amount: int, *, at: datetime) -> bool:
        """Open a balance with its credits; ``False`` if its period has one already."""
        if self._has_one_for(balance):
            return False
        self.balances[balance.id] = balance
        self._write(line, balance.id, Movement.ALLOCATION, amount, at)
        return True

    def debit(self, line: LineId, booking: BookingId, price: int, *, at: datetime) -> Line:
        """
        Pay a place from the balance open now.

        Raises:
            InsufficientCredits: It does not cover the price, or none is open.
        """
        balance = self.open_at(at)
        if balance is None:
            raise InsufficientCredits(0, price)
        if not self._covers(balance, price):
            raise InsufficientCredits(balance.available, price)
        return self._write(line, balance.id, Movement.BOOKING_DEBIT, -price, at, booking=booking)

    def refund(self, line: LineId, debit: LineId, *, at: datetime, expiry: LineId) -> Line:
        """
        Give back all that is left of a debit.

        Raises:
            AlreadySettled: It was refunded in full or forfeited before.
        """
        self._must_be_open(debit)
        amount = self.left_of(debit)
        if amount == 0:
            raise AlreadySettled
        return self._give_back(line, debit, Movement.REFUND_CREDIT, amount, at=at, expiry=expiry)

    def refund_partly(
        self, line: LineId, debit: LineId, amount: int, *, at: datetime, expiry: LineId
    ) -> Line:
        """
        Give back some of a debit; it may be done again.

        Raises:
            AlreadySettled: It was refunded in full or forfeited before.
            RefundExceedsPrice: So much is not left of it.
        """
        self._must_be_open(debit)
        if amount > self.left_of(debit):
            raise RefundExceedsPrice(self.left_of(debit))
        return self._give_back(line, debit, Movement.PARTIAL_REFUND, amount, at=at, expiry=expiry)

    def forfeit(self, line: LineId, debit: LineId, *, at: datetime) -> Line:
        """
        Note that nothing more of a debit comes back; it was charged already.

        Raises:
            AlreadySettled: It was refunded in full or forfeited before.
        """
        self._must_be_open(debit)
        paid = self.lines[debit]
        return self._write(line, paid.balance, Movement.FORFEIT, 0, at, booking=paid.booking, reverses=debit)

    def adjust(self, line: LineId, amount: int, *, at: datetime, by: UserId, reason: str) -> Line:
        """
        Correct the balance open now.

        Raises:
            NoOpenBalance: None is open.
            InsufficientCredits: It would fall below zero.
        """
        balance = self.open_at(at)
        if balance is None:
            raise NoOpenBalance
        if not self._covers(balance, -amount):
            raise InsufficientCredits(balance.available, -amount)
        return self._write(line, balance.id, Movement.ADJUSTMENT, amount, at, by=by, reason=reason)

    def expire(self, line: LineId, balance: BalanceId, *, at: datetime) -> bool:
        """Close a balance whose period is over; what is left expires. ``False``: nothing to close."""
        closing = self.balances[balance]
        if closing.closed_at is not None or not self._is_over(closing, at):
            return False
        if closing.available:
            self._write(line, balance, Movement.EXPIRY, -closing.available, at)
        self.balances[balance] = evolve(self.balances[balance], closed_at=at)
        return True

    def open_at(self, at: datetime) -> Balance | None:
        """The balance whose period contains the instant, unless it was closed."""
        return next((balance for balance in self.balances.values() if self._is_open(balance, at)), None)

    def left_of(self, debit: LineId) -> int:
        """What has not come back yet of a debit."""
        return -self.lines[debit].amount - sum(line.amount for line in self._reversals(debit))

    def _give_back(
        self, line: LineId, debit: LineId, movement: Movement, amount: int, *, at: datetime, expiry: LineId
    ) -> Line:
        paid = self.lines[debit]
        to = self._destination(paid, at)
        written = self._write(line, to, movement, amount, at, booking=paid.booking, reverses=debit)
        if self.balances[to].closed_at is not None:
            # Whoever has no open balance any more gets the fact, not the credits.
            self._write(expiry, to, Movement.EXPIRY, -amount, at)
        return written

    def _destination(self, debit: Line, at: datetime) -> BalanceId:
        if self._is_open(self.balances[debit.balance], at):
            return debit.balance
        current = self.open_at(at)
        return debit.balance if current is None else current.id

    def _must_be_open(self, debit: LineId) -> None:
        if self._is_settled(debit):
            raise AlreadySettled

    def _is_settled(self, debit: LineId) -> bool:
        final = (Movement.REFUND_CREDIT, Movement.FORFEIT)
        return any(line.movement in final for line in self._reversals(debit))

    def _reversals(self, debit: LineId) -> list[Line]:
        return [line for line in self.lines.values() if line.reverses == debit]

    def _has_one_for(self, balance: Balance) -> bool:
        return any(
            other.opens_at < balance.closes_at and balance.opens_at < other.closes_at
            for other in self.balances.values()
        )

    @staticmethod
    def _covers(balance: Balance, price: int) -> bool:
        return balance.available >= price

    @staticmethod
    def _is_open(balance: Balance, at: datetime) -> bool:
        return balance.closed_at is None and balance.opens_at <= at < balance.closes_at

    @staticmethod
    def _is_over(balance: Balance, at: datetime) -> bool:
        return balance.closes_at <= at

    def _write(
        self,
        line: LineId,
        to: BalanceId,
        movement: Movement,
        amount: int,
        at: datetime,
        *,
        booking: BookingId | None = None,
        reverses: LineId | None = None,
        reason: str | None = None,
        by: UserId | None = None,
    ) -> Line:
        balance = self.balances[to]
        written = Line(
            id=line,
            balance=to,
            sequence=balance.last_sequence + 1,
            movement=movement,
            amount=amount,
            balance_after=balance.available + amount,
            at=at,
            booking=booking,
            reverses=reverses,
            reason=reason,
            by=by,
        )
        self.lines[line] = written
        self.balances[to] = evolve(balance, available=written.balance_after, last_sequence=written.sequence)
        return written
