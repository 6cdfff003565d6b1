"""The judge's part about credits: every line and balance that a step wrote."""

from datetime import timedelta
from typing import Any

from nexus.adapters.memory.tables import ABSENT
from nexus.domain.credits.ledger import Movement
from tests.sim.books import REFUNDS, Books, Paid, broken, must
from tests.sim.steps import Step
from tests.sim.units import SimWorld


class LedgerJudge:
    """Looks at lines and balances."""

    def __init__(self, world: SimWorld, books: Books) -> None:
        self.world, self.books = world, books

    def _lines(self, rows: dict[Any, Any], step: Step) -> list[Any]:
        """The new lines, each allowed to be there."""
        new = []
        for key, old in rows.items():
            must(old is ABSENT, "I7", "a ledger line was changed")
            new.append(self.world.lines[key])
        new.sort(key=lambda row: row.view.sequence)
        for row in new:
            self._line_of_ledger(row, step)
        return new

    def _line_of_ledger(self, row: Any, step: Step) -> None:
        line, at = row.view, step.at
        balance = self.world.balances[line.balance]
        movement, books = line.movement, self.books
        must(movement.allows(line.amount), "I5", "{} of {}", movement, line.amount)
        must(row.user == balance.user, "I5", "a line of somebody else's balance")
        if movement is Movement.BOOKING_DEBIT:
            must(balance.opens_at <= at < balance.closes_at, "I5", "paid from a balance that is not open")
            must(line.booking not in books.paid, "I6", "a booking was charged twice")
            books.paid[line.booking] = Paid(line.id, line.balance, -line.amount)
        elif movement in REFUNDS or movement is Movement.FORFEIT:
            paid = books.paid.get(line.booking)
            if paid is None:
                broken("I6", "{} without a debit", movement)
            must(row.reverses == paid.line, "I6", "{} names another debit", movement)
            must(not paid.settled, "I6", "{} of a debit that is settled", movement)
            paid.refunded += line.amount
            must(paid.refunded <= paid.amount, "I6", "more came back than was paid")
            paid.settled = movement is not Movement.PARTIAL_REFUND
            if movement in REFUNDS:
                source = self.world.balances[paid.balance]
                mine = [b for b in self.world.balances.values() if b.user == row.user and b.is_open(at)]
                goal = source if source.is_open(at) or not mine else mine[0]
                must(line.balance == goal.id, "I5", "a refund went to the wrong period")
        elif movement is Movement.EXPIRY:
            must(at >= balance.closes_at, "I5", "credits of an open period expired")
        elif movement is Movement.ALLOCATION:
            must(balance.opens_at <= at < balance.closes_at, "I13", "credits of a period that is not now")
            must(step.verb == "allocate", "I13", "credits out of nowhere")

    def _balances(self, rows: dict[Any, Any], lines: list[Any], step: Step) -> None:
        by_balance: dict[Any, list[Any]] = {}
        for row in lines:
            by_balance.setdefault(row.view.balance, []).append(row.view)
        for key, old in rows.items():
            new = self.world.balances[key]
            before = 0 if old is ABSENT else old.available
            sequence = 0 if old is ABSENT else old.last_sequence
            sums: dict[Movement, int] = {}
            for line in by_balance.get(key, ()):
                sequence += 1
                before += line.amount
                sums[line.movement] = sums.get(line.movement, 0) + line.amount
                must(line.sequence == sequence, "I5", "a hole in the sequence of a balance")
                must(line.balance_after == before, "I5", "balance_after does not chain")
            must(new.available == before >= 0, "I5", "a balance of {}, lines say {}", new.available, before)
            must(new.last_sequence == sequence, "I5", "the sequence does not follow the lines")
            if old is ABSENT:
                self._period(new, step)
                continue
            self._counters(old, new, sums)
            must(new.closed_at is None or not new.available, "I5", "a closed balance keeps credits")
            if new.closed_at != old.closed_at:
                must(old.closed_at is None, "I5", "a balance was closed twice")
                must(step.at >= new.closes_at, "I5", "an open period was closed")
            if new.warned_at != old.warned_at:
                must(old.warned_at is None, "I12", "warned twice")
                must(new.closes_at - step.at <= timedelta(days=7), "I12", "warned too early")
        must(by_balance.keys() <= rows.keys(), "I5", "a line without its balance")

    def _counters(self, old: Any, new: Any, sums: dict[Movement, int]) -> None:
        """What a balance counts of each kind of movement is what its lines say."""
        back = sums.get(Movement.REFUND_CREDIT, 0) + sums.get(Movement.PARTIAL_REFUND, 0)
        said = {
            "used": -sums.get(Movement.BOOKING_DEBIT, 0),
            "refunded": back,
            "expired": -sums.get(Movement.EXPIRY, 0),
            "adjusted": sums.get(Movement.ADJUSTMENT, 0),
        }
        counted = {
            "used": new.used - old.used,
            "refunded": new.refunded - old.refunded,
            "expired": new.expired - old.expired,
            "adjusted": new.adjusted - old.adjusted,
        }
        for name in said if counted != said else ():
            must(counted[name] == said[name], "I5", "{} is miscounted", name)

    def _period(self, new: Any, step: Step) -> None:
        company = self.world.subscriptions[new.subscription].subscription
        must(new.allocated == new.available == company.credits_per_employee, "I5", "a wrong allocation")
        for other in self.world.balances.values():
            if other.user == new.user and other.id != new.id:
                apart = other.closes_at <= new.opens_at or new.closes_at <= other.opens_at
                must(apart, "I13", "two periods of one person overlap")
