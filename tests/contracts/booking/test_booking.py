"""Taking a place, and what stands in its way."""

from datetime import timedelta

import pytest

from contracts.booking.stories import DAY, EDGE, HOUR, MICRO, START, book, purse_of, refused
from nexus.application.booking.book import NotTheSameActivity
from nexus.domain.booking.bookings import BookingSource, BookingStatus
from nexus.domain.booking.sessions import SessionFull
from nexus.domain.booking.wishes import AlreadyBooked, BookingNotOpen, OverlappingBooking
from nexus.domain.credits.ledger import InsufficientCredits
from nexus.domain.kernel.errors import NoSuchThing
from tests.support.town import NOON, Town


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


def test_the_answer_to_a_booking_is_what_is_read_afterwards(town, desk):
    family = town.family(children=3)
    booked = book(town, desk, town.session(), family)
    assert [each.child_id for each in booked] == list(family.children)
    assert list(booked) == [desk.show(each.id, parent=family.parent) for each in booked]


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
