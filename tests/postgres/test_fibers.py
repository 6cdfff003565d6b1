"""Calls that share the event loop's thread: each waits for PostgreSQL by itself, and none for another."""

import asyncio
import contextvars
import socket
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from time import monotonic
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import psycopg
import pytest
import uvloop
from psycopg.pq.abc import PGconn
from psycopg.waiting import Wait
from psycopg_pool import PoolTimeout

from nexus.adapters.postgres import fibers
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.fibers import begin_fiber, fiber
from nexus.adapters.postgres.pool import Pool, open_pool
from nexus.adapters.postgres.whom import PLATFORM

IN_TIME = 10
"""Seconds; who waits for somebody who waits for them would wait for ever."""

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return lambda scene: request.param(asyncio.wait_for(scene, IN_TIME))


def begun(call: Callable[[], Any]) -> "asyncio.Future[Any]":
    """What a call in a fiber returns or raises."""
    future = asyncio.get_running_loop().create_future()

    def tell() -> None:
        try:
            result = call()
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to who asked
            future.set_exception(error)
        else:
            future.set_result(result)

    begin_fiber(tell)
    return future


def test_while_one_waits_others_go_on_in_the_same_thread(run: Run, pool: Pool):
    """In threads of their own it would be nothing; in one thread the first would never end."""
    key = uuid4().int % 2**31
    threads = []

    def first() -> None:
        with pool.connection() as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (key,))
            threads.append(threading.get_ident())
            connection.execute("SELECT pg_advisory_unlock(%s)", (key,))

    async def scene() -> None:
        with pool.connection() as holding:
            holding.execute("SELECT pg_advisory_lock(%s)", (key,))
            waiting = begun(first)
            second = begun(pool.getconn)
            pool.putconn(await second)
            await asyncio.sleep(0.01)
            assert not waiting.done()
            holding.execute("SELECT pg_advisory_unlock(%s)", (key,))
            await waiting

    run(scene())
    assert threads == [threading.get_ident()]


def test_a_connection_may_have_the_number_of_one_that_has_gone(run: Run, database_url: str):
    """What the loop watched went with the socket that was closed, though the number is in use again."""

    def same_number() -> bool:
        with WalledConnection.connect(database_url, autocommit=True) as first:
            gone = first.fileno()
            first.execute("SELECT 1")
        with WalledConnection.connect(database_url, autocommit=True) as second:
            assert second.execute("SELECT pg_sleep(0.01), 7").fetchone() == ("", 7)
            return second.fileno() == gone

    def work() -> bool:  # another thread may take the number meanwhile
        return any(same_number() for _ in range(20))

    async def scene() -> bool:
        return await begun(work)

    assert run(scene())


def test_after_an_error_of_the_socket_there_is_still_something_to_read(run: Run):
    """A server that is killed has not read all that it was sent, and has sent some of the answer."""
    ours, theirs = socket.socketpair()
    ours.send(b"a question that nobody has read")
    theirs.send(b"answer")

    def in_pieces() -> Generator[Wait, Any, list[bytes]]:
        pieces = []
        while pieces[-1:] != [b""]:
            yield Wait.R
            with suppress(ConnectionResetError):
                pieces.append(ours.recv(3))
        return pieces

    def work() -> list[bytes]:
        waiting = fiber()
        assert waiting is not None
        return waiting.wait(in_pieces(), cast("PGconn", SimpleNamespace(socket=ours.fileno())))

    async def scene() -> list[bytes]:
        answer = begun(work)
        theirs.close()
        return await answer

    with ours:
        assert run(scene()) == [b"ans", b"wer", b""]


def test_where_nothing_can_be_waited_for_the_fiber_is_told(run: Run, database_url: str):
    def work() -> str:
        with WalledConnection.connect(database_url, autocommit=True) as connection:
            gone = connection.pgconn
        waiting = fiber()
        assert waiting is not None
        try:
            waiting.wait((ready for ready in [Wait.R]), gone)
        except psycopg.OperationalError as error:
            return str(error)
        return "woken"

    async def scene() -> str:
        return await begun(work)

    assert "closed" in run(scene())


def test_who_waits_for_a_connection_does_not_hold_up_who_will_give_it_back(run: Run, database_url: str):
    def work() -> int:
        with small.connection() as connection:
            found = connection.execute("SELECT pg_sleep(0.01), 7").fetchone()
            assert found is not None
            return found[1]

    async def scene() -> list[int]:
        return await asyncio.gather(*(begun(work) for _ in range(5)))

    with open_pool(database_url, size=1) as small:
        assert run(scene()) == [7] * 5
        assert small.get_stats().get("requests_errors", 0) == 0


def test_a_pool_grows_for_fibers(run: Run, database_url: str):
    async def scene() -> int:
        together = threading.Barrier(3)

        def work() -> None:
            with large.connection() as connection:
                connection.execute("SELECT 1")
                at_work = fiber()
                assert at_work is not None
                at_work.aside(together.wait)

        await asyncio.gather(*(begun(work) for _ in range(3)))
        return large.get_stats()["pool_size"]

    with open_pool(database_url, size=3) as large:
        assert run(scene()) == 3


def test_what_a_server_ends_is_told_and_the_next_one_finds_another_connection(
    run: Run, database_url: str, owner: psycopg.Connection
):
    def work() -> None:
        with small.connection() as connection:
            pids.append(connection.info.backend_pid)
            connection.execute("SELECT pg_sleep(30)")

    def again() -> Any:
        with small.connection() as connection:
            return connection.execute("SELECT 7").fetchone()

    async def scene() -> None:
        ended = begun(work)
        sleeping = "SELECT FROM pg_stat_activity WHERE pid = ANY(%s) AND wait_event = 'PgSleep'"
        while not owner.execute(sleeping, (pids,)).fetchall():  # noqa: ASYNC110 - the server tells it
            await asyncio.sleep(0.01)
        owner.execute("SELECT pg_terminate_backend(%s)", pids)
        with pytest.raises(psycopg.OperationalError):
            await ended
        assert await begun(again) == (7,)

    pids: list[int] = []
    with open_pool(database_url, size=1) as small:
        run(scene())


def test_units_of_work_that_fail_are_undone(run: Run, begin: PostgresBegin, owner: psycopg.Connection):
    def fail() -> None:
        with begin.as_platform() as work, begin.as_platform():
            work.connection.execute("SELECT set_config('application_name', 'failing', false)")
            work.connection.execute("SELECT 1 / 0")

    async def scene() -> None:
        for _ in range(20):
            ended = await asyncio.gather(*(begun(fail) for _ in range(4)), return_exceptions=True)
            assert {type(each) for each in ended} == {psycopg.errors.DivisionByZero}

    run(scene())
    left = "SELECT state FROM pg_stat_activity WHERE state LIKE 'idle in%' OR application_name = 'failing'"
    assert owner.execute(left).fetchall() == []


@pytest.mark.parametrize("fibers", [1, 8, 40])
def test_each_gets_the_answers_to_its_own_questions(run: Run, pool: Pool, fibers: int):
    """Statements alone, in transactions and in one message, answered and refused, of many at once."""

    def ask(number: int) -> int:
        total = 0
        for turn in range(12):
            with pool.connection() as connection, connection.unit(PLATFORM):
                connection.later("SELECT %(n)s::int", {"n": number})
                found = connection.execute("SELECT %s::int + %s::int", (number, turn)).fetchone()
                assert found is not None
                total += found[0]
                if turn % 3 == 0:
                    with pytest.raises(psycopg.errors.DivisionByZero), connection.savepoint():
                        connection.execute("SELECT 1 / (%s - %s)", (turn, turn))
        return total

    async def scene() -> list[int]:
        return await asyncio.gather(*(begun(lambda n=n: ask(n)) for n in range(fibers)))

    assert run(scene()) == [12 * number + sum(range(12)) for number in range(fibers)]


def test_no_fiber_tells_the_loop_what_to_watch(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    """
    The loop has laid on its stack what it is about to look at, and the fiber's stack is now in its place.

    With uvloop the process died of it within some thousand requests.
    """
    told = []
    large = "x" * 16_000_000  # more than a socket takes while its server sleeps

    def work() -> None:
        for _ in range(2):
            with pool.connection() as connection, connection.pipeline():
                connection.execute("SELECT pg_sleep(0.05)")
                connection.execute("SELECT length(%s)", (large,))
            at_work = fiber()
            assert at_work is not None
            at_work.aside(int)

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        for name in ("add_reader", "remove_reader", "add_writer", "remove_writer"):
            method = getattr(loop, name)

            def noting(*args: Any, name: str = name, method: Any = method) -> Any:
                told.append((name, fiber()))
                return method(*args)

            monkeypatch.setattr(loop, name, noting)
        await begun(work)

    asyncio.run(asyncio.wait_for(scene(), IN_TIME))
    assert told == [("add_reader", None)]


def test_what_blocks_is_done_aside_and_its_error_is_raised_where_it_was_asked_for(run: Run):
    def divide() -> None:
        at_work = fiber()
        assert at_work is not None
        assert at_work.aside(threading.get_ident) != threading.get_ident()
        at_work.aside(lambda: 1 // 0)

    async def scene() -> None:
        with pytest.raises(ZeroDivisionError):
            await begun(divide)

    run(scene())


def test_what_a_fiber_hands_to_a_thread_is_no_fiber(run: Run):
    """Not even with its context: a thread may block, and has no loop to leave to."""

    async def scene() -> None:
        assert fiber() is None
        seen = await begun(lambda: (fiber(), contextvars.copy_context()))
        assert seen[0] is not None
        assert await asyncio.to_thread(seen[1].run, fiber) is None

    run(scene())


def test_each_has_its_own_context(run: Run, pool: Pool):
    asking: contextvars.ContextVar[int] = contextvars.ContextVar("asking")

    def ask(number: int) -> tuple[int, int]:
        asking.set(number)
        with pool.connection() as connection:
            connection.execute("SELECT pg_sleep(0.001)")
        return number, asking.get()

    async def scene() -> list[tuple[int, int]]:
        asking.set(-1)
        calls = [begun(lambda n=n: contextvars.copy_context().run(ask, n)) for n in range(8)]
        ended = await asyncio.gather(*calls)
        assert asking.get() == -1
        return ended

    assert run(scene()) == [(number, number) for number in range(8)]


def test_all_who_wait_for_a_connection_wait_no_longer_than_its_patience(run: Run, database_url: str):
    """More than the loop's own threads, in which each would begin to wait when another one has given up."""
    patience, many = 0.5, 40

    async def scene(small: Pool) -> list[float]:
        def ask() -> float:
            begun_at = monotonic()
            with pytest.raises(PoolTimeout), small.connection():
                pass
            return monotonic() - begun_at

        return await asyncio.gather(*(begun(ask) for _ in range(many)))

    with open_pool(database_url, size=1, patience=patience) as small, small.connection():
        assert max(run(scene(small))) < 2 * patience


def test_a_server_that_is_silent_for_too_long_is_given_up(
    run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    """As one whose machine has gone without a word: nobody is told, and nothing times out by itself."""
    monkeypatch.setattr(fibers, "LONGEST_WAIT", 0.3)
    monkeypatch.setattr(fibers, "LOOK_EVERY", 0.05)

    async def scene(small: Pool) -> tuple[str, Any]:
        def ask(seconds: float) -> Any:
            with small.connection() as connection, connection.unit(PLATFORM):
                return connection.execute("SELECT pg_sleep(%s), 7", (seconds,)).fetchone()

        with pytest.raises(psycopg.OperationalError) as silent:
            await begun(partial(ask, IN_TIME))
        return str(silent.value), await begun(partial(ask, 0.1))

    with open_pool(database_url, size=1) as small:
        told, answer = run(scene(small))
    assert "silent" in told
    assert answer == ("", 7)
