"""Booking and cancelling on PostgreSQL, through the use cases."""

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.application.booking.book import TakePlaces, TooMuchContention
from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.booking.sessions import SessionFull
from nexus.domain.booking.waitlist import EntryStatus
from tests.support.booking import Desk
from tests.support.town import NOON, Town


@pytest.fixture
def town(begin: PostgresBegin, owner: psycopg.Connection) -> Town:
    return Town(owner)


@pytest.fixture
def desk(begin: PostgresBegin) -> Desk:
    return Desk(begin)


def test_a_freed_seat_goes_to_the_first_in_line_and_nobody_else(town: Town, desk: Desk) -> None:
    session = town.session(seats=1)
    first, second, third = town.family(), town.family(), town.family()
    [booking] = desk.book(session, tuple(first.children), parent=first.parent, company=town.company)
    assert booking.status is BookingStatus.CONFIRMED
    with pytest.raises(SessionFull):
        desk.book(session, tuple(second.children), parent=second.parent, company=town.company)
    entry = desk.join(session, tuple(second.children), parent=second.parent)
    assert (entry.status, entry.position) == (EntryStatus.WAITING, 1)
    desk.cancel(booking.id, parent=first.parent)
    assert (
        town.one("SELECT credits_available FROM user_credit_balances WHERE user_id = %s", first.parent) == 10
    )
    with pytest.raises(SessionFull):
        desk.book(session, tuple(third.children), parent=third.parent, company=town.company)
    [offered] = desk.list_entries(parent=second.parent)
    assert offered.offer_expires_at == NOON + timedelta(hours=4)
    [won] = desk.accept(entry.id, parent=second.parent, company=town.company)
    assert won.status is BookingStatus.CONFIRMED
    assert town.one("SELECT ARRAY[booked_count, held_count] FROM activity_sessions") == [1, 0]


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=10)])
def test_a_seat_given_up_before_a_due_release_is_swept_is_offered_and_not_returned(
    town: Town, desk: Desk, late: timedelta
) -> None:
    """Whether the sweeper was late must not decide whose the seat is: it was sold when the release was due."""
    release = NOON + timedelta(days=4)
    session = town.session(seats=2, releases_at=release)
    first, second, waiting = town.family(), town.family(), town.family()
    [booking] = desk.book(session, tuple(first.children), parent=first.parent, company=town.company)
    desk.book(session, tuple(second.children), parent=second.parent, company=town.company)
    desk.join(session, tuple(waiting.children), parent=waiting.parent)
    desk.at = release + late
    desk.cancel(booking.id, parent=first.parent)
    [entry] = desk.list_entries(parent=waiting.parent)
    assert entry.status is EntryStatus.OFFERED
    assert town.one("SELECT ARRAY[sellable, booked_count, held_count] FROM activity_sessions") == [2, 1, 1]


def test_a_confirmed_booking_stands_when_another_of_the_session_is_not_answered_in_time(
    town: Town, desk: Desk, owner: psycopg.Connection
) -> None:
    """Its own answer came in time; the sweep takes back only what the venue never answered."""
    owner.execute("UPDATE venues SET requires_confirmation = true, confirmation_hours = 24")
    session = town.session(seats=2)
    answered, forgotten = town.family(), town.family()
    [kept] = desk.book(session, tuple(answered.children), parent=answered.parent, company=town.company)
    [lapsed] = desk.book(session, tuple(forgotten.children), parent=forgotten.parent, company=town.company)
    desk.confirm(kept.id, venue=town.venue, by=answered.parent)
    desk.at = NOON + timedelta(hours=24)
    desk.sweep()
    assert desk.show(kept.id, parent=answered.parent).status is BookingStatus.CONFIRMED
    assert desk.show(lapsed.id, parent=forgotten.parent).status is BookingStatus.CANCELLED_VENUE


def test_a_price_that_changes_between_looking_and_booking_is_decided_anew(town: Town, desk: Desk) -> None:
    session, family = town.session(price=2), town.family(credits=3)
    attempts: list[int] = []

    def code() -> str:
        """Asked for after the decision and before the write."""
        attempts.append(1)
        if len(attempts) == 1:
            raised = "UPDATE activity_sessions SET credits_required = 3, version = version + 1 WHERE id = %s"
            town.owner.execute(raised, [session])
        return f"C{uuid4().hex[:9]}"

    desk.take = TakePlaces(uuid4, code)
    [booking] = desk.book(session, tuple(family.children), parent=family.parent, company=town.company)
    assert (booking.credits_charged, len(attempts)) == (3, 2)


def test_a_session_that_changes_at_every_attempt_is_given_up(town: Town, desk: Desk) -> None:
    session, family = town.session(price=2), town.family()

    def code() -> str:
        town.owner.execute("UPDATE activity_sessions SET version = version + 1 WHERE id = %s", [session])
        return f"C{uuid4().hex[:9]}"

    desk.take = TakePlaces(uuid4, code)
    with pytest.raises(TooMuchContention):
        desk.book(session, tuple(family.children), parent=family.parent, company=town.company)
    assert town.one("SELECT booked_count FROM activity_sessions WHERE id = %s", session) == 0


def test_who_let_an_offer_lapse_may_rejoin_before_any_sweep(town: Town, desk: Desk) -> None:
    session = town.session(seats=1)
    holder, waiting = town.family(), town.family()
    [booking] = desk.book(session, tuple(holder.children), parent=holder.parent, company=town.company)
    desk.join(session, tuple(waiting.children), parent=waiting.parent)
    behind = town.family()
    desk.join(session, tuple(behind.children), parent=behind.parent)
    desk.cancel(booking.id, parent=holder.parent)
    desk.at += timedelta(hours=4)
    again = desk.join(session, tuple(waiting.children), parent=waiting.parent)
    assert (again.status, again.position) == (EntryStatus.WAITING, 2)
