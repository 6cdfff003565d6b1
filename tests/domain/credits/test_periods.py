"""Credit periods tile the time of a subscription, in every zone."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus.domain.credits.periods import Calendar
from nexus.domain.kernel.time import local_date, start_of_day

ZONES = sorted(available_timezones())
# Clocks that jump over midnight, are set back over it, or skip or repeat a whole day.
ODD = [
    ("America/Sao_Paulo", date(2017, 10, 15)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Asia/Beirut", date(2022, 3, 27)),
    ("America/Havana", date(2022, 3, 13)),
    ("Africa/Cairo", date(2023, 4, 28)),
    ("America/St_Johns", date(2010, 11, 7)),
    ("America/Asuncion", date(2024, 3, 24)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Pacific/Kwajalein", date(1993, 8, 21)),
    ("America/New_York", date(2026, 3, 8)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
]


def exists(day, time_zone):
    """Whether the calendar there shows that day: the date line moved over some."""
    return local_date(start_of_day(day, time_zone), time_zone) == day


def calendars():
    odd = st.sampled_from(ODD).flatmap(
        lambda case: st.tuples(
            st.just(case[0]), st.integers(-40, 1).map(lambda days: case[1] + timedelta(days))
        )
    )
    plain = st.tuples(st.sampled_from(ZONES), st.dates(date(1990, 1, 1), date(2036, 1, 1)))
    return st.builds(
        lambda placed, day, length: Calendar(
            billing_day=day,
            start_date=placed[1],
            end_date=None if length is None else placed[1] + timedelta(days=length),
            time_zone=placed[0],
        ),
        odd | plain,
        st.integers(1, 28),
        st.none() | st.integers(1, 70),
    ).filter(lambda calendar: exists(calendar.start_date, calendar.time_zone))


@settings(max_examples=300, deadline=None)
@given(calendars(), st.integers(-3 * 24 * 60, 75 * 24 * 60))
def test_an_instant_lies_in_exactly_the_period_that_is_named_for_it(calendar, minutes):
    """Whatever contains an instant says so itself, and so does every other instant in it."""
    at = datetime.combine(calendar.start_date, datetime.min.time(), UTC) + timedelta(minutes=minutes)
    period = calendar.period_at(at)
    if period is None:
        return
    assert period.contains(at)
    assert calendar.period_at(period.opens_at) == period
    assert calendar.period_at(period.closes_at - timedelta(microseconds=1)) == period
    assert calendar.start_date <= period.first < period.until
    assert calendar.end_date is None or period.until <= calendar.end_date


@settings(max_examples=200, deadline=None)
@given(calendars())
def test_periods_follow_each_other_without_gap_or_overlap(calendar):
    """From the first instant to the last: each begins where the one before ended."""
    at = datetime.combine(calendar.start_date, datetime.min.time(), UTC) - timedelta(days=2)
    seen = []
    end = at + timedelta(days=110)
    while at < end:
        period = calendar.period_at(at)
        if period is None:
            at += timedelta(hours=1)
            continue
        seen.append(period)
        at = period.closes_at
    assert len({period.first for period in seen}) == len(seen)
    for before, after in pairwise(seen):
        assert before.until == after.first
        assert before.closes_at == after.opens_at
        assert after.first.day == calendar.billing_day
    if calendar.end_date is None:
        assert seen
        assert seen[0].first == calendar.start_date


@pytest.mark.parametrize("billing_day", [1, 15, 28])
@pytest.mark.parametrize("month", range(1, 13))
def test_a_period_runs_from_billing_day_to_billing_day(billing_day, month):
    calendar = Calendar(
        billing_day=billing_day, start_date=date(2023, 1, 1), end_date=None, time_zone="Etc/UTC"
    )
    period = calendar.period_at(datetime(2024, month, billing_day, tzinfo=UTC))
    assert period.first == date(2024, month, billing_day)
    assert period.until == date(2024 + month // 12, month % 12 + 1, billing_day)
    before = calendar.period_at(datetime(2024, month, billing_day, tzinfo=UTC) - timedelta(microseconds=1))
    assert before.until == period.first


def test_the_company_s_clock_decides_when_a_period_begins():
    calendar = Calendar(
        billing_day=8, start_date=date(2026, 1, 1), end_date=None, time_zone="America/New_York"
    )
    assert calendar.period_at(datetime(2026, 3, 8, 4, 59, tzinfo=UTC)).first == date(2026, 2, 8)
    period = calendar.period_at(datetime(2026, 3, 8, 5, tzinfo=UTC))
    assert period.first == date(2026, 3, 8)
    assert period.closes_at == datetime(2026, 4, 8, 4, tzinfo=UTC), "summer time began meanwhile"


def test_a_skipped_midnight_begins_the_day_at_the_jump():
    calendar = Calendar(
        billing_day=15, start_date=date(2017, 9, 1), end_date=None, time_zone="America/Sao_Paulo"
    )
    period = calendar.period_at(datetime(2017, 10, 20, tzinfo=UTC))
    assert period.opens_at == datetime(2017, 10, 15, 3, tzinfo=UTC)


def test_the_subscription_cuts_the_first_and_the_last_period():
    calendar = Calendar(
        billing_day=10, start_date=date(2026, 1, 20), end_date=date(2026, 3, 1), time_zone="Etc/UTC"
    )
    assert calendar.period_at(datetime(2026, 1, 19, 23, 59, tzinfo=UTC)) is None
    first = calendar.period_at(datetime(2026, 1, 20, tzinfo=UTC))
    assert (first.first, first.until) == (date(2026, 1, 20), date(2026, 2, 10))
    last = calendar.period_at(datetime(2026, 2, 28, tzinfo=UTC))
    assert (last.first, last.until) == (date(2026, 2, 10), date(2026, 3, 1))
    assert calendar.period_at(datetime(2026, 3, 1, tzinfo=UTC)) is None
