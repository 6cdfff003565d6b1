"""How often a command waits for the database: each time costs more than most statements."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.connection import WalledConnection
from nexus.application.booking.views import BookingView
from nexus.application.kernel.commands import Fingerprint
from nexus.entrypoints.http.idempotency import Once
from tests.support.booking import Desk
from tests.support.town import Family, Town

Bookings = tuple[BookingView, ...]


@pytest.fixture
def town(begin: PostgresBegin, owner: psycopg.Connection) -> Town:
    return Town(owner)


@pytest.fixture
def desk(begin: PostgresBegin) -> Desk:
    return Desk(begin)


@pytest.fixture
def waited(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[None]]:
    """One for each time that the application has waited for an answer."""
    times: list[None] = []
    wait = WalledConnection.wait

    def counting(self: WalledConnection, gen: Any, *args: Any, **more: Any) -> Any:
        def steps() -> Any:
            ready = None
            try:
                wanted = next(gen)
                times.append(None)
                while True:
                    ready = yield wanted
                    wanted = gen.send(ready)
            except StopIteration as end:
                return end.value

        return wait(self, steps(), *args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(WalledConnection, "wait", counting)
        yield times


def book(town: Town, desk: Desk, family: Family) -> Callable[[], Bookings]:
    session = town.session(seats=1)
    return lambda: desk.book(session, tuple(family.children), parent=family.parent, company=town.company)


def cancel(town: Town, desk: Desk, family: Family) -> Callable[[], Bookings]:
    """Of the only seat, which somebody waits for and is offered."""
    [booking] = book(town, desk, family)()
    next_in_line = town.family()
    desk.join(booking.session_id, tuple(next_in_line.children), parent=next_in_line.parent)
    return lambda: desk.cancel(booking.id, parent=family.parent)


Verb = Callable[[Town, Desk, Family], Callable[[], Bookings]]


@pytest.mark.parametrize(
    ("verb", "most"),
    [
        (book, 3),  # what decides; the places and what is told of them; the commit
        (cancel, 2),  # what decides, locked; everything else with the commit
    ],
)
def test_a_command_waits_this_often(
    town: Town, desk: Desk, waited: list[None], verb: Verb, most: int
) -> None:
    run = verb(town, desk, town.family())
    waited.clear()
    run()
    assert len(waited) == most


@pytest.mark.parametrize(("verb", "most"), [(book, 4), (cancel, 3)])
def test_a_named_command_waits_once_more_for_its_name(
    town: Town, desk: Desk, waited: list[None], verb: Verb, most: int
) -> None:
    family = town.family()
    run = verb(town, desk, family)
    waited.clear()
    Once(desk.begin, family.parent)(str(uuid4()), Fingerprint(b"x"), 201, run)
    assert len(waited) == most
