"""Venues, places, activities and tags at the edges of their rules."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.examples import ACTIVITY, VENUE
from nexus.domain.catalogue.activities import AgesReversed, Tag, TagWishes
from nexus.domain.catalogue.places import DRIVE, Position
from nexus.domain.catalogue.values import slug
from nexus.domain.catalogue.venues import (
    Insurance,
    InsuranceTooLow,
    VenueNotReady,
    VenueStatus,
    WrongVenueStatus,
)
from nexus.domain.kernel.errors import InvalidValue
from nexus.domain.kernel.time import UnknownTimeZone

LAST_DAY_IN_CHICAGO = datetime(2026, 3, 3, 5, 59, tzinfo=UTC)


def test_insurance_covers_its_last_day_and_at_least_a_million():
    policy = Insurance(100_000_000, date(2026, 3, 2))
    assert policy.covers(date(2026, 3, 2))
    assert not policy.covers(date(2026, 3, 3))
    with pytest.raises(InsuranceTooLow):
        Insurance(99_999_999, date(2026, 3, 2))


def test_approval_counts_the_venues_own_day():
    """It is still the policy's last day in Chicago, though not in UTC."""
    assert VENUE.approve(at=LAST_DAY_IN_CHICAGO).status is VenueStatus.ACTIVE
    with pytest.raises(VenueNotReady):
        VENUE.approve(at=datetime(2026, 3, 3, 6, tzinfo=UTC))


@pytest.mark.parametrize("missing", ["background_check_completed", "safety_audit_completed"])
def test_approval_needs_each_proof(missing):
    with pytest.raises(VenueNotReady) as refused:
        evolve(VENUE, **{missing: False}).approve(at=LAST_DAY_IN_CHICAGO)
    assert refused.value.members()[missing] is False
    assert refused.value.members()["insurance_valid"] is True


STEPS = {
    "approve": lambda venue: venue.approve(at=LAST_DAY_IN_CHICAGO),
    "reject": lambda venue: venue.reject("no"),
    "suspend": lambda venue: venue.suspend("leak"),
}


@pytest.mark.parametrize("status", list(VenueStatus))
@pytest.mark.parametrize("step", list(STEPS))
def test_the_steps_of_a_venue(status, step):
    allowed = {
        ("pending_approval", "approve"): "active",
        ("pending_approval", "reject"): "rejected",
        ("active", "suspend"): "suspended",
        ("suspended", "approve"): "active",
    }
    venue = evolve(VENUE, status=status)
    if (status, step) in allowed:
        assert STEPS[step](venue).status == allowed[status, step]
    else:
        with pytest.raises(WrongVenueStatus):
            STEPS[step](venue)


def test_a_reason_is_a_reason():
    with pytest.raises(InvalidValue):
        VENUE.reject("  ")


def test_a_venue_has_a_known_zone_and_a_point_on_earth():
    with pytest.raises(UnknownTimeZone):
        evolve(VENUE, time_zone="Mars/Olympus")
    with pytest.raises(InvalidValue):
        evolve(VENUE.place, latitude=90.1)
    with pytest.raises(InvalidValue):
        evolve(VENUE.place, longitude=float("nan"))


def test_ages_are_in_order_and_between_birth_and_eighteen():
    assert evolve(ACTIVITY, min_age=0, max_age=18)
    assert evolve(ACTIVITY, min_age=7, max_age=7)
    with pytest.raises(AgesReversed):
        evolve(ACTIVITY, min_age=8, max_age=7)
    with pytest.raises(InvalidValue):
        evolve(ACTIVITY, max_age=19)


def test_publishing_is_undone_by_hiding():
    assert not ACTIVITY.is_visible
    assert ACTIVITY.publish().is_visible
    assert ACTIVITY.publish().unpublish() == ACTIVITY


def test_tags_are_wanted_or_not():
    wishes = TagWishes.parse(["outdoor", "-loud"])
    assert wishes.accepts(frozenset({Tag.OUTDOOR, Tag.MESSY}))
    assert not wishes.accepts(frozenset({Tag.OUTDOOR, Tag.LOUD}))
    assert not wishes.accepts(frozenset({Tag.MESSY}))
    with pytest.raises(InvalidValue):
        TagWishes.parse(["--loud"])


@pytest.mark.parametrize(("km", "minutes"), [(0, 0), (0.001, 1), (5, 13), (5.001, 14), (10, 26)])
def test_a_drive_takes_whole_minutes_rounded_up(km, minutes):
    assert DRIVE.minutes(km) == minutes


@given(st.integers(1, 1440))
def test_what_is_within_reach_takes_no_longer(minutes):
    assert DRIVE.minutes(DRIVE.reach_km(minutes)) == minutes
    assert DRIVE.minutes(DRIVE.reach_km(minutes) + 0.001) == minutes + 1


def test_distances_on_the_globe():
    paris, london = Position(48.8566, 2.3522), Position(51.5074, -0.1278)
    assert paris.distance_km(london) == pytest.approx(343.6, abs=0.5)
    assert Position(0, 179.5).distance_km(Position(0, -179.5)) == pytest.approx(111.2, abs=0.1)
    assert Position(0, 0).distance_km(Position(0, 180)) == pytest.approx(20015, abs=1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Zoé's  Café!", "zoes-cafe-0000000a"), ("日本", "0000000a"), ("100% Fun", "100-fun-0000000a")],
)
def test_slugs(name, expected):
    assert slug(name, UUID(int=10)) == expected
