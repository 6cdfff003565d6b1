"""Bookings that the venue answers, or does not."""

from contracts.booking.stories import DAY, HOUR, MICRO, book, booking_of, entry_of, join, refused
from nexus.domain.booking.bookings import BookingStatus, ConfirmationLapsed, NotPending
from nexus.domain.booking.sessions import SessionFull
from nexus.domain.booking.waitlist import EntryStatus
from tests.support.town import NOON


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
