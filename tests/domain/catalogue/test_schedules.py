"""Weekly schedules: which dates they mean, and which of them have a session."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.examples import ACTIVITY, CREATED, VENUE
from nexus.domain.catalogue.schedules import Schedule, SkipReason, plan_schedule
from nexus.domain.catalogue.sessions import AllocationAboveCapacity
from nexus.domain.kernel.errors import InvalidValue

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MONDAY = date(2026, 3, 2)


def schedule(**more):
    facts = {
        "id": UUID(int=3),
        "activity": ACTIVITY.id,
        "venue": VENUE.id,
        "days_of_week": {1},
        "start_time": time(16),
        "duration_minutes": 60,
        "capacity": 10,
        "effective_from": date(2026, 1, 1),
        "created_at": CREATED,
    }
    return Schedule(**facts | more)


def plan(rule, *, venue=VENUE, first=MONDAY, until=date(2026, 3, 30), at=NOON, taken=frozenset()):
    ids = count(1)
    return plan_schedule(
        rule,
        ACTIVITY,
        venue,
        first=first,
        until=until,
        at=at,
        new_session=lambda: UUID(int=next(ids)),
        taken=taken,
    )


@given(
    weekdays=st.frozensets(st.integers(1, 7), min_size=1),
    offsets=st.tuples(st.integers(-9, 9), st.integers(0, 9), st.integers(-9, 9), st.integers(0, 18)),
    skipped=st.frozensets(st.integers(-9, 18)),
    holidays=st.frozensets(st.integers(-9, 18)),
)
def test_each_date_of_the_rule_is_planned_or_has_a_reason(weekdays, offsets, skipped, holidays):
    def day(offset):
        return MONDAY + timedelta(days=offset)

    start, length, first, span = offsets
    rule = schedule(
        days_of_week=weekdays,
        effective_from=day(start),
        effective_until=day(start + length),
        skipped_dates=map(day, skipped),
    )
    venue = evolve(VENUE, closed_dates=map(day, holidays))
    made = plan(rule, venue=venue, first=day(first), until=day(first + span), at=CREATED)
    expected = {
        day(n)
        for n in range(first, first + span)
        if day(n).isoweekday() in weekdays and start <= n <= start + length
    }
    planned = [s.session_date for s in made.sessions]
    assert planned == sorted(set(planned))
    assert set(planned) == expected - {day(n) for n in skipped | holidays}
    assert {s.day for s in made.skipped} == expected & {day(n) for n in skipped | holidays}


def test_a_date_in_the_gap_of_the_clocks_is_skipped_and_reported():
    """Chicago's clocks jump from 2:00 to 3:00 on Sunday 8 March 2026."""
    made = plan(schedule(days_of_week={7}, start_time=time(2, 30)), until=date(2026, 3, 16))
    assert [(s.day, s.reason) for s in made.skipped] == [(date(2026, 3, 8), SkipReason.CLOCKS_SKIP_IT)]
    assert [s.session_date for s in made.sessions] == [date(2026, 3, 15)]


def test_an_end_in_the_gap_is_skipped_too():
    made = plan(
        schedule(days_of_week={7}, start_time=time(1, 30), duration_minutes=45), until=date(2026, 3, 9)
    )
    assert [s.reason for s in made.skipped] == [SkipReason.CLOCKS_SKIP_IT]


def test_an_ambiguous_start_means_the_earlier_instant():
    """Chicago shows 1:30 twice on Sunday 1 November 2026: first at 6:30 UTC."""
    november = date(2026, 11, 1)
    made = plan(
        schedule(days_of_week={7}, start_time=time(1, 30)), first=november, until=november + timedelta(days=1)
    )
    assert made.sessions[0].starts_at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_what_has_started_and_what_is_taken_is_left_out_silently():
    made = plan(schedule(), at=datetime(2026, 3, 2, 22, tzinfo=UTC), taken=frozenset({date(2026, 3, 16)}))
    assert [s.session_date for s in made.sessions] == [date(2026, 3, 9), date(2026, 3, 23)]
    assert made.skipped == ()


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        (time(16), 60, time(17)),
        (time(23), 60, time(0)),
        (time(22, 30), 100, time(0, 10)),
        (time(9), 1440, time(9)),
    ],
)
def test_the_end_is_what_the_clock_shows(start, minutes, end):
    rule = schedule(start_time=start, duration_minutes=minutes)
    assert rule.end_time == end
    session = plan(rule).sessions[1]
    assert (session.end_time, session.ends_at - session.starts_at) == (end, timedelta(minutes=minutes)) or (
        session.session_date == date(2026, 3, 8)
    )


@pytest.mark.parametrize("weekdays", [[], [0], [8], [1, 8]])
def test_weekdays_are_iso_numbers(weekdays):
    with pytest.raises(InvalidValue):
        schedule(days_of_week=weekdays)


def test_it_does_not_end_before_it_begins():
    assert schedule(effective_until=date(2026, 1, 1))
    with pytest.raises(InvalidValue):
        schedule(effective_until=date(2025, 12, 31))


def test_the_end_of_the_calendar_is_a_fine_last_date():
    assert len(plan(schedule(effective_until=date.max)).sessions) == 4


def test_no_more_seats_are_allocated_than_there_are():
    with pytest.raises(AllocationAboveCapacity):
        schedule(capacity=3, platform_allocated_spots=4)
