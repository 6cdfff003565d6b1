"""Give each covered employee the credits of the period."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from attrs import frozen

from nexus.application.credits.ports import Covered, CreditWork, Grant, Plan
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.credits.events import CreditsAllocated
from nexus.domain.credits.periods import Period
from nexus.domain.kernel.ids import BalanceId, EventId, LineId, UserId

BATCH: Final = 2000


def grant(
    work: CreditWork,
    people: Sequence[Covered],
    plan: Plan,
    period: Period,
    *,
    at: datetime,
    new_id: NewId,
) -> Sequence[UserId]:
    """Give these people the period's credits; whoever has them already is left alone."""
    given = work.credits.allocate(
        [
            Grant(
                user=person.user,
                amount=person.monthly_credits or plan.credits_per_employee,
                balance=BalanceId(new_id()),
                line=LineId(new_id()),
            )
            for person in people
        ],
        plan,
        period,
        at=at,
    )
    if given:
        work.outbox.add(
            CreditsAllocated(
                id=EventId(new_id()),
                at=at,
                company=plan.company,
                subscription=plan.subscription,
                period_start=period.first,
                closes_at=period.closes_at,
                users=tuple(given),
            )
        )
    return given


@frozen
class AllocateCredits:
    """
    Open the balances of every period that has begun.

    A subscription covers its first employees by the day they joined. It may run
    late, twice or several times at once: each employee and period is given once.
    A batch is a transaction, so an interrupted run is continued by the next one.

    A month for many people keeps the store as busy as it can be. While families book,
    each batch is followed by a *rest* as long as itself: in seconds, once it is committed.
    """

    begin: Begin[CreditWork]
    now: Clock
    new_id: NewId
    batch: int = BATCH
    rest: Callable[[float], object] = float

    def __call__(self) -> int:
        """How many employees were given credits."""
        at = self.now()
        with self.begin() as work:
            plans = work.credits.plans(around=at.date())
        total = 0
        for plan in plans:
            period = plan.calendar.period_at(at)
            if period is not None and (plan.allocated_period is None or plan.allocated_period < period.first):
                total += self._allocate(plan, period, at)
        return total

    def _allocate(self, plan: Plan, period: Period, at: datetime) -> int:
        total = 0
        left = plan.covered_employees
        after: tuple[datetime, UserId] | None = None
        while True:
            with self.begin() as work:
                # One batch of a company at a time: batches that wait for each
                # other's rows would only find them given.
                work.subscriptions.lock(plan.subscription)
                size = min(left, self.batch)
                people = work.credits.covered(plan.company, at=at, after=after, limit=size)
                if people:
                    given = len(grant(work, people, plan, period, at=at, new_id=self.new_id))
                    total += given
                    work.audit.add(
                        Deed(
                            Action.CREDITS_ALLOCATED,
                            plan.subscription,
                            new={"period": period.first, "people": given},
                            company=plan.company,
                        )
                    )
                    after = (people[-1].joined_at, people[-1].user)
                    left -= len(people)
                is_done = False
                if len(people) < size or not left:
                    work.credits.mark_allocated(plan.subscription, period.first)
                    is_done = True
                burden = work.credits.burden()
            self.rest(burden.total_seconds())
            if is_done:
                return total
