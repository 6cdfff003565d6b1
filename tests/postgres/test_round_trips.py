"""How often a command waits for the database: each time costs more than most statements."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from attrs import evolve

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.placing import LONGEST
from nexus.adapters.postgres.whom import PLATFORM
from nexus.application.booking.book import TakePlaces, TooMuchContention
from nexus.application.booking.views import BookingView
from nexus.application.credits.show import ShowCredits
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.caller import NOBODY, caller
from nexus.application.kernel.commands import Fingerprint
from nexus.domain.identity.people import Role
from nexus.entrypoints.http.idempotency import Once
from tests.support.booking import Desk, code
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


pytestmark = pytest.mark.postgres

Verb = Callable[[Town, Desk, Family], Callable[[], Bookings]]


@pytest.mark.parametrize(
    ("verb", "most"),
    [
        (book, 2),  # what decides; the places, what is told of them and the commit
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


def test_an_account_is_asked_for_once(
    town: Town, begin: PostgresBegin, desk: Desk, waited: list[None]
) -> None:
    family = town.family()
    book(town, desk, family)()
    asking = Actor(user=family.parent, role=Role.PARENT, company=town.company)
    marker = caller.set(evolve(NOBODY, actor=asking))
    waited.clear()
    try:
        shown = ShowCredits(begin.reading, lambda: desk.at)(actor=asking)
    finally:
        caller.reset(marker)
    assert len(waited) == 1
    assert shown.current is not None
    assert len(shown.lines) == 2, "what was given, and what was paid"


@pytest.mark.parametrize(("verb", "most"), [(book, 4), (cancel, 3)])
def test_a_named_command_waits_once_more_for_its_name(
    town: Town, desk: Desk, waited: list[None], verb: Verb, most: int
) -> None:
    family = town.family()
    run = verb(town, desk, family)
    waited.clear()
    Once(desk.begin, family.parent)(str(uuid4()), Fingerprint(b"x"), 201, run)
    assert len(waited) == most


@pytest.mark.parametrize(("left", "most"), [(LONGEST + 60, 2), (LONGEST, 3)])
def test_the_commit_is_not_sent_before_it_is_known_that_somebody_will_hear_of_it(
    town: Town, desk: Desk, waited: list[None], left: float, most: int
) -> None:
    """Else a seat for which a booking waits too long would be taken after the family was told that it failed."""
    run = book(town, desk, town.family())
    waited.clear()
    token = caller.set(evolve(NOBODY, is_platform=True, gives_up_at=monotonic() + left))
    try:
        run()
    finally:
        caller.reset(token)
    assert len(waited) == most


def test_a_place_that_cannot_be_given_leaves_nothing_though_the_commit_was_sent(
    town: Town, desk: Desk
) -> None:
    session, family = town.session(), town.family()

    def overtaking() -> str:
        town.owner.execute("UPDATE activity_sessions SET version = version + 1")
        return code()

    entries = town.one("SELECT count(*) FROM audit_logs")  # which nobody deletes
    desk.take = TakePlaces(uuid4, overtaking)
    with pytest.raises(TooMuchContention):
        desk.book(session, tuple(family.children), parent=family.parent, company=town.company)
    assert town.events() == []
    assert town.one("SELECT count(*) FROM bookings") == 0
    assert town.one("SELECT count(*) FROM audit_logs") == entries


NUMBERS = "CREATE TEMPORARY TABLE IF NOT EXISTS numbers (number int)"


def numbers(connection: psycopg.Connection[Any]) -> list[tuple[int, ...]]:
    return connection.execute("SELECT number FROM numbers ORDER BY number").fetchall()


@pytest.fixture
def connection(database_url: str) -> Iterator[WalledConnection]:
    with WalledConnection.connect(database_url, autocommit=True, prepare_threshold=0) as connected:
        connected.execute(NUMBERS)
        yield connected


def test_what_is_said_last_is_committed_with_it(connection: WalledConnection) -> None:
    with connection.unit(PLATFORM):
        connection.later("INSERT INTO numbers VALUES (%(one)s)", {"one": 1})
        with connection.said_last():
            connection.execute("INSERT INTO numbers VALUES (2)")
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert numbers(connection) == [(1,), (2,)]


def test_what_fails_last_is_not_committed_and_nothing_before_it(connection: WalledConnection) -> None:
    def unit() -> None:
        with connection.unit(PLATFORM):
            connection.later("INSERT INTO numbers VALUES (%(one)s)", {"one": 1})
            with connection.said_last():
                connection.execute("SELECT 1 / 0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        unit()
    assert numbers(connection) == []


def test_a_part_of_a_unit_does_not_commit_it(connection: WalledConnection) -> None:
    def unit() -> None:
        with connection.unit(PLATFORM):
            with connection.savepoint(), connection.said_last():
                connection.execute("INSERT INTO numbers VALUES (1)")
            raise KeyError

    with pytest.raises(KeyError):
        unit()
    assert numbers(connection) == []


def test_what_is_said_after_the_last_is_a_transaction_of_its_own(connection: WalledConnection) -> None:
    def unit(*, fails: bool) -> None:
        with connection.unit(PLATFORM):
            with connection.said_last():
                connection.execute("INSERT INTO numbers VALUES (1)")
            connection.execute("INSERT INTO numbers VALUES (2)")
            assert connection.execute("SELECT current_setting('nexus.scope')").fetchone() == ("platform",)
            if fails:
                raise KeyError

    unit(fails=False)
    with pytest.raises(KeyError):
        unit(fails=True)
    assert numbers(connection) == [(1,), (1,), (2,)]


def test_what_a_part_left_for_later_does_not_undo_it_from_within_the_next(
    connection: WalledConnection,
) -> None:
    """Its release is not said yet when the next part begins: the name is still taken."""
    connection.execute("CREATE UNIQUE INDEX ON numbers (number)")

    def unit() -> None:
        with connection.unit(PLATFORM):
            connection.execute("INSERT INTO numbers VALUES (0)")
            with connection.savepoint():
                connection.execute("INSERT INTO numbers VALUES (1)")
                connection.later("INSERT INTO numbers VALUES (%(clash)s)", {"clash": 0})
            with suppress(psycopg.errors.UniqueViolation), connection.savepoint():
                connection.execute("INSERT INTO numbers VALUES (2)")

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        unit()
    assert numbers(connection) == []


def test_a_unit_that_could_not_say_everything_is_not_committed(connection: WalledConnection) -> None:
    def unit() -> None:
        with connection.unit(PLATFORM):
            connection.later("SELECT %(text)s::text", {"text": "nothing that can be \0 sent"})
            connection.later("INSERT INTO numbers VALUES (%(seven)s)", {"seven": 7})
            with suppress(psycopg.DataError):
                connection.execute("INSERT INTO numbers VALUES (1)")
            connection.execute("INSERT INTO numbers VALUES (2)")

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        unit()
    assert numbers(connection) == []
    with connection.unit(PLATFORM):
        connection.execute("INSERT INTO numbers VALUES (3)")
    assert numbers(connection) == [(3,)]
