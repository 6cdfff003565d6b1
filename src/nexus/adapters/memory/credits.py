"""Balances and the ledger: the twin of their tables, apart from bookings."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from attrs import evolve

from nexus.adapters.memory.account_rows import BalanceRow, LineRow
from nexus.adapters.memory.tables import updated
from nexus.adapters.memory.world import World
from nexus.application.credits.ports import Closing, Covered, Grant, OpenBalance, Plan
from nexus.application.credits.views import BalanceView, LineView
from nexus.application.identity.running import plan_of
from nexus.domain.credits.events import Remainder
from nexus.domain.credits.ledger import Movement
from nexus.domain.credits.periods import Period
from nexus.domain.kernel.ids import BalanceId, CompanyId, LineId, SubscriptionId, UserId

_DAY = timedelta(days=1)


class MemoryCredits:
    """Keeps the promises of ``PostgresCredits``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def plans(self, *, around: date) -> Sequence[Plan]:
        plans = []
        for row in self._world.subscriptions.values():
            bought, company = row.subscription, self._world.companies[row.subscription.company]
            runs = bought.start_date <= around + _DAY and (
                bought.end_date is None or bought.end_date >= around - _DAY
            )
            if company.is_active and runs:
                plans.append(plan_of(bought, company, allocated_period=row.allocated_period))
        return plans

    def covered(
        self, company: CompanyId, *, at: datetime, after: tuple[datetime, UserId] | None, limit: int
    ) -> Sequence[Covered]:
        people = sorted(
            (
                row.person
                for row in self._world.users.values()
                if row.person.company == company and row.person.is_covered(at=at)
            ),
            key=lambda person: (person.joined_at, person.id),
        )
        return [
            Covered(person.id, person.joined_at, person.monthly_credits)
            for person in people
            if after is None or (person.joined_at, person.id) > after
        ][:limit]

    def allocate(
        self, grants: Sequence[Grant], plan: Plan, period: Period, *, at: datetime
    ) -> Sequence[UserId]:
        if not self._is_open(plan, period):
            return []
        given = []
        for grant in grants:
            if self._has_one_in(grant.user, period):
                continue
            self._world.balances[grant.balance] = BalanceRow(
                id=grant.balance,
                user=grant.user,
                company=plan.company,
                subscription=plan.subscription,
                period_start=period.first,
                period_end=period.until,
                opens_at=period.opens_at,
                closes_at=period.closes_at,
                allocated=grant.amount,
                available=grant.amount,
                last_sequence=0,
            )
            self._write(grant.line, grant.balance, Movement.ALLOCATION, grant.amount, at)
            given.append(grant.user)
        return given

    def burden(self) -> timedelta:
        return timedelta(0)

    def mark_allocated(self, subscription: SubscriptionId, first: date) -> None:
        row = self._world.subscriptions[subscription]
        if row.allocated_period is None or row.allocated_period < first:
            self._world.subscriptions[subscription] = evolve(row, allocated_period=first)

    def lock_over(self, *, at: datetime, limit: int) -> Sequence[Closing]:
        over = sorted(
            (
                balance
                for balance in self._world.balances.values()
                if balance.closed_at is None and balance.closes_at <= at
            ),
            key=lambda balance: (balance.closes_at, balance.id),
        )
        return [
            Closing(
                balance=balance.id,
                user=balance.user,
                available=balance.available,
                closes_at=balance.closes_at,
            )
            for balance in sorted(over[:limit], key=lambda balance: balance.id)
        ]

    def close(self, closings: Sequence[tuple[Closing, LineId]], *, at: datetime) -> None:
        for closing, line in closings:
            if closing.available:
                balance = self._world.balances[closing.balance]
                self._world.balances[balance.id] = updated(
                    balance, available=0, expired=balance.expired + closing.available
                )
                self._write(line, balance.id, Movement.EXPIRY, -closing.available, at)
            self._world.balances[closing.balance] = updated(
                self._world.balances[closing.balance], closed_at=at
            )

    def warn(self, *, at: datetime, closing_until: datetime, limit: int) -> Sequence[Remainder]:
        due = [
            balance
            for balance in sorted(self._world.balances.values(), key=lambda balance: balance.id)
            if balance.is_open(at)
            and balance.warned_at is None
            and balance.available > 0
            and balance.closes_at <= closing_until
        ][:limit]
        self._world.balances |= {balance.id: updated(balance, warned_at=at) for balance in due}
        return [
            Remainder(user=balance.user, credits=balance.available, closes_at=balance.closes_at)
            for balance in due
        ]

    def lock_open(self, user: UserId, *, at: datetime) -> OpenBalance | None:
        found = next((each for each in self._world.balances_of.of(user) if each.is_open(at)), None)
        return None if found is None else OpenBalance(found.id, found.available)

    def adjust(
        self, balance: BalanceId, amount: int, *, line: LineId, by: UserId, reason: str, at: datetime
    ) -> BalanceView:
        before = self._world.balances[balance]
        self._world.balances[balance] = updated(
            before, available=before.available + amount, adjusted=before.adjusted + amount
        )
        self._write(line, balance, Movement.ADJUSTMENT, amount, at, reason=reason, by=by)
        return self._world.balances[balance].view

    def account(
        self, user: UserId, *, periods: int, after: tuple[datetime, UUID] | None, limit: int
    ) -> tuple[Sequence[BalanceView], Sequence[LineView]]:
        balances = [balance.view for balance in self._world.balances_of.of(user)]
        lines = [
            line.view
            for line in self._world.lines.values()
            if line.user == user and (after is None or (line.view.occurred_at, line.view.id) < after)
        ]
        return (
            sorted(balances, key=lambda view: view.period_start, reverse=True)[:periods],
            sorted(lines, key=lambda view: (view.occurred_at, view.id), reverse=True)[:limit],
        )

    def is_employee(self, user: UserId) -> bool:
        row = self._world.users.get(user)
        return row is not None and row.person.company is not None

    def _is_open(self, plan: Plan, period: Period) -> bool:
        """Whether that is a period of the company, if need be from now on."""
        overlaps = any(
            other.opens_at < period.closes_at and period.opens_at < other.closes_at
            for (company, _), (_, other) in self._world.periods.items()
            if company == plan.company
        )
        mine = (plan.subscription, period)
        if not overlaps:
            self._world.periods.setdefault((plan.company, period.first), mine)
        return self._world.periods.get((plan.company, period.first)) == mine

    def _has_one_in(self, user: UserId, period: Period) -> bool:
        return any(balance.period_start == period.first for balance in self._world.balances_of.of(user))

    def _write(
        self,
        line: LineId,
        to: BalanceId,
        movement: Movement,
        amount: int,
        at: datetime,
        *,
        reason: str | None = None,
        by: UserId | None = None,
    ) -> None:
        balance = self._world.balances[to]
        written = LineView(
            id=line,
            balance=to,
            sequence=balance.last_sequence + 1,
            movement=movement,
            amount=amount,
            balance_after=balance.available,
            booking=None,
            reason=reason,
            occurred_at=at,
        )
        self._world.lines[line] = LineRow(user=balance.user, view=written, adjusted_by=by)
        self._world.balances[to] = updated(balance, last_sequence=written.sequence)
