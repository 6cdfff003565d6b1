"""Cancelling, and what comes back."""

import pytest
from attrs import evolve

from contracts.booking.stories import DAY, EDGE, MICRO, START, book, purse_of, refused
from nexus.application.booking.ports import Overtaken
from nexus.domain.booking.bookings import BookingEnded, BookingStatus, CancellationReason
from nexus.domain.booking.refunds import CancellationTooLate
from nexus.domain.kernel.errors import NoSuchThing, VersionMismatch
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


def test_the_answer_to_a_cancellation_is_what_is_read_afterwards(town, desk):
    session, family = town.session(), town.family(children=3)
    one, *others = book(town, desk, session, family)
    desk.at = EDGE
    [cancelled] = desk.cancel(one.id, parent=family.parent, reason=CancellationReason.WEATHER)
    assert cancelled == desk.show(one.id, parent=family.parent)
    for each in desk.cancel(others[1].id, parent=family.parent, with_group=True):
        assert each == desk.show(each.id, parent=family.parent)


def test_a_booking_that_has_another_version_all_the_same_is_not_stored_and_nothing_else_of_the_unit(
    town, desk
):
    session, family = town.session(), town.family()
    [booking] = book(town, desk, session, family)

    def give_up(times):
        with desk.begin() as work:
            found = work.departures.lock(booking.id, parent=family.parent, at=desk.at)
            ended, _ = found.bookings[0].cancelled_by_parent(at=desk.at)
            work.lines.save(found.line, evolve(found.line, last_number=7))
            for _ in range(times):
                work.places.save([ended], at=desk.at)

    with pytest.raises(Overtaken):
        give_up(2)
    assert desk.show(booking.id, parent=family.parent) == booking
    give_up(1)
    assert desk.show(booking.id, parent=family.parent).version == 2


def test_only_its_own_family_gives_a_booking_up(town, desk):
    session, family = town.session(), town.family()
    [booking] = book(town, desk, session, family)
    assert refused(NoSuchThing, desk.cancel, booking.id, parent=town.family().parent)
    assert desk.show(booking.id, parent=family.parent) == booking
