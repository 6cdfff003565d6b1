"""What use cases about credits ask of a store."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from attrs import frozen

from nexus.application.credits.views import BalanceView, LineView
from nexus.application.kernel.audit import AuditWork
from nexus.application.kernel.ports import Outbox
from nexus.domain.credits.events import Remainder
from nexus.domain.credits.periods import Calendar, Period
from nexus.domain.kernel.ids import BalanceId, CompanyId, LineId, SubscriptionId, UserId


@frozen(kw_only=True)
class Plan:
    """What a subscription gives, to how many, and when."""

    subscription: SubscriptionId
    company: CompanyId
    covered_employees: int
    credits_per_employee: int
    billing_day: int
    start_date: date
    end_date: date | None
    time_zone: str
    allocated_period: date | None

    @property
    def calendar(self) -> Calendar:
        return Calendar(
            billing_day=self.billing_day,
            start_date=self.start_date,
            end_date=self.end_date,
            time_zone=self.time_zone,
        )


@frozen
class Covered:
    """An employee in the order in which a subscription covers them, and an amount of their own."""

    user: UserId
    joined_at: datetime
    monthly_credits: int | None


@frozen(kw_only=True)
class Grant:
    """The credits of one employee for a period, about to be given."""

    user: UserId
    amount: int
    balance: BalanceId
    line: LineId


@frozen(kw_only=True)
class Closing:
    """A balance whose period is over, locked."""

    balance: BalanceId
    user: UserId
    available: int
    closes_at: datetime


@frozen
class OpenBalance:
    """The balance of somebody that is open now, locked."""

    balance: BalanceId
    available: int


class Credits(Protocol):
    """Balances and the ledger, apart from what bookings do to them."""

    def plans(self, *, around: date) -> Sequence[Plan]:
        """The plans of active companies that may run on that day in some time zone."""
        ...

    def covered(
        self,
        company: CompanyId,
        *,
        at: datetime,
        after: tuple[datetime, UserId] | None,
        limit: int,
    ) -> Sequence[Covered]:
        """Active employees who have not left, by (joined_at, id)."""
        ...

    def allocate(
        self, grants: Sequence[Grant], plan: Plan, period: Period, *, at: datetime
    ) -> Sequence[UserId]:
        """
        Open balances with their first line; whoever has one of that period gets nothing.

        A company's periods never overlap: while another one of its periods is in the way,
        nobody gets anything. Returns who was given something.
        """
        ...

    def burden(self) -> timedelta:
        """How long this unit of work has lasted, if somebody books or cancels at this moment; else nothing."""
        ...

    def mark_allocated(self, subscription: SubscriptionId, first: date) -> None:
        """Everybody whom the subscription covers has the credits of that period."""
        ...

    def lock_over(self, *, at: datetime, limit: int) -> Sequence[Closing]:
        """Balances whose period is over and that are not closed, by id."""
        ...

    def close(self, closings: Sequence[tuple[Closing, LineId]], *, at: datetime) -> None:
        """Let what is left of each expire, with a line unless nothing is."""
        ...

    def warn(self, *, at: datetime, closing_until: datetime, limit: int) -> Sequence[Remainder]:
        """Open balances with credits that close by then, each returned once ever."""
        ...

    def lock_open(self, user: UserId, *, at: datetime) -> OpenBalance | None: ...

    def adjust(
        self, balance: BalanceId, amount: int, *, line: LineId, by: UserId, reason: str, at: datetime
    ) -> BalanceView: ...

    def account(
        self, user: UserId, *, periods: int, after: tuple[datetime, UUID] | None, limit: int
    ) -> tuple[Sequence[BalanceView], Sequence[LineView]]:
        """
        The balances of the last *periods*, and a page of movements.

        The latest first; movements by (occurred_at, id), those before *after*.
        """
        ...

    def is_employee(self, user: UserId) -> bool: ...


class Locks(Protocol):
    """Subscriptions, as far as allocation needs them."""

    def lock(self, subscription: SubscriptionId) -> None: ...


class CreditWork(AuditWork, Protocol):
    """A unit of work that moves credits."""

    @property
    def credits(self) -> Credits: ...

    @property
    def subscriptions(self) -> Locks: ...

    @property
    def outbox(self) -> Outbox: ...
