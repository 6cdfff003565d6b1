"""What families are owed when the venue cancels or changes."""

from datetime import date, datetime, time

from contracts.booking.stories import (
    DAY,
    GONE,
    HOUR,
    MICRO,
    START,
    book,
    booking_of,
    entry_of,
    join,
    purse_of,
    refused,
)
from nexus.application.booking.venue_sessions import PlanChange
from nexus.domain.booking.bookings import BookingEnded, BookingStatus
from nexus.domain.booking.sessions import CapacityBelowTaken, SessionCancelled, SessionStarted
from nexus.domain.booking.waitlist import EntryStatus
from nexus.domain.booking.wishes import OverlappingBooking
from nexus.domain.kernel.errors import VersionMismatch
from tests.support.town import NOON


def test_a_venue_pays_everything_back_however_late(town, desk, by):
    session, family = town.session(), town.family(credits=0)
    balance = purse_of(town, family)
    [booking] = book(town, desk, session, family)
    desk.at = START - MICRO
    assert desk.take_away(booking.id, venue=town.venue, by=by) is BookingStatus.CANCELLED_VENUE
    assert town.purse(balance)["available"] == 10
    assert refused(BookingEnded, desk.take_away, booking.id, venue=town.venue, by=by)


def test_a_cancelled_session_pays_everybody_back_and_closes_its_line(town, desk, by):
    session = town.session(seats=2)
    first, second, third, fourth = (town.family() for _ in range(4))
    [booking] = book(town, desk, session, first)
    book(town, desk, session, second)
    join(desk, session, third)
    join(desk, session, fourth)
    desk.cancel(booking.id, parent=first.parent)
    done = desk.cancel_session(session, venue=town.venue, by=by, reason="Burst pipe")
    assert (done.families_told, done.credits_refunded, done.entries_closed, done.version) == (1, 2, 2, 2)
    assert (town.status(session), town.seats(session)) == ("cancelled", (2, 0, 0, 0))
    for family in (third, fourth):
        entry = entry_of(desk, family)
        assert (entry.status, entry.closed_reason, entry.position) == (GONE, "session_cancelled", None)
    assert booking_of(desk, second).cancellation_reason == "venue_cancelled"
    assert town.events().count("WaitingEnded") == 2
    assert refused(SessionCancelled, desk.cancel_session, session, venue=town.venue, by=by, reason="x") == {}
    assert refused(SessionCancelled, book, town, desk, session, first) == {}
    assert refused(SessionCancelled, join, desk, session, first) == {}


def test_a_session_without_bookings_is_cancelled_too(town, desk, by):
    session = town.session()
    done = desk.cancel_session(session, venue=town.venue, by=by, reason="Nobody came")
    assert (done.families_told, done.entries_closed) == (0, 0)
    assert town.status(session) == "cancelled"


def planned(town, **columns):
    """A session from 9 to 11 in Chicago, a week ahead."""
    starts_at = datetime.combine(date(2026, 3, 10), time(14), tzinfo=NOON.tzinfo)
    return town.session(
        starts_at=starts_at, length=2 * HOUR, end_time=time(11), session_date=date(2026, 3, 10), **columns
    )


def test_another_time_may_be_left_for_free_until_the_start(town, desk):
    session, family = planned(town), town.family()
    [before] = book(town, desk, session, family)
    change = PlanChange(start_time=time(12), end_time=time(14))
    done = desk.change_session(session, change, venue=town.venue)
    assert (done.families_told, done.credits_refunded, done.version) == (1, 0, 2)
    moved = booking_of(desk, family)
    assert moved.starts_at == before.starts_at + 3 * HOUR
    assert (moved.refundable_until, moved.version) == (moved.starts_at, 2)
    desk.at = moved.starts_at - MICRO
    [left] = desk.cancel(before.id, parent=family.parent)
    assert left.credits_refunded == 2


def test_shorter_and_cheaper_give_the_difference_back(town, desk):
    session, family = planned(town, price=3), town.family(credits=0)
    balance = purse_of(town, family)
    [booking] = book(town, desk, session, family)
    done = desk.change_session(session, PlanChange(end_time=time(10)), venue=town.venue)
    assert done.credits_refunded == 2
    assert town.ledger(balance)[-1] == ("partial_refund", 2, 9)
    after = booking_of(desk, family)
    assert (after.credits_refunded, after.refundable_until) == (2, after.starts_at)
    desk.cancel(booking.id, parent=family.parent, version=after.version)
    assert town.purse(balance) == {"available": 10, "used": 3, "refunded": 3, "forfeited": 0, "expired": 0}


def test_nobody_keeps_paying_more_than_the_session_costs_now(town, desk):
    session, family = planned(town, price=3), town.family()
    book(town, desk, session, family)
    prices = {2: 1, 4: 0, 3: 0, 1: 1}
    given_back = {
        price: desk.change_session(session, PlanChange(price=price), venue=town.venue).credits_refunded
        for price in prices
    }
    assert given_back == prices


def test_shortened_and_prolonged_and_shortened_gives_back_once(town, desk):
    session, family = planned(town, price=3), town.family()
    book(town, desk, session, family)
    ends = [time(10), time(12), time(10), time(12)]
    given_back = [
        desk.change_session(session, PlanChange(end_time=end), venue=town.venue).credits_refunded
        for end in ends
    ]
    assert given_back == [2, 0, 0, 0]


def test_notes_are_told_and_change_nothing_else(town, desk):
    session, family = planned(town), town.family()
    [before] = book(town, desk, session, family)
    done = desk.change_session(session, PlanChange(notes="Bring an apron"), venue=town.venue)
    assert (done.families_told, done.credits_refunded) == (1, 0)
    assert booking_of(desk, family) == before


def test_more_seats_go_to_the_line_first(town, desk):
    session = planned(town, seats=1)
    book(town, desk, session, town.family())
    first, second = town.family(), town.family()
    join(desk, session, first)
    join(desk, session, second)
    desk.change_session(session, PlanChange(total_capacity=2), venue=town.venue)
    assert [entry_of(desk, each).status for each in (first, second)] == [
        EntryStatus.OFFERED,
        EntryStatus.WAITING,
    ]
    assert town.seats(session) == (2, 1, 1, 1)


def test_fewer_seats_than_are_taken_cannot_be(town, desk):
    session, family = planned(town, seats=3), town.family(children=2)
    book(town, desk, session, family)
    fewer = PlanChange(total_capacity=1)
    assert refused(CapacityBelowTaken, desk.change_session, session, fewer, venue=town.venue) == {
        "taken": 2,
        "requested": 1,
    }
    desk.change_session(session, PlanChange(total_capacity=2), venue=town.venue)
    assert town.seats(session) == (2, 2, 0, 0)


def test_a_group_for_which_there_will_never_be_seats_stops_waiting(town, desk):
    session = planned(town, seats=2)
    holder, group, single = town.family(), town.family(children=2), town.family()
    book(town, desk, session, holder)
    join(desk, session, group)
    desk.change_session(session, PlanChange(total_capacity=1), venue=town.venue)
    entry = entry_of(desk, group)
    assert (entry.status, entry.closed_reason) == (GONE, "too_few_seats")
    join(desk, session, single)
    desk.cancel(booking_of(desk, holder).id, parent=holder.parent)
    assert entry_of(desk, single).status is EntryStatus.OFFERED


def test_a_clash_that_the_venue_made_is_excused(town, desk):
    session, family = planned(town), town.family()
    other = town.session(starts_at=datetime(2026, 3, 10, 17, tzinfo=NOON.tzinfo))
    book(town, desk, session, family)
    book(town, desk, other, family)
    desk.change_session(session, PlanChange(start_time=time(12), end_time=time(14)), venue=town.venue)
    bookings = desk.list_bookings(parent=family.parent)
    assert {each.status for each in bookings} == {BookingStatus.CONFIRMED}
    desk.change_session(session, PlanChange(start_time=time(9), end_time=time(11)), venue=town.venue)
    third = town.session(starts_at=datetime(2026, 3, 10, 15, tzinfo=NOON.tzinfo))
    assert refused(OverlappingBooking, book, town, desk, third, family)


def test_a_changed_session_has_a_new_version_and_must_not_have_started(town, desk):
    session = planned(town)
    notes = PlanChange(notes="x")
    assert refused(VersionMismatch, desk.change_session, session, notes, venue=town.venue, version=2)
    desk.change_session(session, notes, venue=town.venue, version=1)
    desk.at = NOON + 8 * DAY + 2 * HOUR
    assert refused(SessionStarted, desk.change_session, session, notes, venue=town.venue)


def test_an_offer_ends_at_the_new_start(town, desk):
    session, holder, waiting = planned(town, seats=1), town.family(), town.family()
    [booking] = book(town, desk, session, holder)
    join(desk, session, waiting)
    desk.at = datetime(2026, 3, 10, 11, tzinfo=NOON.tzinfo)
    desk.cancel(booking.id, parent=holder.parent)
    assert entry_of(desk, waiting).offer_expires_at == datetime(2026, 3, 10, 14, tzinfo=NOON.tzinfo)
    desk.change_session(session, PlanChange(start_time=time(8), end_time=time(10)), venue=town.venue)
    assert entry_of(desk, waiting).offer_expires_at == datetime(2026, 3, 10, 13, tzinfo=NOON.tzinfo)
