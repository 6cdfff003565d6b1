"""What the catalogue's stores promise, over PostgreSQL and in memory."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest

from contracts.catalogue_world import Catalogue, set_counts
from nexus.application.catalogue.list_activities import ListActivities
from nexus.application.catalogue.list_schedules import ListSchedules
from nexus.application.catalogue.list_sessions import ListVenueSessions
from nexus.application.catalogue.list_venues import ListVenues
from nexus.application.catalogue.reject_venue import RejectVenue
from nexus.application.catalogue.suspend_venue import SuspendVenue
from nexus.domain.catalogue.activities import Category, Tag
from nexus.domain.catalogue.schedules import SkipReason
from nexus.domain.catalogue.venues import VenueNotReady, VenueStatus, WrongVenueStatus
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing, VersionMismatch


@pytest.fixture
def catalogue(any_begin):
    return Catalogue(any_begin)


def weekly(catalogue, activity, **more):
    facts = {
        "days_of_week": [1, 3],
        "start_time": time(16),
        "effective_from": date(2026, 3, 1),
    }
    return catalogue.create_schedule(activity.id, venue=activity.venue, **facts | more)


def sessions_of(catalogue, venue, **more):
    return ListVenueSessions(catalogue.begin)(venue=venue.id, limit=200, **more)


def test_a_venue_comes_back_as_it_was_stored(catalogue):
    venue = catalogue.venue(
        accessibility_features=["ramp"], closed_dates=[date(2026, 7, 4)], is_premium=True, external_ref="x"
    )
    with catalogue.begin() as work:
        assert work.venues.get(venue.id) == venue
    assert (venue.version, venue.status) == (2, VenueStatus.ACTIVE)


def test_approval_names_everything_that_is_missing(catalogue):
    bare = catalogue.create_venue(
        name="Bare", place=catalogue.venue().place, time_zone="America/Chicago", safety_audit_completed=True
    )
    with pytest.raises(VenueNotReady) as refused:
        catalogue.approve(bare.id)
    assert refused.value.members() == {
        "insurance_valid": False,
        "insurance_expires_on": None,
        "required_coverage_minor": 100_000_000,
        "background_check_completed": False,
        "safety_audit_completed": True,
    }


def test_a_suspended_venue_can_be_approved_again_and_a_rejected_one_cannot(catalogue):
    venue = catalogue.venue()
    assert SuspendVenue(catalogue.begin)(venue.id, reason="Leak").status_reason == "Leak"
    assert catalogue.approve(venue.id).status_reason is None
    other = catalogue.venue("Other", approved=False)
    RejectVenue(catalogue.begin)(other.id, reason="No")
    with pytest.raises(WrongVenueStatus):
        catalogue.approve(other.id)


def test_venues_are_listed_newest_first_page_by_page(catalogue):
    made = []
    for name in "ABC":
        made.append(catalogue.venue(name, approved=name == "B"))
        catalogue.pass_time(minutes=1)
    listed = ListVenues(catalogue.begin)
    first = listed(limit=2)
    assert [v.name for v in first] == ["C", "B"]
    assert [v.name for v in listed(after=(first[-1].created_at, first[-1].id), limit=2)] == ["A"]
    assert [v.name for v in listed(status=VenueStatus.ACTIVE)] == ["B"]


def test_an_activity_comes_back_as_it_was_stored(catalogue):
    venue = catalogue.venue()
    activity = catalogue.activity(
        venue, tags=[Tag.MESSY, Tag.PARENT_REQUIRED], what_to_bring=["apron", "towel"], category=Category.STEM
    )
    with catalogue.begin() as work:
        assert work.activities.get(activity.id, venue=venue.id) == activity
    assert ListActivities(catalogue.begin)(venue=venue.id) == (activity,)


def test_another_venues_activity_does_not_exist(catalogue):
    activity, other = catalogue.activity(catalogue.venue()), catalogue.venue("Other")
    with pytest.raises(NoSuchThing):
        catalogue.change_activity(activity.id, venue=other.id, changes={"name": "Mine"})
    with pytest.raises(NoSuchThing):
        catalogue.create_session(
            activity.id, venue=other.id, day=date(2026, 3, 10), start=time(9), end=time(10)
        )
    assert ListActivities(catalogue.begin)(venue=other.id) == ()


def test_a_change_needs_the_version_that_was_seen(catalogue):
    activity = catalogue.activity(catalogue.venue())
    changed = catalogue.change_activity(
        activity.id, venue=activity.venue, changes={"name": "New", "is_published": False}, version=1
    )
    assert (changed.name, changed.is_published, changed.version) == ("New", False, 2)
    with pytest.raises(VersionMismatch):
        catalogue.change_activity(activity.id, venue=activity.venue, changes={"name": "Newer"}, version=1)


def test_what_is_not_for_change_is_refused(catalogue):
    activity = catalogue.activity(catalogue.venue())
    with pytest.raises(InvalidValue):
        catalogue.change_activity(activity.id, venue=activity.venue, changes={"total_reviews": 99})


def test_a_schedule_has_its_sessions_up_to_the_horizon_at_once(catalogue):
    venue = catalogue.venue(closed_dates=[date(2026, 3, 4)])
    outcome = weekly(catalogue, catalogue.activity(venue), skipped_dates=[date(2026, 3, 9)])
    days = [s.session_date for s in sessions_of(catalogue, venue)]
    assert days[0] == date(2026, 3, 2)
    assert days[-1] == date(2026, 4, 13)
    assert outcome.created == len(days) == 11
    assert {(s.day, s.reason) for s in outcome.skipped} == {
        (date(2026, 3, 4), SkipReason.VENUE_CLOSED),
        (date(2026, 3, 9), SkipReason.EXCEPTION),
    }


def test_generating_again_adds_nothing_and_tomorrow_adds_one_day(catalogue):
    venue = catalogue.venue()
    weekly(catalogue, catalogue.activity(venue), days_of_week=range(1, 8))
    assert catalogue.generate().schedules == 0
    catalogue.pass_time(days=1)
    assert catalogue.generate().sessions == 1
    assert catalogue.generate().sessions == 0


def test_generating_stops_after_so_many_batches_and_goes_on_there(catalogue):
    venue = catalogue.venue()
    for n in range(3):
        weekly(catalogue, catalogue.activity(venue, f"A{n}"), days_of_week=range(1, 8))
    catalogue.pass_time(days=2)
    assert catalogue.generate(limit=2, batches=1).schedules == 2
    assert catalogue.generate(limit=2).schedules == 1
    assert len(sessions_of(catalogue, venue)) == 3 * 45


def test_an_expired_or_paused_schedule_generates_nothing(catalogue):
    venue = catalogue.venue()
    activity = catalogue.activity(venue)
    ended = weekly(catalogue, activity, effective_until=date(2026, 3, 9)).schedule
    paused = weekly(catalogue, activity, start_time=time(9)).schedule
    catalogue.change_schedule(paused.id, venue=venue.id, changes={"is_active": False})
    catalogue.pass_time(days=5)
    assert catalogue.generate().schedules == 0
    assert {s.schedule_id for s in sessions_of(catalogue, venue)} == {ended.id}
    assert [s.id for s in ListSchedules(catalogue.begin)(venue=venue.id, activity=activity.id)] == [
        paused.id,
        ended.id,
    ]


def test_a_changed_schedule_moves_empty_sessions_and_reports_those_with_people(catalogue):
    venue = catalogue.venue()
    schedule = weekly(catalogue, catalogue.activity(venue), days_of_week=[1]).schedule
    before = sessions_of(catalogue, venue)
    booked, queued = before[1], before[2]
    with catalogue.begin() as work:
        set_counts(work, booked, booked_count=1)
        set_counts(work, queued, waiting_count=1)
    outcome = catalogue.change_schedule(
        schedule.id, venue=venue.id, changes={"start_time": time(17)}, version=schedule.version
    )
    after = sessions_of(catalogue, venue)
    assert [s.id for s in outcome.kept] == [booked.id, queued.id]
    assert [s.start_time.hour for s in after] == [17, 16, 16, 17, 17, 17, 17]
    assert [s.session_date for s in after] == [s.session_date for s in before]
    assert (outcome.removed, outcome.created) == (5, 5)


def test_renaming_a_schedule_leaves_its_sessions_alone(catalogue):
    venue = catalogue.venue()
    schedule = weekly(catalogue, catalogue.activity(venue)).schedule
    before = sessions_of(catalogue, venue)
    outcome = catalogue.change_schedule(schedule.id, venue=venue.id, changes={"schedule_name": "Mondays"})
    assert (outcome.schedule.schedule_name, outcome.schedule.version) == ("Mondays", 2)
    assert sessions_of(catalogue, venue) == before


def test_another_venues_schedule_does_not_exist(catalogue):
    schedule = weekly(catalogue, catalogue.activity(catalogue.venue())).schedule
    with pytest.raises(NoSuchThing):
        catalogue.change_schedule(schedule.id, venue=UUID(int=0), changes={"is_active": False})


def test_a_venue_sees_its_sessions_by_start_within_bounds(catalogue):
    venue = catalogue.venue()
    activity, first = catalogue.offer(venue)
    second = catalogue.session(activity, start=time(11), end=time(12), allocated=4)
    other = catalogue.activity(venue, "Other")
    third = catalogue.session(other, start=time(12), end=time(13))
    listed = sessions_of(catalogue, venue, starts_from=first.starts_at, starts_until=third.starts_at)
    assert [s.id for s in listed] == [first.id, second.id]
    assert [s.sellable for s in listed] == [10, 4]
    page = sessions_of(catalogue, venue, after=listed[0].key)
    assert [s.id for s in page] == [second.id, third.id]
    assert [s.id for s in sessions_of(catalogue, venue, activity=other.id)] == [third.id]


def test_a_date_bounds_a_venues_sessions_by_its_own_calendar(catalogue):
    venue = catalogue.venue()
    # 21:00 in Chicago is already the next day in UTC.
    _, late = catalogue.offer(venue, session={"start": time(21), "end": time(22)})
    day, one = late.session_date, timedelta(days=1)
    assert sessions_of(catalogue, venue, starts_from=day, starts_until=day)
    assert not sessions_of(catalogue, venue, starts_from=day + one)
    assert not sessions_of(catalogue, venue, starts_until=day - one)
    assert sessions_of(catalogue, venue, starts_from=date.min, starts_until=date.max)
    assert not sessions_of(catalogue, venue, starts_from=date.max)
    assert not sessions_of(catalogue, venue, starts_until=date.min)


def test_a_block_opens_thirty_days_before_and_returns_three_days_before(catalogue):
    _, session = catalogue.offer(catalogue.venue(), session={"allocated": 3})
    assert session.starts_at == datetime(2026, 3, 10, 15, tzinfo=UTC)
    assert session.opens_at == session.starts_at - timedelta(days=30)
    assert session.releases_at == session.starts_at - timedelta(hours=72)
