"""Every precondition of a booking has an error of its own, and they come in order."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from nexus.domain.booking.sessions import (
    CapacityBelowTaken,
    Offering,
    Seats,
    SessionCancelled,
    SessionFull,
    SessionStarted,
    SessionStatus,
)
from nexus.domain.booking.wishes import (
    ActivityNotPublished,
    AlreadyBooked,
    Attendee,
    BookingNotOpen,
    ChildNamedTwice,
    ConsentMissing,
    NoChildren,
    OutsideAgeRange,
    OverlappingBooking,
    PremiumNotIncluded,
    VenueNotActive,
    VenueNotInsured,
    Wish,
    named_once,
)
from nexus.domain.kernel.errors import ChildNotActive

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
START = NOW + timedelta(days=7)
MICRO = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
KIM, LEE, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)

OFFERING = Offering(
    session=UUID(int=10),
    activity=UUID(int=11),
    venue=UUID(int=12),
    status=SessionStatus.SCHEDULED,
    starts_at=START,
    ends_at=START + HOUR,
    local_date=START.date(),
    price=2,
    min_age=4,
    max_age=6,
    is_published=True,
    venue_is_active=True,
    insured_until=START.date(),
    is_premium=False,
    requires_confirmation=False,
    confirmation_window=timedelta(hours=24),
    seats=Seats(sellable=2),
    waiting=0,
    opens_at=None,
    releases_at=None,
    released=False,
    has_lapsed_offers=False,
    version=1,
)
CHILD = Attendee(child=KIM, born=date(2021, 3, 9), is_active=True, may_be_booked=True)


def said(obstacles):
    """Refusals as what they say: exceptions compare by identity."""
    return [(type(each), each.members()) for each in obstacles]


def wish(*, premium=False, attendees=(CHILD,), **changes):
    return Wish(
        offering=evolve(OFFERING, **changes), attendees=attendees, has_premium=premium, last_offer=HOUR
    )


OBSTACLES = [
    ({"is_published": False}, ActivityNotPublished()),
    ({"venue_is_active": False}, VenueNotActive()),
    ({"insured_until": None}, VenueNotInsured(None, START.date())),
    ({"status": SessionStatus.CANCELLED}, SessionCancelled()),
    ({"opens_at": NOW + MICRO}, BookingNotOpen(NOW + MICRO)),
    ({"is_premium": True}, PremiumNotIncluded()),
    ({"attendees": (evolve(CHILD, is_active=False),)}, ChildNotActive(KIM)),
    ({"attendees": (evolve(CHILD, may_be_booked=False),)}, ConsentMissing(KIM, "activity_booking")),
    ({"attendees": (evolve(CHILD, born=date(2019, 3, 9)),)}, OutsideAgeRange(KIM, 7, 4, 6)),
    ({"attendees": (evolve(CHILD, same_session=OTHER),)}, AlreadyBooked(KIM, OTHER)),
    ({"attendees": (evolve(CHILD, overlapping=OTHER),)}, OverlappingBooking(KIM, OTHER)),
    (
        {"seats": Seats(sellable=0)},
        SessionFull(0, 1, 0, f"/api/v1/sessions/{OFFERING.session}/waitlist"),
    ),
]


def test_nothing_stands_in_the_way_of_an_ordinary_wish():
    assert list(wish().obstacles(at=NOW)) == []
    wish().check(at=NOW)


@pytest.mark.parametrize(("changes", "obstacle"), OBSTACLES, ids=lambda each: type(each).__name__)
def test_each_precondition_has_its_own_error(changes, obstacle):
    assert said(wish(**changes).obstacles(at=NOW)) == said([obstacle])
    with pytest.raises(type(obstacle)):
        wish(**changes).check(at=NOW)


def test_no_two_preconditions_share_an_error():
    slugs = [obstacle.slug() for _, obstacle in OBSTACLES]
    assert len(set(slugs)) == len(slugs)


@given(chosen=st.sets(st.integers(0, len(OBSTACLES) - 1), min_size=1))
def test_the_most_fundamental_obstacle_is_named_first(chosen):
    """Obstacles of one child exclude each other here, hence at most one of these."""
    of_children = [i for i in sorted(chosen) if "attendees" in OBSTACLES[i][0]]
    chosen = sorted(chosen - set(of_children[1:]))
    changes = {}
    for i in chosen:
        changes |= OBSTACLES[i][0]
    assert said(wish(**changes).obstacles(at=NOW)) == said(OBSTACLES[i][1] for i in chosen)


@pytest.mark.parametrize(("at", "started"), [(START - MICRO, False), (START, True), (START + MICRO, True)])
def test_a_session_can_be_booked_until_it_starts(at, started):
    found = said(wish().obstacles(at=at))
    assert found == said([SessionStarted(START)] if started else [])


def test_a_cancelled_session_has_not_also_started():
    assert said(wish(status=SessionStatus.CANCELLED).obstacles(at=START)) == said([SessionCancelled()])


@pytest.mark.parametrize(("early", "opened"), [(MICRO, False), (timedelta(0), True), (-MICRO, True)])
def test_a_block_is_sold_from_the_instant_it_opens(early, opened):
    assert (list(wish(opens_at=NOW).obstacles(at=NOW - early)) == []) is opened


@pytest.mark.parametrize(
    ("until", "covered"), [(START.date() - timedelta(days=1), False), (START.date(), True)]
)
def test_the_insurance_covers_its_last_day(until, covered):
    found = said(wish(insured_until=until).obstacles(at=NOW))
    assert found == said([] if covered else [VenueNotInsured(until, START.date())])


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(2022, 3, 10), 3),  # four only on the day after
        (date(2022, 3, 9), None),
        (date(2019, 3, 10), None),  # seven only on the day after
        (date(2019, 3, 9), 7),
    ],
)
def test_the_age_counts_on_the_day_of_the_session(born, age):
    found = said(wish(attendees=(evolve(CHILD, born=born),)).obstacles(at=NOW))
    assert found == said([] if age is None else [OutsideAgeRange(KIM, age, 4, 6)])


def test_premium_venues_are_open_to_those_whose_plan_includes_them():
    assert list(wish(is_premium=True, premium=True).obstacles(at=NOW)) == []


def test_siblings_need_a_seat_each_and_are_judged_each():
    lee = evolve(CHILD, child=LEE, may_be_booked=False)
    found = list(wish(attendees=(CHILD, lee), seats=Seats(sellable=2, booked=1)).obstacles(at=NOW))
    assert said(found[:1]) == said([ConsentMissing(LEE, "activity_booking")])
    assert (found[1].free, found[1].requested) == (1, 2)
    assert wish(attendees=(CHILD, lee)).price == 4


@pytest.mark.parametrize(("left", "on_sale"), [(HOUR + MICRO, 0), (HOUR, 0), (HOUR - MICRO, 2), (MICRO, 2)])
def test_seats_are_kept_for_those_who_wait_until_less_than_an_hour_remains(left, on_sale):
    waited_for = evolve(OFFERING, waiting=1)
    assert waited_for.on_sale(at=START - left, last_offer=HOUR) == on_sale
    assert OFFERING.on_sale(at=START - left, last_offer=HOUR) == 2


def test_whose_turn_it_is_needs_no_free_seat():
    full = wish(seats=Seats(sellable=1, held=1), waiting=3)
    assert list(full.obstacles(at=NOW, in_turn=True)) == []
    with pytest.raises(SessionFull):
        full.check(at=NOW)


@pytest.mark.parametrize(
    ("changes", "late", "needed"),
    [
        ({}, HOUR, False),
        ({"releases_at": NOW}, -MICRO, False),
        ({"releases_at": NOW}, timedelta(0), True),
        ({"releases_at": NOW, "released": True}, HOUR, False),
        ({"has_lapsed_offers": True}, timedelta(0), True),
    ],
)
def test_what_is_overdue_is_noticed(changes, late, needed):
    assert evolve(OFFERING, **changes).needs_settling(at=NOW + late) is needed


def test_a_request_names_each_child_once():
    assert named_once((KIM, LEE)) == (KIM, LEE)
    with pytest.raises(NoChildren):
        named_once(())
    with pytest.raises(ChildNamedTwice) as refused:
        named_once((KIM, LEE, KIM))
    assert refused.value.child == KIM


@given(sellable=st.integers(0, 4), booked=st.integers(0, 4), held=st.integers(0, 4), to=st.integers(0, 6))
def test_seats_never_shrink_below_what_is_taken(sellable, booked, held, to):
    seats = Seats(sellable=max(sellable, booked + held), booked=booked, held=held)
    if to < booked + held:
        with pytest.raises(CapacityBelowTaken) as refused:
            seats.resized(to)
        assert refused.value.members() == {"taken": booked + held, "requested": to}
    else:
        assert seats.resized(to).free == to - booked - held
    assert seats.released().free == 0
    assert (seats.released().booked, seats.released().held) == (booked, held)
