"""
Credit periods: months that begin on the billing day, in the company's time zone.

Periods are half-open, follow each other without gap or overlap, and are named
by their first day. The first and the last one are cut to the subscription.
"""

from datetime import date, datetime

from attrs import frozen

from nexus.domain.kernel.time import local_date, start_of_day

_DECEMBER = 12


@frozen
class Period:
    """From the first day up to, not including, ``until``; also as instants."""

    first: date
    until: date
    opens_at: datetime
    closes_at: datetime

    def contains(self, at: datetime) -> bool:
        return self.opens_at <= at < self.closes_at


@frozen(kw_only=True)
class Calendar:
    """What a subscription's periods depend on; ``end_date`` itself is not part of it."""

    billing_day: int
    start_date: date
    end_date: date | None
    time_zone: str

    def period_at(self, at: datetime) -> Period | None:
        """
        The period that contains an instant; ``None`` outside the subscription.

        Instants decide, not the date that a clock shows: where clocks are set back
        over midnight a day begins, yesterday's date returns, and the day goes on.
        """
        period = self._period_of(local_date(at, self.time_zone))
        while period is not None and at >= period.closes_at:
            period = self._period_of(period.until)
        while period is not None and at < period.opens_at:
            period = self._period_before(period.first)
        return period

    def _period_of(self, day: date) -> Period | None:
        if self.end_date is not None and day >= self.end_date:
            return None
        day = max(day, self.start_date)
        month = day.replace(day=self.billing_day)
        begins = month if month <= day else _month_before(month)
        ends = _month_after(begins)
        first = max(begins, self.start_date)
        until = ends if self.end_date is None else min(ends, self.end_date)
        return Period(first, until, start_of_day(first, self.time_zone), start_of_day(until, self.time_zone))

    def _period_before(self, first: date) -> Period | None:
        if first <= self.start_date:
            return None
        return self._period_of(max(_month_before(first.replace(day=self.billing_day)), self.start_date))


def _month_after(day: date) -> date:
    return (
        day.replace(year=day.year + 1, month=1)
        if day.month == _DECEMBER
        else day.replace(month=day.month + 1)
    )


def _month_before(day: date) -> date:
    return (
        day.replace(year=day.year - 1, month=_DECEMBER)
        if day.month == 1
        else day.replace(month=day.month - 1)
    )
