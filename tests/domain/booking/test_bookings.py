"""One child's place, from pending to its end."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from nexus.domain.booking.bookings import (
    Booking,
    BookingEnded,
    BookingStatus,
    ConfirmationLapsed,
    NotPending,
    NotYetConfirmed,
    OutsideMarkingPeriod,
)
from nexus.domain.booking.refunds import Settlement
from nexus.domain.kernel.errors import Refusal

START = datetime(2026, 3, 9, 15, tzinfo=UTC)
END = START + timedelta(hours=1)
UNTIL = END + timedelta(hours=24)
CONFIRM_BY = START - timedelta(hours=10)
MICRO = timedelta(microseconds=1)
FINAL = [status for status in BookingStatus if not status.is_active]

BOOKING = Booking(
    id=UUID(int=1),
    session=UUID(int=2),
    child=UUID(int=3),
    parent=UUID(int=4),
    venue=UUID(int=5),
    status=BookingStatus.CONFIRMED,
    starts_at=START,
    ends_at=END,
    booked_length=END - START,
    credits_charged=3,
    credits_refunded=1,
    refundable_until=START - timedelta(hours=48),
    confirm_by=None,
    debit=UUID(int=6),
    balance=UUID(int=7),
    group=None,
    version=1,
)
PENDING = evolve(BOOKING, status=BookingStatus.PENDING, confirm_by=CONFIRM_BY)

STEPS = {
    "parent": lambda booking, at: booking.cancelled_by_parent(at=at)[0],
    "venue": lambda booking, _: booking.cancelled_by_venue()[0],
    "confirm": lambda booking, at: booking.confirmed(at=at),
    "came": lambda booking, at: booking.marked(present=True, at=at)[0],
    "stayed away": lambda booking, at: booking.marked(present=False, at=at)[0],
}
INSTANTS = [CONFIRM_BY - MICRO, CONFIRM_BY, START - MICRO, START, UNTIL - MICRO, UNTIL]
ALLOWED = {
    (BookingStatus.PENDING, BookingStatus.CONFIRMED),
    (BookingStatus.PENDING, BookingStatus.CANCELLED_PARENT),
    (BookingStatus.PENDING, BookingStatus.CANCELLED_VENUE),
    (BookingStatus.CONFIRMED, BookingStatus.COMPLETED),
    (BookingStatus.CONFIRMED, BookingStatus.NO_SHOW),
    (BookingStatus.CONFIRMED, BookingStatus.CANCELLED_PARENT),
    (BookingStatus.CONFIRMED, BookingStatus.CANCELLED_VENUE),
}


@given(
    status=st.sampled_from(BookingStatus),
    steps=st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from(INSTANTS)), max_size=6),
)
def test_a_booking_only_moves_along_the_drawn_lines_and_each_move_is_a_version(status, steps):
    booking = evolve(PENDING, status=status)
    for name, at in steps:
        try:
            moved = STEPS[name](booking, at)
        except Refusal:
            continue
        assert (booking.status, moved.status) in ALLOWED
        assert moved.version == booking.version + 1
        booking = moved


@pytest.mark.parametrize("status", FINAL)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("at", INSTANTS)
def test_nothing_leaves_a_final_state(status, step, at):
    ended = evolve(PENDING, status=status)
    with pytest.raises(NotPending if step == "confirm" else BookingEnded) as refused:
        STEPS[step](ended, at)
    assert refused.value.members() == {"booking": ended.id, "booking_status": status}


@pytest.mark.parametrize("late", [timedelta(0), MICRO])
def test_a_confirmation_is_too_late_from_its_deadline_on(late):
    assert PENDING.confirmed(at=CONFIRM_BY - MICRO).status is BookingStatus.CONFIRMED
    with pytest.raises(ConfirmationLapsed) as refused:
        PENDING.confirmed(at=CONFIRM_BY + late)
    assert refused.value.confirm_by == CONFIRM_BY


def test_a_confirmed_booking_is_not_confirmed_again():
    with pytest.raises(NotPending):
        BOOKING.confirmed(at=CONFIRM_BY - MICRO)


@pytest.mark.parametrize(
    ("at", "in_time"),
    [(START - MICRO, False), (START, True), (END, True), (UNTIL - MICRO, True), (UNTIL, False)],
)
@pytest.mark.parametrize("present", [True, False])
def test_attendance_is_marked_from_the_start_until_24_hours_after_the_end(at, in_time, present):
    if not in_time:
        with pytest.raises(OutsideMarkingPeriod) as refused:
            BOOKING.marked(present=present, at=at)
        assert refused.value.members() == {"opens_at": START, "closes_at": UNTIL}
        return
    marked, settlement = BOOKING.marked(present=present, at=at)
    assert marked.status is (BookingStatus.COMPLETED if present else BookingStatus.NO_SHOW)
    assert settlement == (Settlement() if present else Settlement(forfeit=2))
    assert marked.credits_refunded == 1


def test_a_child_that_the_venue_never_accepted_cannot_be_marked():
    with pytest.raises(NotYetConfirmed):
        PENDING.marked(present=True, at=START)


def test_cancelling_gives_back_what_was_left_and_remembers_it():
    ended, settlement = BOOKING.cancelled_by_parent(at=START - timedelta(hours=48))
    assert settlement == Settlement(refund=2)
    assert (ended.credits_refunded, ended.version) == (3, 2)
    late, settlement = BOOKING.cancelled_by_parent(at=START - timedelta(hours=48) + MICRO)
    assert settlement == Settlement(forfeit=2)
    assert late.credits_refunded == 1


def test_a_venue_pays_everything_back_even_after_the_start():
    ended, settlement = BOOKING.cancelled_by_venue()
    assert (ended.status, settlement) == (BookingStatus.CANCELLED_VENUE, Settlement(refund=2))
