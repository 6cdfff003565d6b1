"""The line before a full session: who is offered its seats, and how waiting ends."""

from uuid import uuid4

import pytest

from contracts.booking.stories import DAY, GONE, HOUR, MICRO, START, book, booking_of, entry_of, join, refused
from nexus.application.booking.stand_down import StandDown
from nexus.domain.booking.bookings import BookingSource, BookingStatus
from nexus.domain.booking.waitlist import (
    AlreadyWaiting,
    EntryEnded,
    EntryStatus,
    GroupTooLarge,
    NoOffer,
    OfferExpired,
    SeatsAvailable,
)
from nexus.domain.booking.wishes import ConsentMissing
from nexus.domain.credits.ledger import InsufficientCredits
from tests.support.town import NOON


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
