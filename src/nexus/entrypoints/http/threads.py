"""The threads that handlers run in, and how long a request waits for one."""

from asyncio import AbstractEventLoop, Future, get_running_loop, to_thread
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from queue import SimpleQueue
from threading import Lock, Semaphore, Thread
from time import monotonic
from typing import Any, Final

from attrs import define, field

PATIENCE: Final = 5.0
"""Seconds for which a request waits for a thread."""

LOOK_EVERY: Final = 0.1
"""Seconds between two looks at who has waited too long."""

QUEUE: Final = 64
"""Requests that may wait at a time; the next one is refused at once."""


_Outcome = tuple[Any, BaseException | None]
"""What a call returned, or what it raised."""


class Busy(Exception):
    """Every thread is taken, and no more requests may wait, or not for longer."""


@define(eq=False)
class _Turn:
    """One call that waits for its thread: it begins, or it is given up, never both."""

    call: Callable[[], Any]
    loop: AbstractEventLoop
    give_up_at: float
    future: "Future[Any]" = field(init=False)
    _ticket: Lock = field(factory=Lock, init=False)

    def __attrs_post_init__(self) -> None:
        self.future = self.loop.create_future()

    def begins(self) -> bool:
        """In the thread: whether to run it, for it was not given up, and whoever asked has not gone."""
        return not self.future.cancelled() and self._ticket.acquire(blocking=False)

    def tell(self, result: Any, error: BaseException | None) -> None:
        """In the thread: let whoever asked know."""
        with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            self.loop.call_soon_threadsafe(self._settle, result, error)

    def give_up(self) -> None:
        """In the event loop: it has waited long enough."""
        if self._ticket.acquire(blocking=False):
            self._settle(None, Busy())

    @property
    def is_over(self) -> bool:
        """Whether it no longer waits."""
        return self._ticket.locked() or self.future.done()

    def _settle(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


def _outcome(call: Callable[[], Any]) -> _Outcome:
    try:
        return call(), None
    except StopIteration as error:
        failure = RuntimeError("a call in a thread raised StopIteration")  # no coroutine can be given one
        failure.__cause__ = error
        return None, failure
    except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the result
        return None, error


def _work(waiting: "SimpleQueue[_Turn | None]", idle: Semaphore) -> None:
    while (turn := waiting.get()) is not None:
        outcome = _outcome(turn.call) if turn.begins() else None
        idle.release()  # before anybody is told: who then asks again finds this thread, and begins no other
        if outcome is not None:
            turn.tell(*outcome)
        del turn, outcome  # an error's trace holds this frame, and would be held by it until the next turn


class BoundedThreads:
    """
    So many threads, before which nobody waits for ever.

    While the database hangs, a request would otherwise wait behind all that came before
    it, until its client had gone. To be used from an event loop, as its executor: a
    call costs one hop there and one back, without the locks of `concurrent.futures`.
    """

    def __init__(self, threads: int, *, patience: float = PATIENCE, queue: int = QUEUE) -> None:
        self._most = threads
        self._patience = patience
        self._queue = queue
        self._watched_by: AbstractEventLoop | None = None
        self._turns: deque[_Turn] = deque()
        self._threads: list[Thread] = []
        self._idle = Semaphore(0)
        self._waiting: SimpleQueue[_Turn | None] = SimpleQueue()

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> "Future[Any]":
        """
        Have it called in a thread.

        Raises:
            Busy: Too many wait already. The future raises it when none was free in time.
        """
        if self._waiting.qsize() >= self._queue:
            raise Busy
        loop = get_running_loop()
        turn = _Turn(partial(fn, *args) if args else fn, loop, monotonic() + self._patience)
        self._turns.append(turn)
        if self._watched_by is not loop:
            self._watched_by = loop
            self._look_after(loop)
        self._waiting.put(turn)
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._most:
            self._begin_one()
        return turn.future

    def _begin_one(self) -> None:
        name = f"request_{len(self._threads)}"
        self._threads.append(Thread(target=_work, args=(self._waiting, self._idle), name=name, daemon=True))
        self._threads[-1].start()

    @asynccontextmanager
    async def serving(self, _: object) -> AsyncIterator[None]:
        """A part of an application's life: at its end, so do the threads."""
        try:
            yield
        finally:
            await self.end()

    async def end(self) -> None:
        """What waits is still done; who asks later is worked for by new threads."""
        ended, self._threads = self._threads, []
        waiting, self._waiting, self._idle = self._waiting, SimpleQueue(), Semaphore(0)
        for _ in ended:
            waiting.put(None)
        for thread in ended:
            await to_thread(thread.join)

    def _look_after(self, loop: AbstractEventLoop) -> None:
        """Give up whose time is over; one look for all, since most never wait."""
        now = monotonic()
        while self._turns and (self._turns[0].is_over or self._turns[0].give_up_at <= now):
            self._turns.popleft().give_up()
        if self._turns:
            loop.call_later(LOOK_EVERY, self._look_after, loop)
        else:
            self._watched_by = None
