"""The release of what is unsold, and attendance."""

import pytest

from contracts.booking.stories import HOUR, MICRO, START, book, booking_of, entry_of, join, purse_of, refused
from nexus.domain.booking.bookings import BookingEnded, BookingStatus, NotYetConfirmed, OutsideMarkingPeriod
from nexus.domain.booking.sessions import SessionFull
from nexus.domain.booking.waitlist import EntryStatus


@pytest.mark.parametrize("swept", [True, False])
def test_what_is_unsold_at_the_release_cannot_be_sold_any_more(town, desk, swept):
    release = START - 72 * HOUR
    session = town.session(seats=3, releases_at=release)
    family, late = town.family(), town.family()
    [booking] = book(town, desk, session, family)
    desk.at = release - MICRO
    book(town, desk, session, town.family())
    desk.at = release
    if swept:
        assert (desk.sweep(), desk.sweep()) == (1, 0)
        assert town.seats(session) == (2, 2, 0, 0)
    assert refused(SessionFull, book, town, desk, session, late)["free"] == 0
    desk.cancel(booking.id, parent=family.parent)
    book(town, desk, session, late)
    assert town.seats(session) == (2, 2, 0, 0)


def test_a_seat_held_by_an_offer_at_the_release_is_kept(town, desk):
    release = START - 72 * HOUR
    session = town.session(seats=1, releases_at=release)
    holder, first, second = town.family(), town.family(), town.family()
    [booking] = book(town, desk, session, holder)
    join(desk, session, first)
    join(desk, session, second)
    desk.at = release - HOUR
    desk.cancel(booking.id, parent=holder.parent)
    desk.at = release + 4 * HOUR
    desk.sweep()
    assert [entry_of(desk, each).status for each in (first, second)] == [
        EntryStatus.EXPIRED,
        EntryStatus.OFFERED,
    ]
    assert town.seats(session) == (1, 0, 1, 0)


def test_what_is_due_comes_in_one_order(town, desk, any_begin):
    """Whoever tells the same past again gets the same, whatever plan the database chooses."""
    town.at_the_venue(requires_confirmation=True, confirmation_hours=24)
    sessions = [town.session() for _ in range(12)]
    for session in sessions:
        book(town, desk, session, town.family())
    with any_begin() as work:
        assert work.lines.due(at=START, limit=10) == tuple(sorted(sessions))[:10]


def test_a_child_that_came_and_one_that_did_not(town, desk, by):
    session, came, away = town.session(), town.family(), town.family(credits=0)
    balance = purse_of(town, away)
    [one], [two] = book(town, desk, session, came), book(town, desk, session, away)
    desk.at = START - MICRO
    assert refused(OutsideMarkingPeriod, desk.mark, one.id, venue=town.venue, by=by, present=True)
    desk.at = START
    assert desk.mark(one.id, venue=town.venue, by=by, present=True) is BookingStatus.COMPLETED
    assert desk.mark(one.id, venue=town.venue, by=by, present=True) is BookingStatus.COMPLETED
    assert refused(BookingEnded, desk.mark, one.id, venue=town.venue, by=by, present=False)
    assert desk.mark(two.id, venue=town.venue, by=by, present=False) is BookingStatus.NO_SHOW
    assert town.purse(balance)["forfeited"] == 2
    assert town.ledger(balance)[-1] == ("forfeit", 0, 8)
    assert town.events().count("AttendanceMarked") == 2
    assert town.seats(session) == (20, 2, 0, 0)


def test_an_unconfirmed_child_is_not_marked(town, desk, pending, by):
    desk.at = START
    booking = pending[2]
    assert refused(NotYetConfirmed, desk.mark, booking.id, venue=town.venue, by=by, present=True)


def test_nobody_said_otherwise_counts_as_present_and_is_said_once(town, desk, by):
    session, family = town.session(), town.family()
    [booking] = book(town, desk, session, family)
    desk.at = START + 25 * HOUR - MICRO
    assert desk.complete() == 0
    desk.at = START + 25 * HOUR
    assert refused(OutsideMarkingPeriod, desk.mark, booking.id, venue=town.venue, by=by, present=False)
    assert (desk.complete(), desk.complete()) == (1, 0)
    assert booking_of(desk, family).status is BookingStatus.COMPLETED
    assert town.status(session) == "completed"
