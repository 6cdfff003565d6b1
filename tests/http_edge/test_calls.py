"""So many calls at a time, in threads or in the loop: a request waits for its turn, but not for ever."""

import asyncio
import contextlib
import contextvars
import gc
import threading
import time
import weakref

import pytest
from litestar.concurrency import set_asyncio_executor, sync_to_thread
from litestar.testing import TestClient

from http_edge.conftest import PARENT
from http_edge.toy import toy
from nexus.adapters.postgres.fibers import begin_fiber, fiber
from nexus.entrypoints.http.calls import BoundedCalls, Busy
from nexus.entrypoints.http.context import Here, here


@pytest.fixture(params=["thread", "fiber"])
def in_loop(request):
    """Acts a scene in which one turn exists, and is taken until the gate is opened."""

    def act(scene, **limits):
        async def run():
            calls = BoundedCalls(1, light=begin_fiber, **limits)
            gate = threading.Event()
            loop = asyncio.get_running_loop()

            def submit(fn):
                return calls.lightly(fn) if request.param == "fiber" else loop.run_in_executor(calls, fn)

            try:
                taken = submit(lambda: blocked(gate.wait))
                await scene(submit, gate)
                gate.set()
                await taken
            finally:
                gate.set()
                await calls.end()

        asyncio.run(run())

    return act


def blocked(call):
    """What a call returns that blocks: in a fiber it is made aside."""
    running = fiber()
    return call() if running is None else running.aside(call)


def test_who_waits_too_long_is_told_so_and_never_run(in_loop):
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


def test_one_more_than_may_wait_is_refused_at_once(in_loop):
    async def scene(submit, gate):
        waiting = [submit(lambda: 1), submit(lambda: 2)]
        with pytest.raises(Busy):
            submit(lambda: 3)
        gate.set()
        assert await asyncio.gather(*waiting) == [1, 2]

    in_loop(scene, queue=2)


def test_what_a_call_raises_reaches_who_asked(in_loop):
    async def scene(submit, gate):
        gate.set()
        with pytest.raises(ZeroDivisionError):
            await submit(lambda: 1 // 0)

    in_loop(scene)


def test_a_call_that_takes_longer_than_the_patience_is_not_given_up(in_loop):
    """Patience is for those who wait; what has begun is ended by the database's own limits."""
    began = threading.Event()

    async def scene(submit, gate):
        gate.set()
        go_on = threading.Event()

        def slow():
            began.set()
            return blocked(lambda: go_on.wait(5))

        running = submit(slow)
        while not began.is_set():  # noqa: ASYNC110 - the call tells it from its thread
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        assert not running.done()
        go_on.set()
        assert await running is True

    in_loop(scene, patience=0.05)


def test_a_call_sees_the_context_of_who_asks():
    asking = contextvars.ContextVar("asking", default="nobody")

    async def run():
        asking.set("somebody")
        try:
            return await sync_to_thread(asking.get)
        finally:
            await calls.end()

    calls = BoundedCalls(1)
    set_asyncio_executor(calls)
    assert asyncio.run(run()) == "somebody"


def test_who_has_gone_while_waiting_is_not_worked_for(in_loop):
    ran = []

    async def scene(submit, gate):
        waiting = submit(lambda: ran.append(1))
        waiting.cancel()
        gate.set()
        assert await submit(lambda: 7) == 7

    in_loop(scene)
    assert ran == []


def test_what_has_begun_is_finished_though_who_asked_has_gone(in_loop):
    began, go_on, finished = threading.Event(), threading.Event(), threading.Event()

    def work():
        began.set()
        blocked(lambda: go_on.wait(5))
        finished.set()

    async def scene(submit, gate):
        gate.set()
        running = submit(work)
        await asyncio.to_thread(began.wait, 5)
        running.cancel()
        go_on.set()
        assert await submit(lambda: 7) == 7, "the thread is there for the next"

    in_loop(scene)
    assert finished.is_set()


def test_a_call_that_ends_after_the_loop_harms_nobody():
    began, go_on = threading.Event(), threading.Event()
    calls = BoundedCalls(1)

    async def leave():
        calls.submit(lambda: began.set() or go_on.wait(5))
        await asyncio.to_thread(began.wait, 5)

    async def come():
        return await calls.submit(lambda: 7)

    asyncio.run(leave())
    go_on.set()
    assert asyncio.run(come()) == 7


def test_stop_iteration_reaches_who_asked_as_an_error_that_a_coroutine_can_be_told(in_loop):
    async def scene(submit, gate):
        gate.set()
        with pytest.raises(RuntimeError) as raised:
            await submit(lambda: next(iter(())))
        assert isinstance(raised.value.__cause__, StopIteration)

    in_loop(scene)


@pytest.mark.parametrize("asked", [BoundedCalls.submit, BoundedCalls.lightly])
def test_an_error_and_its_trace_do_not_keep_each_other(asked):
    """Each refusal would wait for the collector, with all that its frames hold."""

    class Large:
        pass

    def refuse():
        large = Large()
        kept.append(weakref.ref(large))
        raise KeyError

    async def run():
        calls = BoundedCalls(1, light=begin_fiber)
        with contextlib.suppress(KeyError):
            await asked(calls, refuse)
        while kept[0]() is not None:  # noqa: ASYNC110 - the thread lets it go
            await asyncio.sleep(0.001)
        await calls.end()

    kept = []
    gc.disable()
    try:
        asyncio.run(asyncio.wait_for(run(), 5))
    finally:
        gc.enable()


@pytest.mark.parametrize("asked", [BoundedCalls.submit, BoundedCalls.lightly])
def test_so_many_calls_at_a_time_and_no_more(asked):
    working, most, meeting = [], [], threading.Barrier(3)

    def work():
        working.append(1)
        blocked(lambda: meeting.wait(5))
        most.append(len(working))
        blocked(lambda: meeting.wait(5))
        working.pop()

    async def run():
        calls = BoundedCalls(3, light=begin_fiber)
        await asyncio.gather(*(asked(calls, work) for _ in range(12)))
        await calls.end()

    asyncio.run(run())
    assert most == [3] * 12


def test_threads_and_the_loop_share_the_turns():
    """They share the database's connections, too."""
    working, most, gate = [], [], threading.Event()

    def work():
        working.append(1)
        most.append(len(working))
        blocked(lambda: gate.wait(5))
        working.pop()

    async def run():
        calls = BoundedCalls(3, light=begin_fiber)
        asked = [ask(work) for _ in range(4) for ask in (calls.submit, calls.lightly)]
        while len(working) < 3:  # noqa: ASYNC110 - threads tell it
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        gate.set()
        await asyncio.gather(*asked)
        await calls.end()

    asyncio.run(run())
    assert max(most) == 3
    assert len(most) == 8


@pytest.mark.parametrize("is_light", [True, False])
def test_what_the_handler_of_a_request_is_says_where_its_calls_run(is_light):
    async def run():
        here.set(Here("/", "id", is_light=is_light))
        calls = BoundedCalls(1, light=begin_fiber)
        where = await calls.submit(threading.get_ident)
        await calls.end()
        return where == threading.get_ident()

    assert asyncio.run(run()) is is_light


def test_without_anything_to_run_it_in_the_loop_a_light_call_has_a_thread():
    async def run():
        calls = BoundedCalls(1)
        where = await calls.lightly(threading.get_ident)
        await calls.end()
        return where == threading.get_ident()

    assert asyncio.run(run()) is False


def test_who_comes_one_after_the_other_needs_one_thread():
    async def run():
        calls = BoundedCalls(3)
        seen = {await calls.submit(threading.get_ident) for _ in range(100)}
        await calls.end()
        return seen

    assert len(asyncio.run(run())) == 1


def test_at_the_end_what_waits_is_done_and_the_threads_go():
    done = []

    async def run():
        calls = BoundedCalls(2)
        before = set(threading.enumerate())
        asked = [calls.submit(done.append, number) for number in range(10)]
        own = set(threading.enumerate()) - before
        await calls.end()
        assert not any(thread.is_alive() for thread in own)
        await asyncio.gather(*asked)
        assert await calls.submit(lambda: 7) == 7, "who comes later is still worked for"
        await calls.end()

    asyncio.run(run())
    assert sorted(done) == list(range(10))


def test_the_threads_end_with_the_application():
    others = set(threading.enumerate())
    with TestClient(toy()) as client:
        client.get("/whoami", headers=PARENT)
        own = {thread for thread in threading.enumerate() if thread.name.startswith("request_")} - others
        assert own
    assert not any(thread.is_alive() for thread in own)


def test_who_has_waited_to_be_recognised_waits_less_for_the_answer(in_loop):
    """Patience is a request's, not a hop's: it makes two, and would otherwise wait twice as long."""

    async def scene(submit, gate):
        here.set(Here("/slow", "id", arrived=time.monotonic() - 4.9))
        with pytest.raises(Busy):
            await asyncio.wait_for(submit(lambda: 1), 2)
        assert not gate.is_set()

    in_loop(scene, patience=5)


def test_who_comes_late_is_still_worked_for_by_a_thread_that_is_free(in_loop):
    async def scene(submit, gate):
        gate.set()
        here.set(Here("/upload", "id", arrived=time.monotonic() - 60))
        assert await submit(lambda: 7) == 7

    in_loop(scene, patience=5)


def test_a_thread_that_the_machine_cannot_give_costs_no_turn(monkeypatch):
    start = threading.Thread.start

    def refuse(thread):
        if thread.name.startswith("request_"):
            raise RuntimeError("can't start new thread")
        start(thread)

    async def scene():
        calls = BoundedCalls(2)
        with monkeypatch.context() as patching:
            patching.setattr(threading.Thread, "start", refuse)
            for _ in range(3):
                with pytest.raises(Busy):
                    await calls.lightly(lambda: 1)
        assert await calls.lightly(lambda: 2) == 2
        await calls.end()

    asyncio.run(asyncio.wait_for(scene(), 10))
