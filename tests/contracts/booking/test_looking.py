"""What a family and a venue see, and that what belongs to others does not exist."""

from uuid import uuid4

import pytest

from contracts.booking.stories import DAY, HOUR, MICRO, START, book, join, refused
from nexus.application.booking.venue_sessions import PlanChange
from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.kernel.errors import NoSuchThing
from tests.support.town import NOON


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
