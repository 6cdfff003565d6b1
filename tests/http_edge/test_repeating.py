"""What is done again and again is done while the application lives, and when it begins and ends."""

import asyncio

from structlog.testing import capture_logs

from nexus.entrypoints.http.repeating import repeating


def live(act, *, times, every=0.001):
    """The application's life until *act* was called so often."""

    async def run():
        async with repeating(act, every=every, failure="not done")(None):
            while len(act.calls) < times:  # noqa: ASYNC110 - it is called by another task
                await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(run(), 20))


class Act:
    def __init__(self, *failures):
        self.calls = []
        self.failures = list(failures)

    async def __call__(self):
        self.calls.append(1)
        if self.failures:
            raise self.failures.pop(0)


def test_it_is_done_again_and_again_and_at_the_end():
    act = Act()
    live(act, times=3)
    assert len(act.calls) == 4


def test_it_is_done_at_the_beginning_and_at_the_end_of_a_short_life_too():
    act = Act()
    live(act, times=1, every=3600)
    assert len(act.calls) == 2


def test_it_is_done_at_the_end_of_a_life_that_hardly_began():
    act = Act()
    live(act, times=0, every=3600)
    assert len(act.calls) == 1


def test_a_failure_ends_nothing_and_is_told_without_what_it_says():
    act = Act(ConnectionError("password=hunter2"), ConnectionError())
    with capture_logs() as logs:
        live(act, times=4)
    assert [(each["event"], each["error"]) for each in logs] == [("not done", "ConnectionError")] * 2
    assert "hunter2" not in str(logs)
