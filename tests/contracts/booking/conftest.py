"""The same stories on PostgreSQL and in memory: a town, and everything that is done about a seat in it."""

import pytest

from contracts.booking.stories import book, purse_of
from nexus.adapters.postgres.begin import PostgresBegin
from tests.support.booking import Desk
from tests.support.memory_town import MemoryTown
from tests.support.town import Town


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


@pytest.fixture
def pending(town, desk):
    """A pending booking in a session of one seat: session, family, booking, balance."""
    town.at_the_venue(requires_confirmation=True, confirmation_hours=24)
    session, family = town.session(seats=1), town.family(credits=0)
    balance = purse_of(town, family)
    [booking] = book(town, desk, session, family)
    return session, family, booking, balance


@pytest.fixture
def full(town, desk):
    """A session whose only seat is booked: the session, whose seat it is, and that booking."""
    session, holder = town.session(seats=1), town.family()
    [booking] = book(town, desk, session, holder)
    return session, holder, booking
