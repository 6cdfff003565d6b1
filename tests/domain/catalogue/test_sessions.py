"""Planned sessions: local times in every zone, and the window in which their seats sell."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.examples import ACTIVITY, VENUE
from nexus.domain.catalogue.sessions import (
    ActivityInactive,
    AllocationAboveCapacity,
    SessionInThePast,
    SessionTooFarAhead,
    plan_session,
    sale_window,
    session_times,
)
from nexus.domain.kernel.errors import InvalidValue
from nexus.domain.kernel.time import NonexistentLocalTime, TimeOfDay, instant

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ZONES = sorted(available_timezones())


def instants_by_search(local: datetime, zone: ZoneInfo) -> list[datetime]:
    """
    Every instant at which a clock in *zone* shows *local*, earliest first.

    An independent oracle: it never turns a local time into an instant, it only
    asks what the clock shows at each candidate.
    """
    offsets = {
        (local.replace(tzinfo=UTC) + timedelta(hours=h)).astimezone(zone).utcoffset()
        for h in range(-30, 31, 3)
    }
    candidates = sorted(local.replace(tzinfo=UTC) - offset for offset in offsets if offset is not None)
    return [at for at in candidates if at.astimezone(zone).replace(tzinfo=None) == local]


def edges(zone: ZoneInfo, year: int) -> list[datetime]:
    """The local times around each change of the clocks in a year, found by bisection."""
    found = []
    at, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    while at < end:
        after = at + timedelta(days=7)
        if at.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            low, high = at, after
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            change = high.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
            found += [change + timedelta(minutes=m) for m in (-121, -61, -60, -31, -30, -1, 0, 1, 29, 30, 60)]
        at = after
    return found


@pytest.mark.parametrize("year", [2011, 2026])
def test_every_edge_of_every_zone_agrees_with_an_independent_oracle(year):
    """2011: Samoa skipped a whole day."""
    compared = refused = ambiguous = 0
    for name in ZONES:
        zone = ZoneInfo(name)
        for local in [*edges(zone, year), datetime.combine(date(year, 7, 1), time(12))]:
            expected = instants_by_search(local, zone)
            compared += 1
            ambiguous += len(expected) > 1
            if expected:
                assert instant(local.date(), local.time(), name) == expected[0], (name, local)
            else:
                refused += 1
                with pytest.raises(NonexistentLocalTime):
                    instant(local.date(), local.time(), name)
    assert compared > 3000
    assert refused > 300
    assert ambiguous > 300


@given(
    zone=st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Europe/Dublin", "Asia/Gaza", "UTC"]),
    day=st.dates(date(2026, 3, 1), date(2026, 11, 30)),
    start=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    end=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)
def test_a_session_ends_after_it_starts_whatever_the_clocks_do(zone, day, start, end):
    try:
        starts_at, ends_at = session_times(day, start, end, zone)
    except NonexistentLocalTime:
        return
    assert timedelta(0) < ends_at - starts_at <= timedelta(hours=25)
    local = ends_at.astimezone(ZoneInfo(zone))
    assert local.time() == end
    assert local.date() == (day if end > start else day + timedelta(days=1))


def planned(**more):
    facts = {"id": UUID(int=9), "day": date(2026, 3, 10), "start": time(10), "end": time(11), "at": NOON}
    return plan_session(more.pop("activity", ACTIVITY), more.pop("venue", VENUE), **facts | more)


def test_price_and_seats_are_the_activitys_unless_given():
    usual, special = planned(), planned(price=1, capacity=3, allocated=0)
    assert (usual.credits_required, usual.total_capacity, usual.sellable) == (4, 10, 10)
    assert (special.credits_required, special.total_capacity, special.sellable) == (1, 3, 0)
    assert usual.time_of_day is TimeOfDay.MORNING


def test_no_more_seats_are_allocated_than_there_are():
    assert planned(capacity=3, allocated=3).sellable == 3
    with pytest.raises(AllocationAboveCapacity):
        planned(capacity=3, allocated=4)


def test_a_session_is_planned_for_the_future():
    start = planned().starts_at
    assert planned(at=start - timedelta(microseconds=1)).starts_at == start
    with pytest.raises(SessionInThePast):
        planned(at=start)


@pytest.mark.parametrize("day", [date(2028, 3, 4), date.max])
def test_a_session_is_not_planned_years_ahead(day):
    assert planned(day=date(2028, 3, 3))
    with pytest.raises(SessionTooFarAhead):
        planned(day=day)


def test_an_ended_activity_gets_no_sessions():
    with pytest.raises(ActivityInactive):
        planned(activity=evolve(ACTIVITY, is_active=False))


def test_a_time_with_an_offset_is_refused():
    with pytest.raises(InvalidValue):
        planned(start=time(10, tzinfo=UTC))


START = datetime(2026, 4, 1, 12, tzinfo=UTC)


def window(**more):
    terms = {"published_at": NOON, "is_block": True, "advance_days": 30, "release_hours": 72}
    return sale_window(START, **terms | more)


def test_only_a_block_opens_late():
    assert window().opens_at == START - timedelta(days=30)
    assert window(is_block=False).opens_at is None


@pytest.mark.parametrize(("late", "releases"), [(-1, True), (0, False), (1, False)])
def test_what_is_published_after_its_release_is_never_released(late, releases):
    release = START - timedelta(hours=72)
    published = release + timedelta(microseconds=late)
    assert window(published_at=published).releases_at == (release if releases else None)


def test_days_and_hours_are_elapsed_time_across_a_change_of_the_clocks():
    """Chicago's clocks go forward on 8 March: 72 hours before 11:00 it was 10:00 there."""
    session = planned(day=date(2026, 3, 9), start=time(11), end=time(12))
    assert session.releases_at == session.starts_at - timedelta(hours=72)
    assert session.releases_at.astimezone(ZoneInfo("America/Chicago")).hour == 10
