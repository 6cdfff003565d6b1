"""The threads that handlers run in, and how long a request waits for one."""

from asyncio import AbstractEventLoop, Future, get_running_loop, to_thread
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from threading import Lock, Semaphore, Thread
from time import monotonic
from typing import Any, Final, TypeVar

from attrs import define, field

from nexus.entrypoints.http.context import here

PATIENCE: Final = 5.0
"""Seconds after its arrival within which a request finds a thread, each time that it needs one."""

LOOK_EVERY: Final = 0.1
"""Seconds between two looks at who has waited too long, and for which at least everybody may wait."""

QUEUE: Final = 64
"""Requests that may wait at a time; the next one is refused at once."""

T = TypeVar("T")

_Outcome = tuple[Any, BaseException | None]
"""What a call returned, or what it raised."""

_NOBODY_WAITS: Final[_Outcome] = (None, None)


class Busy(Exception):
    """Every thread is taken, and no more requests may wait, or not for longer."""


@define(eq=False)
class _Turn:
    """One call that waits for its thread: it begins, or it is given up, never both."""

    call: Callable[[], Any]
    loop: AbstractEventLoop
    give_up_at: float
    then: Callable[[], None] | None = None
    """What follows in the event loop when its thread has done with it."""
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
            self.loop.call_soon_threadsafe(self._done, result, error)

    def give_up(self) -> None:
        """In the event loop: it has waited long enough."""
        if self._ticket.acquire(blocking=False):
            self._settle(None, Busy())

    @property
    def is_over(self) -> bool:
        """Whether it no longer waits."""
        return self._ticket.locked() or self.future.done()

    def _done(self, result: Any, error: BaseException | None) -> None:
        self._settle(result, error)
        if self.then is not None:
            self.then()

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
        outcome = _outcome(turn.call) if turn.begins() else _NOBODY_WAITS
        idle.release()  # before anybody is told: who then asks again finds this thread, and begins no other
        turn.tell(*outcome)
        del turn, outcome  # an error's trace holds this frame, and would be held by it until the next turn


@define(eq=False)
class _Crowd:
    """Those who ask about one subject: how many are in threads or next, and who waits to be among these."""

    subject: Hashable
    admitted: int = 0
    line: "deque[_Turn]" = field(factory=deque)


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
        self._turns: list[_Turn] = []
        self._threads: list[Thread] = []
        self._idle = Semaphore(0)
        self._waiting: SimpleQueue[_Turn | None] = SimpleQueue()
        self._crowds: dict[Hashable, _Crowd] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> "Future[Any]":
        """
        Have it called in a thread.

        Raises:
            Busy: Too many wait already. The future raises it when none was free in time.
        """
        if self._waiting.qsize() >= self._queue:
            raise Busy
        turn = self._turn(partial(fn, *args) if args else fn)
        self._admit(turn)
        return turn.future

    def about(self, subject: Hashable, call: Callable[[], T]) -> "Future[T]":
        """
        The same, in the caller's context; those who ask about one subject leave room for everybody else.

        At most half of the threads work on it at a time, and only one while anybody waits for a thread.

        Raises:
            Busy: Too many wait already, for a thread or about this. The future raises it as above.
        """
        crowd = self._crowds.get(subject) or _Crowd(subject)
        if max(self._waiting.qsize(), len(crowd.line)) >= self._queue:
            raise Busy
        self._crowds[subject] = crowd
        turn = self._turn(partial(copy_context().run, call), partial(self._leave, crowd))
        crowd.line.append(turn)
        self._move_up(crowd)
        return turn.future

    def _turn(self, call: Callable[[], Any], then: Callable[[], None] | None = None) -> _Turn:
        loop = get_running_loop()
        now = monotonic()
        request = here.get()
        # Who has waited to be recognised has less time left to wait for the answer.
        waits_since = request.arrived if request is not None else now
        turn = _Turn(call, loop, max(waits_since + self._patience, now + LOOK_EVERY), then)
        self._turns.append(turn)
        if self._watched_by is not loop:
            self._watched_by = loop
            self._look_after(loop)
        return turn

    def _admit(self, turn: _Turn) -> None:
        self._waiting.put(turn)
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._most:
            self._begin_one()

    def _leave(self, crowd: _Crowd) -> None:
        """One of them has left its thread."""
        crowd.admitted -= 1
        self._move_up(crowd)
        if not crowd.admitted:
            self._crowds.pop(crowd.subject, None)

    def _move_up(self, crowd: _Crowd) -> None:
        while crowd.line and (
            not crowd.admitted or (crowd.admitted < self._most // 2 and self._waiting.empty())
        ):
            turn = crowd.line.popleft()
            if not turn.is_over:
                crowd.admitted += 1
                self._admit(turn)

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
        for crowd in self._crowds.values():
            while crowd.line:
                crowd.admitted += 1
                self._admit(crowd.line.popleft())
        ended, self._threads = self._threads, []
        waiting, self._waiting, self._idle = self._waiting, SimpleQueue(), Semaphore(0)
        for _ in ended:
            waiting.put(None)
        for thread in ended:
            await to_thread(thread.join)

    def _look_after(self, loop: AbstractEventLoop) -> None:
        """Give up whose time is over; one look for all, since most never wait."""
        now = monotonic()
        for turn in self._turns:
            if turn.give_up_at <= now:
                turn.give_up()
        self._turns = [turn for turn in self._turns if not turn.is_over]
        if self._turns:
            loop.call_later(LOOK_EVERY, self._look_after, loop)
        else:
            self._watched_by = None
