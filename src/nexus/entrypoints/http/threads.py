"""The threads that handlers run in, and how long a request waits for one."""

from asyncio import AbstractEventLoop, get_running_loop
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from time import monotonic
from typing import Any, Final

from attrs import define, field

PATIENCE: Final = 5.0
"""Seconds for which a request waits for a thread."""

LOOK_EVERY: Final = 0.1
"""Seconds between two looks at who has waited too long."""

QUEUE: Final = 64
"""Requests that may wait at a time; the next one is refused at once."""


class Busy(Exception):
    """Every thread is taken, and no more requests may wait, or not for longer."""


@define
class _Turn:
    """One call that waits for its thread: it begins, or it is given up, never both."""

    call: Callable[[], Any]
    give_up_at: float
    future: "Future[Any]" = field(factory=Future)
    _lock: Lock = field(factory=Lock)
    _is_over: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it no longer waits."""
        return self._is_over

    def _is_mine(self) -> bool:
        with self._lock:
            was, self._is_over = self._is_over, True
        return not was

    def take(self) -> None:
        """In the thread: run, unless it was given up or whoever asked has gone."""
        if not self._is_mine() or not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.call()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the result
            self.future.set_exception(error)
        else:
            self.future.set_result(result)

    def give_up(self) -> None:
        """In the event loop: it has waited long enough."""
        if self._is_mine() and self.future.set_running_or_notify_cancel():
            self.future.set_exception(Busy())


class BoundedThreads(ThreadPoolExecutor):
    """
    So many threads, before which nobody waits for ever.

    While the database hangs, a request would otherwise wait behind all that came before
    it, until its client had gone. To be used from an event loop.
    """

    def __init__(self, threads: int, *, patience: float = PATIENCE, queue: int = QUEUE) -> None:
        super().__init__(threads, thread_name_prefix="request")
        self._patience = patience
        self._queue = queue
        self._turns: deque[_Turn] = deque()
        self._watched_by: AbstractEventLoop | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """
        Have it called in a thread.

        Raises:
            Busy: Too many wait already. The future raises it when none was free in time.
        """
        if self._work_queue.qsize() >= self._queue:
            raise Busy
        turn = _Turn(lambda: fn(*args, **kwargs), monotonic() + self._patience)
        self._turns.append(turn)
        loop = get_running_loop()
        if self._watched_by is not loop:
            self._watched_by = loop
            self._look_after(loop)
        super().submit(turn.take)
        return turn.future

    def _look_after(self, loop: AbstractEventLoop) -> None:
        """Give up whose time is over; one look for all, since most never wait."""
        now = monotonic()
        while self._turns and (self._turns[0].is_over or self._turns[0].give_up_at <= now):
            self._turns.popleft().give_up()
        if self._turns:
            loop.call_later(LOOK_EVERY, self._look_after, loop)
        else:
            self._watched_by = None
