"""What keys were used for is written while the application lives, and when it ends."""

import asyncio

from structlog.testing import capture_logs

from nexus.entrypoints.http.key_uses import EVERY, noting_uses


def live(write, *, times, every=0.001):
    """The application's life until *write* was called so often."""

    async def run():
        async with noting_uses(write, every=every)(None):
            while len(write.calls) < times:  # noqa: ASYNC110 - it is called in a thread
                await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(run(), 20))


class Write:
    def __init__(self, *failures):
        self.calls = []
        self.failures = list(failures)

    def __call__(self):
        self.calls.append(1)
        if self.failures:
            raise self.failures.pop(0)


def test_it_is_written_again_and_again_and_at_the_end():
    write = Write()
    live(write, times=3)
    assert len(write.calls) >= 4
    assert EVERY == 60


def test_it_is_written_at_the_end_of_a_short_life_too():
    write = Write()
    live(write, times=0, every=3600)
    assert len(write.calls) == 1


def test_a_store_that_is_away_ends_nothing():
    write = Write(ConnectionError("password=hunter2"), ConnectionError())
    with capture_logs() as logs:
        live(write, times=4)
    assert [each["error"] for each in logs] == ["ConnectionError"] * 2
    assert "hunter2" not in str(logs)
