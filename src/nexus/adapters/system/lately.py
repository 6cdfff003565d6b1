"""Looking at something that may not answer, without waiting for it for long."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from threading import Lock, Thread
from time import monotonic
from typing import Generic, TypeVar

Seen = TypeVar("Seen")


class Lately(Generic[Seen]):
    """
    What a look at something showed, at most *fresh_for* seconds ago.

    One thread at a time looks, whoever many ask: something that hangs costs one
    thread, and those who ask wait for *patience* seconds at most. None: it did not
    answer, or not in time.
    """

    def __init__(
        self, look: Callable[[], Seen | None], *, fresh_for: float = 0.0, patience: float = 1.5
    ) -> None:
        self._look, self._fresh_for, self._patience = look, fresh_for, patience
        self._lock = Lock()
        self._looking: Future[Seen | None] | None = None
        self._seen_at = 0.0

    def __call__(self) -> Seen | None:
        try:
            return self._begin().result(self._patience)
        except TookTooLong:
            return None

    async def soon(self) -> Seen | None:
        """The same for an event loop, which goes on meanwhile."""
        looking = asyncio.wrap_future(self._begin())
        try:
            return await asyncio.wait_for(asyncio.shield(looking), self._patience)
        except TimeoutError:
            return None

    def _begin(self) -> Future[Seen | None]:
        with self._lock:
            begun = self._looking
            if begun is None or (begun.done() and monotonic() - self._seen_at >= self._fresh_for):
                self._looking = begun = Future()
                # Not a thread of a pool: the process must be able to end while one hangs.
                Thread(target=self._run, args=(begun,), name="looking", daemon=True).start()
            return begun

    def _run(self, looking: "Future[Seen | None]") -> None:
        try:
            seen = self._look()
        except Exception:  # noqa: BLE001 - whatever it is, there is nothing to be seen
            seen = None
        self._seen_at = monotonic()
        looking.set_result(seen)
