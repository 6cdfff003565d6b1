"""The line at each of its edges; what happens in between is driven in ``tests/domain/machines``."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from nexus.domain.booking.sessions import Seats, SessionCancelled, SessionStarted, SessionStatus
from nexus.domain.booking.waitlist import (
    ClosedReason,
    Entry,
    EntryStatus,
    GroupTooLarge,
    Line,
    OfferExpired,
    OfferPolicy,
    SeatsAvailable,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MICRO = timedelta(microseconds=1)
POLICY = OfferPolicy()
START = NOW + 100 * HOUR
NOBODY = UUID(int=0)


def entry(number, seats=1, **more):
    children = tuple(UUID(int=100 * number + i) for i in range(seats))
    return Entry(id=UUID(int=number), parent=NOBODY, children=children, number=number, joined_at=NOW, **more)


def line(*entries, sellable=4, booked=4, held=0, **more):
    return Line(
        session=NOBODY,
        starts_at=START,
        seats=Seats(sellable=sellable, booked=booked, held=held),
        last_number=len(entries),
        entries=entries,
        **({"status": SessionStatus.SCHEDULED, "releases_at": None, "released_at": None} | more),
    )


def freed(before, at=NOW, seats=1):
    vacated = evolve(before, seats=evolve(before.seats, booked=before.seats.booked - seats))
    return evolve(vacated.settled(at=at, policy=POLICY), gone=())


def taken(before, number, at=NOW):
    seats = before.find(UUID(int=number)).seats
    after = before.accepted(UUID(int=number), at=at)
    return evolve(after, seats=evolve(after.seats, booked=after.seats.booked + seats), gone=())


def statuses(found):
    return [each.status.value for each in found.entries]


@pytest.mark.parametrize("late", [-MICRO, timedelta(0), MICRO])
def test_an_offer_is_usable_until_just_before_its_end(late):
    offered = freed(line(entry(1)))
    until = NOW + 4 * HOUR
    assert offered.entries[0].offer_expires_at == until
    for answer in (offered.accepted, offered.declined):
        if late < timedelta(0):
            assert answer(UUID(int=1), at=until + late).entries == ()
        else:
            with pytest.raises(OfferExpired) as refused:
                answer(UUID(int=1), at=until + late)
            assert refused.value.expired_at == until
    swept = offered.settled(at=until + late, policy=POLICY)
    assert [each.status for each in swept.gone] == ([] if late < timedelta(0) else [EntryStatus.EXPIRED])


@pytest.mark.parametrize(
    ("left", "offered"), [(HOUR + MICRO, True), (HOUR, True), (HOUR - MICRO, False), (MICRO, False)]
)
def test_the_last_offer_is_made_an_hour_before_the_start(left, offered):
    found = freed(line(entry(1)), at=START - left)
    assert statuses(found) == (["offered"] if offered else ["waiting"])
    assert found.seats.free == (0 if offered else 1)
    if offered:
        assert found.entries[0].offer_expires_at == START


def test_a_group_is_passed_over_three_times_and_then_seats_are_kept_for_it():
    found = line(entry(1, seats=2), *(entry(n) for n in range(2, 7)))
    for passed in (1, 2, 3):
        found = taken(freed(found), passed + 1)
        assert found.entries[0].overtaken == passed
    found = freed(found)
    assert (found.seats.free, statuses(found)) == (1, ["waiting", "waiting", "waiting"])
    found = freed(found)
    assert (found.seats.free, statuses(found)) == (0, ["offered", "waiting", "waiting"])


def test_the_release_keeps_what_is_held_at_that_very_moment():
    release = NOW + HOUR
    open_ = line(booked=1, held=1, releases_at=release)
    assert open_.settled(at=release - MICRO, policy=POLICY).seats.sellable == 4
    released = open_.settled(at=release, policy=POLICY)
    assert (released.seats.sellable, released.released_at) == (2, release)
    again = evolve(released, seats=evolve(released.seats, booked=0)).settled(at=release + HOUR, policy=POLICY)
    assert again.seats.sellable == 2


def test_a_group_that_can_never_fit_does_not_join_or_stay():
    with pytest.raises(GroupTooLarge) as refused:
        line().joined(entry(1, seats=5), at=NOW, policy=POLICY)
    assert refused.value.members() == {"seats": 5, "sellable": 4}
    shrunk = line(entry(1, seats=3), sellable=2, booked=2).settled(at=NOW, policy=POLICY)
    assert [each.closed_reason for each in shrunk.gone] == [ClosedReason.TOO_FEW_SEATS]


def test_nobody_joins_where_seats_are_free_or_nothing_will_happen():
    with pytest.raises(SeatsAvailable):
        line(booked=3).joined(entry(1), at=NOW, policy=POLICY)
    with pytest.raises(SessionStarted):
        line().joined(entry(1), at=START, policy=POLICY)
    with pytest.raises(SessionCancelled):
        line(status=SessionStatus.CANCELLED).joined(entry(1), at=NOW, policy=POLICY)
    waited_for = line(entry(1, seats=2), booked=3)
    assert waited_for.joined(entry(2), at=NOW, policy=POLICY).entries[-1].number == 2


@pytest.mark.parametrize(
    ("changes", "at", "reason"),
    [
        ({"status": SessionStatus.CANCELLED}, NOW, ClosedReason.SESSION_CANCELLED),
        ({}, START, ClosedReason.SESSION_STARTED),
        ({"status": SessionStatus.COMPLETED}, START + HOUR, ClosedReason.SESSION_STARTED),
    ],
)
def test_the_line_closes_with_the_session(changes, at, reason):
    before = evolve(freed(line(entry(1), entry(2))), **changes)
    after = before.settled(at=at, policy=POLICY)
    assert after.entries == ()
    assert {each.closed_reason for each in after.gone} == {reason}
    assert after.seats.held == 0


def test_an_offer_is_answered_by_its_own_family_only_and_positions_follow():
    offered = freed(line(entry(1), entry(2), entry(3)))
    assert [offered.position(each.id) for each in offered.entries] == [1, 2, 3]
    after = offered.declined(UUID(int=1), at=NOW).settled(at=NOW, policy=POLICY)
    assert (statuses(after), after.position(UUID(int=3))) == (["offered", "waiting"], 2)
    assert after.settled(at=NOW, policy=POLICY) == after
    with pytest.raises(KeyError):
        after.find(UUID(int=1))


@pytest.mark.parametrize("policy", [{"lifetime": timedelta(0)}, {"last_offer": -MICRO}])
def test_a_policy_without_time_is_none(policy):
    with pytest.raises(ValueError, match="must be"):
        OfferPolicy(**policy)
