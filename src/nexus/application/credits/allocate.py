"""Give each covered employee the credits of the period."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Final

from attrs import frozen

from nexus.application.credits.ports import Covered, CreditWork, Grant, Plan
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.credits.events import CreditsAllocated
from nexus.domain.credits.periods import Period
from nexus.domain.kernel.ids import BalanceId, EventId, LineId, UserId

BATCH: Final = 2000

SideBySide = Callable[[Iterable[Iterator[int]]], Iterator[int]]
"""What several streams yield, one after the other or as it comes; nobody asks a stream for more after the end."""


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

    Companies are given theirs *side by side*, as many at a time as that takes up.

    A month for many people keeps the store as busy as it can be. While families book,
    each batch is followed by a *rest*, which is told how long it took: in seconds, once it is
    committed.
    """

    begin: Begin[CreditWork]
    now: Clock
    new_id: NewId
    batch: int = BATCH
    rest: Callable[[float], object] = float
    side_by_side: SideBySide = chain.from_iterable

    def __call__(self) -> int:
        """How many employees were given credits."""
        at = self.now()
        with self.begin() as work:
            plans = work.credits.plans(around=at.date())
        due = (
            (plan, period)
            for plan in plans
            if (period := plan.calendar.period_at(at)) is not None
            and (plan.allocated_period is None or plan.allocated_period < period.first)
        )
        return sum(self.side_by_side(self._batches(plan, period, at) for plan, period in due))

    def _batches(self, plan: Plan, period: Period, at: datetime) -> Iterator[int]:
        """How many were given credits, batch by batch."""
        left = plan.covered_employees
        after: tuple[datetime, UserId] | None = None
        while True:
            with self.begin() as work:
                # One batch of a company at a time: batches that wait for each
                # other's rows would only find them given.
                work.subscriptions.lock(plan.subscription)
                size = min(left, self.batch)
                people = work.credits.covered(plan.company, at=at, after=after, limit=size)
                given = 0
                if people:
                    given = len(grant(work, people, plan, period, at=at, new_id=self.new_id))
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
            yield given
            if is_done:
                return
