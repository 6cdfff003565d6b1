"""What everybody rushes for does not take all turns: half of them, and one now and then while others are at work."""

import asyncio
import contextvars
import threading
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise
from time import monotonic

import pytest

from nexus.adapters.postgres.fibers import begin_fiber, fiber
from nexus.entrypoints.http.calls import PACE, BoundedCalls, Busy


@pytest.fixture(params=[None, begin_fiber], ids=["threads", "loop"])
def acted(request):
    """Acts a play, with turns in threads or in the loop."""
    return partial(act, light=request.param)


class Scene:
    """Calls that keep their turn until they are let go."""

    def __init__(self, calls):
        self.calls = calls
        self.inside = []
        self.gates = {}

    def call(self, name):
        gate = self.gates[name] = threading.Event()

        def stay():
            self.inside.append(name)
            running = fiber()
            assert gate.wait(5) if running is None else running.aside(partial(gate.wait, 5))
            return name

        return stay

    def about(self, subject, name):
        return self.calls.about(subject, self.call(name))

    def other(self, name):
        return self.about(name, name)

    def errand(self, name):
        return self.calls.lightly(self.call(name))

    async def until(self, *names):
        """These, and nobody else, have had a turn."""
        for _ in range(500):
            if len(self.inside) >= len(names):
                break
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.02)
        assert sorted(self.inside) == sorted(names)

    def let_go(self, *names):
        for name in names:
            self.gates[name].set()


def act(play, count=4, **limits):
    @asynccontextmanager
    async def staged():
        scene = Scene(BoundedCalls(count, **limits))
        try:
            yield scene
        finally:
            scene.let_go(*scene.gates)
            await scene.calls.end()

    async def run():
        async with staged() as scene:
            await play(scene)

    asyncio.run(run())


def test_half_of_the_callswork_on_one_subject_and_the_rest_is_free(acted):
    async def play(scene):
        rush = [scene.about("seats", each) for each in "abc"]
        await scene.until("a", "b")
        other = scene.about("elsewhere", "x")
        await scene.until("a", "b", "x")
        scene.let_go("x", "a")
        assert await other == "x"
        await scene.until("a", "b", "x", "c")
        scene.let_go("b", "c")
        assert await asyncio.gather(*rush) == ["a", "b", "c"]

    acted(play)


def test_without_a_subject_all_callsare_taken(acted):
    """What the rule above is an exception from."""

    async def play(scene):
        _taken = [scene.other(each) for each in "abcd"]
        await scene.until(*"abcd")

    acted(play)


def test_while_others_are_worked_for_only_one_works_on_the_subject(acted):
    async def play(scene):
        _rush = [scene.about("seats", each) for each in "abcd"]
        await scene.until("a", "b")
        _others = [scene.other(each) for each in "xy"]
        await scene.until("a", "b", "x", "y")
        scene.let_go("a")
        await asyncio.sleep(2 * PACE)
        await scene.until("a", "b", "x", "y")
        scene.let_go("b")
        await scene.until("a", "b", "x", "y", "c")
        await asyncio.sleep(2 * PACE)
        await scene.until("a", "b", "x", "y", "c")
        scene.let_go("x", "y")  # nobody else asks any more
        await scene.until("a", "b", "x", "y", "c", "d")

    acted(play)


def test_while_others_are_worked_for_the_crowd_has_a_turn_now_and_then(acted):
    async def play(scene):
        _other = scene.other("x")
        rush = [scene.calls.about("seats", monotonic) for _ in range(5)]
        turns = await asyncio.gather(*rush)
        assert all(after - before >= PACE for before, after in pairwise(turns))

    acted(play)


def test_finding_out_who_asks_does_not_hold_a_crowd_back(acted):
    async def play(scene):
        _errand = scene.errand("who")
        _rush = [scene.about("seats", each) for each in "abc"]
        await scene.until("who", "a", "b")

    acted(play)


def test_two_crowds_get_on_beside_each_other(acted):
    async def play(scene):
        rush = [scene.about(subject, f"{subject}{each}") for each in range(4) for subject in "ab"]
        scene.let_go(*scene.gates)
        await asyncio.wait_for(asyncio.gather(*rush), 5)

    acted(play, count=1)


def test_they_get_their_turns_in_order(acted):
    async def play(scene):
        rush = [scene.about("seats", each) for each in "abcde"]
        scene.let_go(*"abcde")
        await asyncio.gather(*rush)
        assert scene.inside == list("abcde")

    acted(play, count=2)


def test_one_turn_serves_a_crowd_and_others(acted):
    async def play(scene):
        rush = [scene.about("seats", each) for each in "ab"]
        other = scene.other("x")
        scene.let_go("a", "b", "x")
        await asyncio.gather(*rush, other)
        assert scene.inside == ["a", "x", "b"], "who came later for something else is not behind the crowd"

    acted(play, count=1)


def test_a_call_that_fails_lets_the_next_one_in(acted):
    async def play(scene):
        failing = scene.calls.about("seats", lambda: 1 // 0)
        following = scene.about("seats", "b")
        scene.let_go("b")
        with pytest.raises(ZeroDivisionError):
            await failing
        assert await following == "b"

    acted(play, count=2)


def test_who_waits_too_long_in_the_crowd_is_told_so_and_never_run(acted):
    async def play(scene):
        first = scene.about("seats", "a")
        late = scene.about("seats", "b")
        with pytest.raises(Busy):
            await asyncio.wait_for(late, 5)
        scene.let_go("a")
        assert await first == "a"
        third = scene.about("seats", "c")
        scene.let_go("b", "c")
        assert await third == "c"
        assert scene.inside == ["a", "c"]

    acted(play, count=2, patience=0.05)


def test_who_has_gone_is_passed_over_in_the_line_and_before_a_turn(acted):
    async def play(scene):
        first, gone, third = [scene.about("seats", each) for each in "abc"]
        gone.cancel()
        scene.let_go(*"abc")
        assert await asyncio.gather(first, third) == ["a", "c"]
        taken = [scene.other(each) for each in "xy"]
        await scene.until("a", "c", "x", "y")
        waiting, following = scene.about("seats", "d"), scene.about("seats", "e")
        waiting.cancel()  # it was next
        scene.let_go(*"xyde")
        await asyncio.gather(*taken)
        assert await following == "e"
        assert "d" not in scene.inside

    acted(play, count=2)


def test_one_more_than_may_wait_about_a_subject_is_refused_at_once_and_others_are_not(acted):
    async def play(scene):
        _rush = [scene.about("seats", each) for each in "abc"]
        with pytest.raises(Busy):
            scene.about("seats", "d")
        other = scene.about("elsewhere", "x")
        scene.let_go("x")
        assert await other == "x"

    acted(play, count=2, queue=2)


def test_at_the_end_the_whole_crowd_has_been_served():
    async def run():
        calls = BoundedCalls(2)
        scene = Scene(calls)
        rush = [scene.about("seats", each) for each in "abc"]
        scene.let_go(*"abc")
        await calls.end()
        assert [each.done() for each in rush] == [True] * 3

    asyncio.run(run())


def test_a_call_sees_the_context_of_who_asks(acted):
    asking = contextvars.ContextVar("asking", default="nobody")

    async def play(scene):
        asking.set("somebody")
        assert await scene.calls.about("seats", asking.get) == "somebody"

    acted(play)


def test_nothing_is_kept_of_a_crowd_that_has_gone(acted):
    async def play(scene):
        rush = [scene.about(subject, f"{subject}{each}") for subject in range(3) for each in "abc"]
        scene.let_go(*scene.gates)
        await asyncio.gather(*rush)
        await asyncio.sleep(2 * PACE)
        assert not scene.calls._crowds

    acted(play)
