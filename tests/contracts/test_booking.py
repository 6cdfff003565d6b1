"""Booking, cancelling, waiting and what venues do: the same stories on PostgreSQL and in memory."""

from datetime import date, datetime, time, timedelta
from uuid import uuid4

import pytest

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.application.booking.book import NotTheSameActivity
from nexus.application.booking.stand_down import StandDown
from nexus.application.booking.venue_sessions import PlanChange
from nexus.domain.booking.bookings import (
    BookingEnded,
    BookingSource,
    BookingStatus,
    CancellationReason,
    ConfirmationLapsed,
    NotPending,
    NotYetConfirmed,
    OutsideMarkingPeriod,
)
from nexus.domain.booking.refunds import CancellationTooLate
from nexus.domain.booking.sessions import CapacityBelowTaken, SessionCancelled, SessionFull, SessionStarted
from nexus.domain.booking.waitlist import (
    AlreadyWaiting,
    EntryEnded,
    EntryStatus,
    GroupTooLarge,
    NoOffer,
    OfferExpired,
    SeatsAvailable,
)
from nexus.domain.booking.wishes import AlreadyBooked, BookingNotOpen, ConsentMissing, OverlappingBooking
from nexus.domain.credits.ledger import InsufficientCredits
from nexus.domain.kernel.errors import NoSuchThing, VersionMismatch
from tests.support.booking import Desk
from tests.support.memory_town import MemoryTown
from tests.support.town import NOON, Town

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MICRO = timedelta(microseconds=1)
START = NOON + 7 * DAY
EDGE = START - 48 * HOUR
GONE = EntryStatus.CLOSED


@pytest.fixture
def town(any_begin, request):
    if isinstance(any_begin, PostgresBegin):
        return Town(request.getfixturevalue("owner"))
    return MemoryTown(request.getfixturevalue("world"))


@pytest.fixture
def desk(any_begin):
    return Desk(any_begin)


@pytest.fixture
def by(town):
    """Somebody at the venue."""
    return town.family(credits=0).parent


def book(town, desk, session, family, *children, **more):
    chosen = children or tuple(family.children)
    return desk.book(session, chosen, parent=family.parent, company=town.company, **more)


def join(desk, session, family, *children):
    return desk.join(session, children or tuple(family.children), parent=family.parent)


def entry_of(desk, family):
    return desk.list_entries(parent=family.parent)[0]


def booking_of(desk, family):
    return desk.list_bookings(parent=family.parent)[0]


def refused(kind, verb, *args, **more):
    with pytest.raises(kind) as error:
        verb(*args, **more)
    return error.value.members()


def purse_of(town, family, credits=10, **more):
    return town.balance(family.parent, credits=credits, **more)


# Booking


def test_a_place_costs_its_price_and_is_confirmed(town, desk):
    session, family = town.session(seats=2, price=3), town.family(credits=0)
    balance = purse_of(town, family)
    [booking] = book(town, desk, session, family)
    assert (booking.status, booking.source) == (BookingStatus.CONFIRMED, BookingSource.BROWSE)
    assert (booking.credits_charged, booking.credits_refunded, booking.version) == (3, 0, 1)
    assert (booking.refundable_until, booking.booked_at) == (EDGE, NOON)
    assert (booking.activity_name, booking.venue_address) == ("Clay", "1 Main St, Chicago, IL 60601")
    assert town.seats(session) == (2, 1, 0, 0)
    assert town.purse(balance) == {"available": 7, "used": 3, "refunded": 0, "forfeited": 0, "expired": 0}
    assert town.ledger(balance) == [("allocation", 10, 10), ("booking_debit", -3, 7)]
    assert town.events() == ["PlacesBooked"]
    assert desk.show(booking.id, parent=family.parent) == booking


def test_siblings_get_places_together_or_not_at_all(town, desk):
    session, family = town.session(seats=3), town.family(children=2)
    bookings = book(town, desk, session, family)
    assert [each.child_id for each in bookings] == family.children
    assert len({each.group_booking_id for each in bookings}) == 1
    assert bookings[0].group_booking_id is not None
    others = town.family(children=2)
    assert refused(SessionFull, book, town, desk, session, others)["free"] == 1
    assert town.seats(session) == (3, 2, 0, 0)
    assert desk.list_bookings(parent=others.parent) == ()


def test_a_group_that_cannot_pay_for_all_gets_none(town, desk):
    session, family = town.session(price=6), town.family(children=2, credits=10)
    assert refused(InsufficientCredits, book, town, desk, session, family) == {"balance": 10, "price": 12}
    assert town.seats(session) == (20, 0, 0, 0)
    assert town.events() == []


def test_a_child_is_booked_once_and_again_after_cancelling(town, desk):
    session, family = town.session(), town.family()
    [booking] = book(town, desk, session, family)
    assert refused(AlreadyBooked, book, town, desk, session, family)["booking"] == booking.id
    desk.cancel(booking.id, parent=family.parent)
    [again] = book(town, desk, session, family)
    assert again.id != booking.id


@pytest.mark.parametrize(("gap", "overlaps"), [(-MICRO, True), (timedelta(0), False)])
def test_a_child_is_in_one_place_at_a_time(town, desk, gap, overlaps):
    first, second = town.session(), town.session(starts_at=START + HOUR + gap)
    family = town.family()
    [booking] = book(town, desk, first, family)
    if overlaps:
        assert refused(OverlappingBooking, book, town, desk, second, family)["booking"] == booking.id
    else:
        book(town, desk, second, family)


@pytest.mark.parametrize(("early", "opened"), [(MICRO, False), (timedelta(0), True)])
def test_a_block_is_sold_from_the_instant_it_opens(town, desk, early, opened):
    session, family = town.session(opens_at=NOON), town.family()
    desk.at = NOON - early
    if opened:
        book(town, desk, session, family)
    else:
        assert refused(BookingNotOpen, book, town, desk, session, family) == {"opens_at": NOON}


def test_only_open_credits_can_be_spent(town, desk):
    session, family = town.session(), town.family(credits=0)
    assert refused(InsufficientCredits, book, town, desk, session, family) == {"balance": 0, "price": 2}
    purse_of(town, family, opens_at=NOON - 28 * DAY, closes_at=NOON)
    assert refused(InsufficientCredits, book, town, desk, session, family)["balance"] == 0
    purse_of(town, family, opens_at=NOON)
    book(town, desk, session, family)


def test_booking_again_repeats_a_booking_of_the_same_activity(town, desk):
    family, other = town.family(), town.family()
    [first] = book(town, desk, town.session(), family)
    later = town.session(starts_at=START + DAY)
    assert refused(NoSuchThing, book, town, desk, later, other, original=first.id) == {"kind": "booking"}
    [again] = book(town, desk, later, family, original=first.id)
    assert again.source is BookingSource.BOOK_AGAIN
    elsewhere = type(town)(town.owner if isinstance(town, Town) else town.world)
    session = elsewhere.session(starts_at=START + 2 * DAY)
    assert refused(NotTheSameActivity, book, town, desk, session, family, original=first.id)


def test_a_quote_names_every_obstacle_and_reserves_nothing(town, desk):
    session, family = town.session(seats=1, price=6), town.family(children=2)
    quote = desk.quote(session, tuple(family.children), parent=family.parent)
    assert (quote.total, quote.credits_available, quote.credits_after) == (12, 10, -2)
    assert [each.type for each in quote.obstacles] == ["session-full", "insufficient-credits"]
    assert not quote.can_be_booked
    single = desk.quote(session, tuple(family.children[:1]), parent=family.parent)
    assert (single.can_be_booked, single.obstacles, single.refundable_until) == (True, (), EDGE)
    assert town.seats(session) == (1, 0, 0, 0)


# Giving up


@pytest.mark.parametrize(
    ("at", "back"), [(EDGE - MICRO, 2), (EDGE, 2), (EDGE + MICRO, 0), (START - MICRO, 0)]
)
def test_cancelling_does_what_the_quote_says(town, desk, at, back):
    session, family = town.session(), town.family(credits=0)
    balance = purse_of(town, family)
    [booking] = book(town, desk, session, family)
    desk.at = at
    quote = desk.quote_cancellation(booking.id, parent=family.parent)
    assert (quote.refund, quote.forfeit, quote.refundable_until) == (back, 2 - back, EDGE)
    [cancelled] = desk.cancel(booking.id, parent=family.parent, reason=CancellationReason.CHILD_SICK)
    assert (cancelled.status, cancelled.cancelled_at) == (BookingStatus.CANCELLED_PARENT, at)
    assert (cancelled.credits_refunded, cancelled.cancellation_reason) == (back, "child_sick")
    assert cancelled.version == 2
    assert town.seats(session) == (20, 0, 0, 0)
    assert town.purse(balance) == {
        "available": 8 + back,
        "used": 2,
        "refunded": back,
        "forfeited": 2 - back,
        "expired": 0,
    }
    last = ("refund_credit", 2, 10) if back else ("forfeit", 0, 8)
    assert town.ledger(balance)[-1] == last
    assert town.events() == ["PlacesBooked", "BookingCancelled"]
    assert refused(BookingEnded, desk.cancel, booking.id, parent=family.parent)["booking"] == booking.id


def test_nothing_can_be_given_up_after_the_start(town, desk):
    session, family = town.session(), town.family()
    [booking] = book(town, desk, session, family)
    desk.at = START
    for verb in (desk.cancel, desk.quote_cancellation):
        assert refused(CancellationTooLate, verb, booking.id, parent=family.parent) == {"starts_at": START}


def test_a_group_is_given_up_one_by_one_or_together(town, desk):
    session, family = town.session(), town.family(children=3)
    bookings = book(town, desk, session, family)
    assert len(desk.cancel(bookings[1].id, parent=family.parent)) == 1
    rest = desk.cancel(bookings[2].id, parent=family.parent, with_group=True)
    assert [each.id for each in rest] == [bookings[2].id, bookings[0].id]
    assert town.seats(session) == (20, 0, 0, 0)


def test_cancelling_by_an_old_version_is_refused(town, desk):
    session, family = town.session(), town.family()
    [booking] = book(town, desk, session, family)
    figures = refused(VersionMismatch, desk.cancel, booking.id, parent=family.parent, version=2)
    assert figures == {"expected": 2, "actual": 1}
    desk.cancel(booking.id, parent=family.parent, version=1)


def test_a_refund_follows_the_family_into_the_open_balance(town, desk):
    family = town.family(credits=0)
    old = purse_of(town, family, opens_at=NOON - DAY, closes_at=NOON + DAY)
    new = purse_of(town, family, opens_at=NOON + DAY, credits=5)
    [booking] = book(town, desk, town.session(), family)
    desk.at = NOON + DAY
    desk.cancel(booking.id, parent=family.parent)
    assert town.ledger(new) == [("allocation", 5, 5), ("refund_credit", 2, 7)]
    assert town.purse(old)["available"] == 8
    assert town.purse(new)["refunded"] == 2


def test_without_an_open_balance_a_refund_expires_where_it_came_from(town, desk):
    family = town.family(credits=0)
    old = purse_of(town, family, opens_at=NOON - DAY, closes_at=NOON + DAY)
    [booking] = book(town, desk, town.session(), family)
    desk.at = NOON + DAY
    [cancelled] = desk.cancel(booking.id, parent=family.parent)
    assert cancelled.credits_refunded == 2
    assert town.ledger(old)[2:] == [("refund_credit", 2, 10), ("expiry", -2, 8)]
    assert town.purse(old) == {"available": 8, "used": 2, "refunded": 2, "forfeited": 0, "expired": 2}


# The venue confirms


@pytest.fixture
def pending(town, desk):
    """A pending booking in a session of one seat: session, family, booking, balance."""
    town.at_the_venue(requires_confirmation=True, confirmation_hours=24)
    session, family = town.session(seats=1), town.family(credits=0)
    balance = purse_of(town, family)
    [booking] = book(town, desk, session, family)
    return session, family, booking, balance


def test_a_pending_booking_holds_the_seat_and_the_credits(town, desk, pending):
    session, _, booking, balance = pending
    assert (booking.status, booking.confirm_by) == (BookingStatus.PENDING, NOON + DAY)
    assert town.seats(session) == (1, 0, 1, 0)
    assert town.purse(balance)["available"] == 8
    assert refused(SessionFull, book, town, desk, session, town.family())["free"] == 0


def test_confirming_makes_it_a_booked_seat(town, desk, pending, by):
    session, family, booking, _ = pending
    desk.at = NOON + DAY - MICRO
    assert desk.confirm(booking.id, venue=town.venue, by=by) is BookingStatus.CONFIRMED
    assert town.seats(session) == (1, 1, 0, 0)
    assert booking_of(desk, family).version == 2
    assert town.events()[-1] == "BookingConfirmed"
    assert refused(NotPending, desk.confirm, booking.id, venue=town.venue, by=by)


def test_rejecting_gives_everything_back_and_the_seat_to_the_next(town, desk, pending, by):
    session, family, booking, balance = pending
    waiting = town.family()
    join(desk, session, waiting)
    assert desk.reject(booking.id, venue=town.venue, by=by) is BookingStatus.CANCELLED_VENUE
    assert town.purse(balance)["available"] == 10
    assert town.seats(session) == (1, 0, 1, 0)
    assert entry_of(desk, waiting).status is EntryStatus.OFFERED
    assert booking_of(desk, family).cancellation_reason == "not_confirmed"
    assert refused(NotPending, desk.reject, booking.id, venue=town.venue, by=by)


def test_an_unanswered_booking_lapses_with_a_full_refund(town, desk, pending, by):
    session, family, booking, balance = pending
    desk.at = NOON + DAY - MICRO
    assert desk.sweep() == 0
    desk.at = NOON + DAY
    assert refused(ConfirmationLapsed, desk.confirm, booking.id, venue=town.venue, by=by)
    assert desk.sweep() == 1
    assert desk.sweep() == 0
    assert booking_of(desk, family).status is BookingStatus.CANCELLED_VENUE
    assert town.purse(balance)["available"] == 10
    assert town.seats(session) == (1, 0, 0, 0)


def test_a_venue_has_at_most_until_the_start(town, desk):
    town.at_the_venue(requires_confirmation=True, confirmation_hours=24)
    [booking] = book(town, desk, town.session(starts_at=NOON + HOUR), town.family())
    assert booking.confirm_by == NOON + HOUR


# The venue cancels and changes


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


# Attendance


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


# Release


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


# Waiting


@pytest.fixture
def full(town, desk):
    """A session whose only seat is booked: the session, whose seat it is, and that booking."""
    session, holder = town.session(seats=1), town.family()
    [booking] = book(town, desk, session, holder)
    return session, holder, booking


def test_nobody_waits_for_a_free_seat_or_twice_or_in_vain(town, desk, full):
    session, _, _ = full
    family = town.family(children=2)
    assert refused(SeatsAvailable, join, desk, town.session(), family) == {"free": 20}
    entry = join(desk, session, family, family.children[0])
    assert (entry.position, entry.seats, entry.child_ids) == (1, 1, (family.children[0],))
    assert refused(AlreadyWaiting, join, desk, session, family, family.children[0])["entry"] == entry.id
    assert join(desk, session, family, family.children[1]).position == 2
    assert refused(GroupTooLarge, join, desk, session, town.family(children=2)) == {
        "seats": 2,
        "sellable": 1,
    }


def test_an_offer_is_accepted_and_is_a_booking(town, desk, full):
    session, holder, booking = full
    first, second = town.family(), town.family()
    entry = join(desk, session, first)
    join(desk, session, second)
    figures = refused(NoOffer, desk.accept, entry.id, parent=first.parent, company=town.company)
    assert figures == {"entry": entry.id, "position": 1}
    desk.cancel(booking.id, parent=holder.parent)
    offered = entry_of(desk, first)
    assert (offered.status, offered.offered_at) == (EntryStatus.OFFERED, NOON)
    assert offered.offer_expires_at == NOON + 4 * HOUR
    assert town.seats(session) == (1, 0, 1, 1)
    desk.at = NOON + 4 * HOUR - MICRO
    [won] = desk.accept(entry.id, parent=first.parent, company=town.company)
    assert (won.source, won.status) == (BookingSource.WAITLIST, BookingStatus.CONFIRMED)
    assert town.seats(session) == (1, 1, 0, 1)
    assert entry_of(desk, second).position == 1
    figures = refused(EntryEnded, desk.accept, entry.id, parent=first.parent, company=town.company)
    assert figures == {"entry": entry.id, "entry_status": EntryStatus.ACCEPTED}
    assert town.events().count("OfferMade") == 1


def test_with_too_few_credits_the_offer_stands(town, desk, full):
    session, holder, booking = full
    poor = town.family(credits=1)
    entry = join(desk, session, poor)
    desk.cancel(booking.id, parent=holder.parent)
    figures = refused(InsufficientCredits, desk.accept, entry.id, parent=poor.parent, company=town.company)
    assert figures == {"balance": 1, "price": 2}
    assert entry_of(desk, poor).status is EntryStatus.OFFERED
    assert town.seats(session) == (1, 0, 1, 0)


@pytest.mark.parametrize("how", ["decline", "leave", "expire"])
def test_a_seat_that_is_not_wanted_goes_to_the_next_at_once(town, desk, full, how):
    session, holder, booking = full
    first, second = town.family(), town.family()
    entry = join(desk, session, first)
    join(desk, session, second)
    desk.cancel(booking.id, parent=holder.parent)
    if how == "expire":
        desk.at = NOON + 4 * HOUR
        for verb in (desk.decline, desk.accept):
            more = {"company": town.company} if verb == desk.accept else {}
            assert refused(OfferExpired, verb, entry.id, parent=first.parent, **more)
        assert desk.sweep() == 1
        assert town.events().count("OfferLapsed") == 1
    else:
        getattr(desk, how)(entry.id, parent=first.parent)
    ended = {"decline": EntryStatus.DECLINED, "leave": EntryStatus.LEFT, "expire": EntryStatus.EXPIRED}
    assert entry_of(desk, first).status is ended[how]
    assert entry_of(desk, second).status is EntryStatus.OFFERED
    assert town.seats(session) == (1, 0, 1, 0)
    again = join(desk, session, first)
    assert again.position == 2


def test_who_left_rejoins_at_the_end(town, desk, full):
    session = full[0]
    first, second = town.family(), town.family()
    entry = join(desk, session, first)
    join(desk, session, second)
    desk.leave(entry.id, parent=first.parent)
    assert entry_of(desk, second).position == 1
    assert join(desk, session, first).position == 2
    figures = refused(EntryEnded, desk.leave, entry.id, parent=first.parent)
    assert figures["entry_status"] == EntryStatus.LEFT


def test_siblings_wait_for_seats_together(town, desk):
    session, group, single = town.session(seats=2), town.family(children=2), town.family()
    holders = [town.family(), town.family()]
    bookings = [book(town, desk, session, each)[0] for each in holders]
    entry = join(desk, session, group)
    join(desk, session, single)
    desk.cancel(bookings[0].id, parent=holders[0].parent)
    assert entry_of(desk, single).status is EntryStatus.OFFERED
    desk.decline(entry_of(desk, single).id, parent=single.parent)
    desk.cancel(bookings[1].id, parent=holders[1].parent)
    assert entry_of(desk, group).status is EntryStatus.OFFERED
    assert town.seats(session) == (2, 0, 2, 0)
    won = desk.accept(entry.id, parent=group.parent, company=town.company)
    assert len({each.group_booking_id for each in won}) == 1
    assert town.seats(session) == (2, 2, 0, 0)


def test_in_the_last_hour_a_freed_seat_is_open_to_all(town, desk, full):
    session, holder, booking = full
    waiting, passer_by = town.family(), town.family()
    join(desk, session, waiting)
    desk.at = START - HOUR + MICRO
    desk.cancel(booking.id, parent=holder.parent)
    assert entry_of(desk, waiting).status is EntryStatus.WAITING
    book(town, desk, session, passer_by)


def test_the_start_closes_the_line(town, desk, full):
    session = full[0]
    family = town.family()
    join(desk, session, family)
    desk.at = START
    assert (desk.sweep(), desk.sweep()) == (1, 0)
    entry = entry_of(desk, family)
    assert (entry.status, entry.closed_reason) == (GONE, "session_started")
    assert town.seats(session) == (1, 1, 0, 0)


def test_withdrawn_consent_ends_places_and_waiting(town, desk, any_begin):
    family, next_in_line = town.family(children=2), town.family()
    booked, waited = town.session(seats=1), town.session(seats=1, starts_at=START + DAY)
    child, sibling = family.children
    book(town, desk, booked, family, child)
    join(desk, booked, next_in_line)
    book(town, desk, waited, town.family())
    join(desk, waited, family, sibling)
    join(desk, waited, town.family())
    second = town.session(seats=1, starts_at=START + 2 * DAY)
    book(town, desk, second, town.family())
    join(desk, second, family, child)
    town.withdraw_consent(child)
    with any_begin() as work:
        StandDown(uuid4)(work, child, parent=family.parent, reason="consent_withdrawn", at=NOON)
    assert booking_of(desk, family).cancellation_reason == "consent_withdrawn"
    assert booking_of(desk, family).credits_refunded == 2
    assert entry_of(desk, next_in_line).status is EntryStatus.OFFERED
    by_session = {each.session_id: each for each in desk.list_entries(parent=family.parent)}
    assert (by_session[second].status, by_session[second].closed_reason) == (GONE, "child_unavailable")
    assert by_session[waited].status is EntryStatus.WAITING
    assert refused(ConsentMissing, book, town, desk, second, family, child)
    assert refused(ConsentMissing, join, desk, second, family, child)


# Tenancy and lists


def test_what_belongs_to_others_does_not_exist(town, desk, full, by):
    session, holder, booking = full
    stranger = town.family()
    entry = join(desk, session, town.family())
    own = {"parent": stranger.parent}
    company = {"company": town.company}
    for verb in (desk.cancel, desk.quote_cancellation, desk.show):
        assert refused(NoSuchThing, verb, booking.id, **own) == {"kind": "booking"}
    for verb, more in ((desk.accept, company), (desk.decline, {}), (desk.leave, {})):
        assert refused(NoSuchThing, verb, entry.id, **own, **more) == {"kind": "waitlist entry"}
    theirs = tuple(holder.children)
    for verb, more in ((desk.book, company), (desk.join, {}), (desk.quote, {})):
        assert refused(NoSuchThing, verb, session, theirs, **own, **more) == {"kind": "child"}
        assert refused(NoSuchThing, verb, uuid4(), tuple(stranger.children), **own, **more) == {
            "kind": "session"
        }
    there = {"venue": uuid4()}
    for verb, more in (
        (desk.confirm, {}),
        (desk.reject, {}),
        (desk.take_away, {}),
        (desk.mark, {"present": True}),
    ):
        assert refused(NoSuchThing, verb, booking.id, by=by, **there, **more) == {"kind": "booking"}
    assert refused(NoSuchThing, desk.cancel_session, session, by=by, reason="x", **there) == {
        "kind": "session"
    }
    assert refused(NoSuchThing, desk.change_session, session, PlanChange(price=1), **there) == {
        "kind": "session"
    }
    assert desk.list_bookings(**own) == desk.list_entries(**own) == ()
    assert town.seats(session) == (1, 1, 0, 1)


def test_lists_come_latest_first_and_in_pages(town, desk):
    family = town.family()
    for i in range(3):
        desk.at = NOON + i * HOUR
        book(town, desk, town.session(price=1, starts_at=START + i * DAY), family)
    everything = desk.list_bookings(parent=family.parent)
    assert [each.booked_at for each in everything] == [NOON + 2 * HOUR, NOON + HOUR, NOON]
    first = desk.list_bookings(parent=family.parent, limit=2)
    rest = desk.list_bookings(parent=family.parent, after=(first[1].booked_at, first[1].id), limit=2)
    assert (*first, *rest) == everything
    desk.cancel(everything[0].id, parent=family.parent)
    desk.at = START + HOUR
    assert [each.id for each in desk.list_bookings(parent=family.parent, upcoming=True)] == [everything[1].id]
    ended = desk.list_bookings(parent=family.parent, status=BookingStatus.CANCELLED_PARENT)
    assert [each.id for each in ended] == [everything[0].id]


def test_entries_can_be_told_apart_by_whether_they_stand(town, desk, full):
    session, family = full[0], town.family()
    left = join(desk, session, family)
    desk.leave(left.id, parent=family.parent)
    desk.at = NOON + MICRO
    stands = join(desk, session, family)
    assert [each.id for each in desk.list_entries(parent=family.parent)] == [stands.id, left.id]
    assert [each.id for each in desk.list_entries(parent=family.parent, active=True)] == [stands.id]
    assert [each.id for each in desk.list_entries(parent=family.parent, active=False)] == [left.id]
    paged = desk.list_entries(parent=family.parent, after=(stands.joined_at, stands.id))
    assert [each.id for each in paged] == [left.id]


def test_a_venue_sees_whom_it_expects(town, desk, any_begin):
    session = town.session()
    staying, leaving = town.family(), town.family()
    [booking], [left] = book(town, desk, session, staying), book(town, desk, session, leaving)
    desk.cancel(left.id, parent=leaving.parent)
    with any_begin() as work:
        [line] = work.booking_views.roster(session, venue=town.venue)
        assert (line.booking_id, line.child_first_name, line.child_age) == (booking.id, "Kim", 7)
        assert (line.parent_name, line.sealed_medical_notes) == ("Pat Doe", None)
        with pytest.raises(NoSuchThing):
            work.booking_views.roster(session, venue=uuid4())
