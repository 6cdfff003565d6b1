"""
A ledger driven at random beside a model of it; and twenty broken ledgers that it must catch.

Amounts are 1 to 4, so that edges meet: with larger ones planted bugs were missed.
"""

from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from uuid import UUID

import pytest
from _pytest.outcomes import Failed
from attrs import evolve
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from nexus.domain.credits.ledger import (
    AlreadySettled,
    Balance,
    InsufficientCredits,
    Ledger,
    Line,
    Movement,
    NoOpenBalance,
    RefundExceedsPrice,
)
from nexus.domain.kernel.errors import Refusal

START = datetime(2026, 1, 1, tzinfo=UTC)
PERIOD = timedelta(hours=4)
FINAL = (Movement.REFUND_CREDIT, Movement.FORFEIT)


class LedgerMachine(RuleBasedStateMachine):
    """Hours pass, periods of four hours follow each other; what may be refused is predicted."""

    ledger_class = Ledger

    def __init__(self):
        super().__init__()
        self.ledger = self.ledger_class()
        self.ids = map(UUID, map("{:032x}".format, count(1)))
        self.at = START
        self.has = {}  # period number -> what is available in it, by our own count
        self.closed = set()
        self.paid = []  # [debit's line, price, returned, settled, period]

    @property
    def period(self):
        return (self.at - START) // PERIOD

    def balance_id(self, period):
        return UUID(int=10**9 + period)

    @property
    def open(self):
        return self.period if self.period in self.has and self.period not in self.closed else None

    @rule(hours=st.integers(1, 4))
    def wait(self, hours):
        self.at += timedelta(hours=hours)

    @rule(amount=st.integers(1, 4))
    def give(self, amount):
        self.allocate(amount)

    def allocate(self, amount):
        opens = START + self.period * PERIOD
        balance = Balance(id=self.balance_id(self.period), opens_at=opens, closes_at=opens + PERIOD)
        done = self.ledger.allocate(next(self.ids), balance, amount, at=self.at)
        assert done == (self.period not in self.has)
        if done:
            self.has[self.period] = amount

    @rule(price=st.integers(1, 4))
    def book(self, price):
        affordable = self.open is not None and self.has[self.open] >= price
        if not affordable:
            with pytest.raises(InsufficientCredits) as refused:
                self.ledger.debit(next(self.ids), next(self.ids), price, at=self.at)
            balance = self.has[self.open] if self.open is not None else 0
            assert refused.value.members() == {"balance": balance, "price": price}
            return
        line = self.ledger.debit(next(self.ids), next(self.ids), price, at=self.at)
        assert line.amount == -price
        self.has[self.open] -= price
        self.paid.append([line.id, price, 0, False, self.open])

    def destination(self, period):
        if self.open is None or self.open == period:
            return period
        return self.open

    def credit(self, period, amount):
        to = self.destination(period)
        if to not in self.closed:
            self.has[to] += amount

    @precondition(lambda self: self.paid)
    @rule(data=st.data())
    def refund(self, data):
        debit = data.draw(st.sampled_from(self.paid))
        line, price, returned, settled, period = debit
        if settled or returned == price:
            with pytest.raises(AlreadySettled):
                self.ledger.refund(next(self.ids), line, at=self.at, expiry=next(self.ids))
            return
        refund = self.ledger.refund(next(self.ids), line, at=self.at, expiry=next(self.ids))
        assert refund.amount == price - returned
        self.credit(period, price - returned)
        debit[2:4] = price, True

    @precondition(lambda self: self.paid)
    @rule(data=st.data(), amount=st.integers(1, 4))
    def refund_partly(self, data, amount):
        debit = data.draw(st.sampled_from(self.paid))
        line, price, returned, settled, period = debit
        refused = AlreadySettled if settled else RefundExceedsPrice if amount > price - returned else None
        if refused:
            with pytest.raises(refused):
                self.ledger.refund_partly(next(self.ids), line, amount, at=self.at, expiry=next(self.ids))
            return
        self.ledger.refund_partly(next(self.ids), line, amount, at=self.at, expiry=next(self.ids))
        self.credit(period, amount)
        debit[2] += amount

    @precondition(lambda self: self.paid)
    @rule(data=st.data())
    def forfeit(self, data):
        debit = data.draw(st.sampled_from(self.paid))
        if debit[3]:
            with pytest.raises(AlreadySettled):
                self.ledger.forfeit(next(self.ids), debit[0], at=self.at)
            return
        self.ledger.forfeit(next(self.ids), debit[0], at=self.at)
        debit[3] = True

    @rule(amount=st.integers(-4, 4).filter(bool))
    def adjust(self, amount):
        refused = (
            NoOpenBalance
            if self.open is None
            else InsufficientCredits
            if self.has[self.open] + amount < 0
            else None
        )
        if refused:
            with pytest.raises(refused):
                self.ledger.adjust(next(self.ids), amount, at=self.at, by=UUID(int=1), reason="goodwill")
            return
        self.ledger.adjust(next(self.ids), amount, at=self.at, by=UUID(int=1), reason="goodwill")
        self.has[self.open] += amount

    @precondition(lambda self: self.open is not None)
    @rule(amount=st.integers(1, 4), swept=st.booleans(), follows=st.booleans())
    def let_the_period_end(self, amount, swept, follows):
        ended = self.period
        self.at = START + (ended + 1) * PERIOD
        if swept:
            self.sweep(ended)
        if follows:
            self.allocate(amount)

    @precondition(lambda self: self.has)
    @rule(data=st.data())
    def expire(self, data):
        self.sweep(data.draw(st.sampled_from(sorted(self.has))))

    def sweep(self, period):
        over = START + (period + 1) * PERIOD <= self.at
        done = self.ledger.expire(next(self.ids), self.balance_id(period), at=self.at)
        assert done == (over and period not in self.closed)
        if done:
            self.closed.add(period)
            self.has[period] = 0

    @invariant()
    def balances_are_what_we_counted(self):
        shown = {balance.id: balance.available for balance in self.ledger.balances.values()}
        assert shown == {self.balance_id(period): available for period, available in self.has.items()}

    @invariant()
    def lines_chain_and_add_up(self):
        for balance in self.ledger.balances.values():
            lines = [line for line in self.ledger.lines.values() if line.balance == balance.id]
            assert [line.sequence for line in lines] == list(range(1, len(lines) + 1))
            assert lines[0].movement is Movement.ALLOCATION
            assert balance.last_sequence == len(lines)
            assert balance.available == sum(line.amount for line in lines) >= 0
            assert lines[0].balance_after == lines[0].amount
            for before, after in pairwise(lines):
                assert after.balance_after == before.balance_after + after.amount >= 0

    @invariant()
    def signs_match_and_refunds_stay_below_their_debit(self):
        for debit in self.ledger.lines.values():
            assert debit.movement.allows(debit.amount)
            reversals = [line for line in self.ledger.lines.values() if line.reverses == debit.id]
            assert not reversals or debit.movement is Movement.BOOKING_DEBIT
            assert sum(line.amount for line in reversals) <= max(-debit.amount, 0)
            assert sum(line.movement in FINAL for line in reversals) <= 1
            assert all(line.booking == debit.booking for line in reversals)


THOROUGH = settings(max_examples=150, stateful_step_count=30, deadline=None)
QUICK = settings(
    max_examples=600,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)


def test_the_ledger_keeps_every_rule_whatever_happens():
    run_state_machine_as_test(LedgerMachine, settings=THOROUGH)


class NeedsOneMore(Ledger):
    @staticmethod
    def _covers(balance, price):
        return balance.available > price


class Overdraws(Ledger):
    @staticmethod
    def _covers(balance, price):
        return balance.available + 1 >= price


class StaysOpenOneInstant(Ledger):
    @staticmethod
    def _is_open(balance, at):
        return balance.closed_at is None and balance.opens_at <= at <= balance.closes_at


class OpensLate(Ledger):
    @staticmethod
    def _is_open(balance, at):
        return balance.closed_at is None and balance.opens_at < at < balance.closes_at


class ForgetsEarlierRefunds(Ledger):
    def left_of(self, debit):
        return -self.lines[debit].amount


class CountsOnlyTheLastRefund(Ledger):
    def left_of(self, debit):
        amounts = [line.amount for line in self._reversals(debit)]
        return -self.lines[debit].amount - sum(amounts[-1:])


class SettlesTwice(Ledger):
    def _is_settled(self, debit):
        return False


class RefundsTheForfeited(Ledger):
    def _is_settled(self, debit):
        return any(line.movement is Movement.REFUND_CREDIT for line in self._reversals(debit))


class RefundsToTheOldBalance(Ledger):
    def _destination(self, debit, at):
        return debit.balance


class RefundsToAnyBalance(Ledger):
    def _destination(self, debit, at):
        return next(reversed(self.balances))


class AllocatesAgain(Ledger):
    def _has_one_for(self, balance):
        return False


class ExpiresEarly(Ledger):
    @staticmethod
    def _is_over(balance, at):
        return balance.closes_at - timedelta(hours=1) <= at


class ExpiresLate(Ledger):
    @staticmethod
    def _is_over(balance, at):
        return balance.closes_at < at


class ExpiresWithoutClosing(Ledger):
    def expire(self, line, balance, *, at):
        done = super().expire(line, balance, at=at)
        self.balances[balance] = evolve(self.balances[balance], closed_at=None)
        return done


class ClosesWithoutExpiring(Ledger):
    def expire(self, line, balance, *, at):
        closing = self.balances[balance]
        if closing.closed_at is not None or not self._is_over(closing, at):
            return False
        self.balances[balance] = evolve(closing, closed_at=at)
        return True


class RevivesTheExpired(Ledger):
    def _give_back(self, line, debit, movement, amount, *, at, expiry):
        paid = self.lines[debit]
        to = self._destination(paid, at)
        return self._write(line, to, movement, amount, at, booking=paid.booking, reverses=debit)


class ChargesTheForfeitAgain(Ledger):
    def forfeit(self, line, debit, *, at):
        written = super().forfeit(line, debit, at=at)
        balance = self.balances[written.balance]
        self.balances[balance.id] = evolve(balance, available=max(0, balance.available - 1))
        return written


class RepeatsASequence(Ledger):
    def _write(self, line, to, movement, *args, **more):
        written = super()._write(line, to, movement, *args, **more)
        if movement is Movement.ADJUSTMENT:
            balance = self.balances[to]
            self.balances[to] = evolve(balance, last_sequence=balance.last_sequence - 1)
        return written


class LosesTheChain(Ledger):
    def _write(self, line, to, movement, amount, *args, **more):
        written = super()._write(line, to, movement, amount, *args, **more)
        if movement is Movement.PARTIAL_REFUND:
            self.lines[line] = evolve(written, balance_after=written.balance_after - amount)
        return written


class ForgetsTheBooking(Ledger):
    def _write(self, *args, **more):
        if more.get("reverses"):
            more["booking"] = None
        return super()._write(*args, **more)


CAUGHT = (AssertionError, Failed, Refusal)
BROKEN = [cls for cls in Ledger.__subclasses__() if cls.__module__ == __name__]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: cls.__name__)
def test_a_broken_ledger_is_caught(broken):
    """The negative control: each planted bug makes the machine fail."""

    class Machine(LedgerMachine):
        ledger_class = broken

    with pytest.raises(CAUGHT):
        run_state_machine_as_test(Machine, settings=QUICK)


def test_no_line_has_an_amount_that_its_kind_forbids():
    for movement in Movement:
        allowed = {amount for amount in (-1, 0, 1) if movement.allows(amount)}
        expected = {
            Movement.ALLOCATION: {1},
            Movement.BOOKING_DEBIT: {-1},
            Movement.REFUND_CREDIT: {1},
            Movement.PARTIAL_REFUND: {1},
            Movement.FORFEIT: {0},
            Movement.ADJUSTMENT: {-1, 1},
            Movement.EXPIRY: {-1},
        }[movement]
        assert allowed == expected
    with pytest.raises(Exception, match="cannot move"):
        Line(
            id=UUID(int=1),
            balance=UUID(int=2),
            sequence=1,
            movement=Movement.ALLOCATION,
            amount=0,
            balance_after=0,
            at=START,
        )
