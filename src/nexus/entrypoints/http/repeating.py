"""What an application does again and again while it lives."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import structlog
from litestar import Litestar

_log = structlog.get_logger("nexus.http")


def repeating(
    act: Callable[[], Awaitable[None]], *, every: float, failure: str
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """
    A part of the application's life: *act* at its beginning, after every so many seconds, and at its end.

    A failure is logged by that name and ends nothing: the next time may be better.
    """

    async def attempt() -> None:
        try:
            await act()
        except Exception as error:  # noqa: BLE001 - whatever it was
            _log.warning(failure, error=type(error).__name__)

    async def repeat() -> None:
        while True:
            await attempt()
            await asyncio.sleep(every)

    @asynccontextmanager
    async def living(_: Litestar) -> AsyncIterator[None]:
        task = asyncio.create_task(repeat())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await attempt()

    return living
