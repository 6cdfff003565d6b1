"""What happened to credits; one event tells of a whole batch of people."""

from datetime import date, datetime

from attrs import frozen

from nexus.domain.kernel.events import Event
from nexus.domain.kernel.ids import CompanyId, SubscriptionId, UserId


@frozen(kw_only=True)
class CreditsAllocated(Event):
    """People were given the credits of a period."""

    company: CompanyId
    subscription: SubscriptionId
    period_start: date
    closes_at: datetime
    users: tuple[UserId, ...]


@frozen(kw_only=True)
class Remainder:
    """What somebody had left of a period."""

    user: UserId
    credits: int
    closes_at: datetime


@frozen(kw_only=True)
class CreditsExpireSoon(Event):
    """People have credits left that a period's end will take; each is told once."""

    remainders: tuple[Remainder, ...]


@frozen(kw_only=True)
class CreditsExpired(Event):
    """Periods closed; what these people had left of them is gone."""

    remainders: tuple[Remainder, ...]


@frozen(kw_only=True)
class CreditsAdjusted(Event):
    """A platform admin corrected somebody's balance."""

    user: UserId
    amount: int
    reason: str
