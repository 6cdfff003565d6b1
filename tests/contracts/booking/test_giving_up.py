"""Cancelling, and what comes back."""

import pytest

from contracts.booking.stories import DAY, EDGE, MICRO, START, book, purse_of, refused
from nexus.domain.booking.bookings import BookingEnded, BookingStatus, CancellationReason
from nexus.domain.booking.refunds import CancellationTooLate
from nexus.domain.kernel.errors import VersionMismatch
from tests.support.town import NOON


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
