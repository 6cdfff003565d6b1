"""What comes back, to the microsecond and to the credit."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus.domain.booking.refunds import CancellationTooLate, RefundWindow, Settlement, Terms
from nexus.domain.catalogue.sessions import session_times

START = datetime(2026, 3, 10, 15, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def terms(*, charged=4, refunded=0, until=START - 48 * HOUR, length=HOUR):
    return Terms(
        charged=charged, refunded=refunded, booked_length=length, starts_at=START, refundable_until=until
    )


def terms_of(starts_at, refundable_until, *, at):
    booked = Terms(
        charged=4, refunded=0, booked_length=HOUR, starts_at=starts_at, refundable_until=refundable_until
    )
    return booked.when_the_parent_cancels(at=at)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (START - 48 * HOUR - MICRO, Settlement(refund=4)),
        (START - 48 * HOUR, Settlement(refund=4)),
        (START - 48 * HOUR + MICRO, Settlement(forfeit=4)),
        (START - MICRO, Settlement(forfeit=4)),
    ],
)
def test_the_edge_of_the_window_belongs_to_the_family(at, expected):
    assert terms().when_the_parent_cancels(at=at) == expected


@pytest.mark.parametrize("late", [timedelta(0), MICRO])
def test_nothing_can_be_given_up_from_the_start_on(late):
    with pytest.raises(CancellationTooLate) as refused:
        terms().when_the_parent_cancels(at=START + late)
    assert refused.value.starts_at == START


@pytest.mark.parametrize(
    ("day", "elapsed"), [(date(2026, 3, 9), 47), (date(2026, 11, 2), 49), (date(2026, 7, 6), 48)]
)
def test_48_hours_pass_whatever_the_clocks_do(day, elapsed):
    """
    Clocks in Chicago go forward on 8 March 2026 and back on 1 November: from the same
    time two days before, *elapsed* hours pass.
    """
    starts_at, _ = session_times(day, time(10), time(11), "America/Chicago")
    closes_at = RefundWindow().closes_at(starts_at)
    assert starts_at - closes_at == 48 * HOUR
    two_days_before, _ = session_times(day - timedelta(days=2), time(10), time(11), "America/Chicago")
    assert starts_at - two_days_before == elapsed * HOUR
    assert terms_of(starts_at, closes_at, at=closes_at) == Settlement(refund=4)
    assert terms_of(starts_at, closes_at, at=closes_at + MICRO) == Settlement(forfeit=4)


def test_a_family_that_was_moved_may_leave_for_free_until_the_start():
    assert terms(until=START).when_the_parent_cancels(at=START - MICRO) == Settlement(refund=4)


def test_what_came_back_before_does_not_come_back_again():
    partly = terms(charged=4, refunded=3)
    assert partly.when_the_venue_cancels() == Settlement(refund=1)
    assert partly.when_the_child_stays_away() == Settlement(forfeit=1)


@pytest.mark.parametrize("notice", [-MICRO, -HOUR])
def test_a_window_is_never_negative(notice):
    with pytest.raises(ValueError, match="notice"):
        RefundWindow(notice)


@pytest.mark.parametrize(
    ("paid", "minutes", "new_minutes", "new_price", "back"),
    [
        (4, 60, 60, 4, 0),
        (4, 60, 90, 6, 0),  # longer and dearer costs nothing more
        (4, 60, 30, 4, 2),
        (3, 60, 30, 3, 2),  # half of three: the odd credit goes to the family
        (1, 60, 59, 1, 1),
        (4, 60, 60, 3, 1),
        (4, 60, 30, 1, 3),  # whichever gives more
        (4, 60, 15, 3, 3),
        (2, 60, 60, 2, 0),  # raised after it was booked, and back again: nothing to give back
    ],
)
def test_shorter_or_cheaper_gives_the_difference_back(*, paid, minutes, new_minutes, new_price, back):
    given_back = terms(charged=paid, length=timedelta(minutes=minutes)).when_the_session_changes(
        new_length=timedelta(minutes=new_minutes),
        new_price=new_price,
    )
    assert given_back == back


@given(
    charged=st.integers(1, 9),
    share=st.integers(0, 9),
    at=st.integers(-3, 3),
    until=st.integers(-3, 0),
)
def test_refund_and_forfeit_add_up_to_what_was_left(charged, share, at, until):
    booked = Terms(
        charged=charged,
        refunded=min(share, charged),
        booked_length=HOUR,
        starts_at=START,
        refundable_until=START + until * MICRO,
    )
    settlements = [booked.when_the_venue_cancels(), booked.when_the_child_stays_away()]
    if at < 0:
        settlements.append(booked.when_the_parent_cancels(at=START + at * MICRO))
    for settlement in settlements:
        assert settlement.refund + settlement.forfeit == booked.paid
        assert min(settlement.refund, settlement.forfeit) == 0


@given(
    paid=st.integers(1, 9),
    length=st.integers(1, 6),
    new_length=st.integers(1, 6),
    new_price=st.integers(1, 6),
)
def test_a_fraction_of_a_credit_goes_to_the_family_and_never_a_whole_one(paid, length, new_length, new_price):
    back = terms(charged=paid, length=length * HOUR).when_the_session_changes(
        new_length=new_length * HOUR, new_price=new_price
    )
    kept = min(new_price, paid * min(1, Fraction(new_length, length)))
    assert 0 <= back <= paid
    assert back - 1 < paid - kept <= back


@given(
    charged=st.integers(1, 6),
    length=st.integers(1, 4),
    changes=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 9)), max_size=6),
)
def test_to_and_fro_gives_nothing_back_twice(charged, length, changes):
    """What a family has paid in the end is the least that the session was ever worth to it."""
    refunded = 0
    worth = [charged]
    for new_length, new_price in changes:
        refunded += terms(charged=charged, refunded=refunded, length=length * HOUR).when_the_session_changes(
            new_length=new_length * HOUR, new_price=new_price
        )
        worth.append(min(charged * min(new_length, length) // length, new_price))
    assert charged - refunded == min(worth)
