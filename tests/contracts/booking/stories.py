"""How the stories of booking are told: a family books and waits, and what came of it is looked up."""

from datetime import timedelta

import pytest

from nexus.domain.booking.waitlist import EntryStatus
from tests.support.town import NOON

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MICRO = timedelta(microseconds=1)
START = NOON + 7 * DAY
EDGE = START - 48 * HOUR
GONE = EntryStatus.CLOSED


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
