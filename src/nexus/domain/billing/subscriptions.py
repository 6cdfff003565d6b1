"""Subscriptions: what a company bought, for how many people, from when until when."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from attrs import field, frozen

from nexus.domain.kernel.errors import Conflict, InvalidValue
from nexus.domain.kernel.ids import CompanyId, SubscriptionId
from nexus.domain.kernel.money import Money

LAST_BILLING_DAY: Final = 28
MOST: Final = 1_000_000
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2199
"""No calendar that billing days are counted in reaches further."""


class Tier(StrEnum):
    """How much of the pass a company bought."""

    BASIC = "basic"
    STANDARD = "standard"
    PREMIUM = "premium"
    ENTERPRISE = "enterprise"


@frozen
class SubscriptionsOverlap(Conflict):
    """The company has another subscription in that time."""


@frozen(kw_only=True)
class Subscription:
    """
    The pass for ``covered_employees`` people, ``credits_per_employee`` each month.

    It runs from its first day up to, not including, ``end_date`` (``None``: until
    cancelled), both in the company's time zone.
    """

    id: SubscriptionId
    company: CompanyId
    tier: Tier
    covered_employees: int = field()
    credits_per_employee: int = field()
    monthly_cost: Money
    billing_day: int = field()
    start_date: date
    end_date: date | None = None
    premium_venue_access: bool = False
    created_at: datetime

    @covered_employees.validator
    def _covers_somebody(self, _attribute: Any, count: int) -> None:
        _must_be_within("covered_employees", count, 1, MOST)

    @credits_per_employee.validator
    def _gives_something(self, _attribute: Any, count: int) -> None:
        _must_be_within("credits_per_employee", count, 1, MOST)

    @billing_day.validator
    def _exists_in_every_month(self, _attribute: Any, day: int) -> None:
        _must_be_within("billing_day", day, 1, LAST_BILLING_DAY)

    def __attrs_post_init__(self) -> None:
        if self.monthly_cost.minor < 0:
            raise InvalidValue("monthly_cost", "must not be negative")
        for name, day in (("start_date", self.start_date), ("end_date", self.end_date)):
            if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise InvalidValue(name, f"must be in the years {FIRST_YEAR} to {LAST_YEAR}")
        if self.end_date is not None and self.end_date <= self.start_date:
            raise InvalidValue("end_date", "must be after the start")

    def overlaps(self, other: "Subscription") -> bool:
        """Whether both run on some day."""
        ends_before = self.end_date is not None and self.end_date <= other.start_date
        starts_after = other.end_date is not None and other.end_date <= self.start_date
        return not (ends_before or starts_after)


def _must_be_within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidValue(name, f"must be between {least} and {most}")
