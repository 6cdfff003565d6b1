"""The threads that handlers run in: a request waits for one, but not for ever."""

import asyncio
import threading

import pytest

from nexus.entrypoints.http.threads import BoundedThreads, Busy


def in_loop(scene, **limits):
    async def run():
        threads = BoundedThreads(1, **limits)
        gate = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            taken = loop.run_in_executor(threads, gate.wait)
            await scene(lambda fn: loop.run_in_executor(threads, fn), gate)
            gate.set()
            await taken
        finally:
            gate.set()
            threads.shutdown()

    asyncio.run(run())


def test_who_waits_too_long_is_told_so_and_never_run():
    ran = []

    async def scene(submit, gate):
        waiting = submit(lambda: ran.append(1))
        with pytest.raises(Busy):
            await asyncio.wait_for(waiting, 5)
        assert not gate.is_set(), "it was told while the thread was still taken"
        gate.set()
        assert await submit(lambda: 7) == 7

    in_loop(scene, patience=0.05)
    assert ran == []


def test_one_more_than_may_wait_is_refused_at_once():
    async def scene(submit, gate):
        waiting = [submit(lambda: 1), submit(lambda: 2)]
        with pytest.raises(Busy):
            submit(lambda: 3)
        gate.set()
        assert await asyncio.gather(*waiting) == [1, 2]

    in_loop(scene, queue=2)


def test_what_a_call_raises_reaches_who_asked():
    async def scene(submit, gate):
        gate.set()
        with pytest.raises(ZeroDivisionError):
            await submit(lambda: 1 // 0)

    in_loop(scene)


def test_a_call_that_takes_longer_than_the_patience_is_not_given_up():
    """Patience is for those who wait; what has begun is ended by the database's own limits."""
    began = threading.Event()

    async def scene(submit, gate):
        gate.set()
        go_on = threading.Event()

        def slow():
            began.set()
            return go_on.wait(5)

        running = submit(slow)
        while not began.is_set():  # noqa: ASYNC110 - the call tells it from its thread
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        assert not running.done()
        go_on.set()
        assert await running is True

    in_loop(scene, patience=0.05)
