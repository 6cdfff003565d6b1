"""Writes down, every minute and at the end, what this process has counted of the use of API keys."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final

import structlog
from litestar import Litestar
from litestar.concurrency import sync_to_thread

EVERY: Final = 60.0
"""Seconds."""

_log = structlog.get_logger("nexus.http")


def noting_uses(
    write: Callable[[], None], *, every: float = EVERY
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """A part of the application's life; a store that is away for a while loses nothing."""

    async def attempt() -> None:
        try:
            await sync_to_thread(write)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the next minute may be better
            _log.warning("use of API keys not written", error=type(error).__name__)

    async def repeat() -> None:
        while True:
            await asyncio.sleep(every)
            await attempt()

    @asynccontextmanager
    async def noting(_: Litestar) -> AsyncIterator[None]:
        task = asyncio.create_task(repeat())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await attempt()

    return noting
