"""
Fibers: calls that share the thread of an event loop, and let each other go on while they wait for PostgreSQL.

What runs in one is written as for a thread of its own. Only where a connection would
block the thread, the fiber is left, and entered again when the server has answered.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import Callable
from concurrent.futures import Executor
from selectors import DefaultSelector
from time import monotonic
from typing import Any, Final, TypeVar, cast
from weakref import WeakKeyDictionary

from greenlet import getcurrent, greenlet
from psycopg import OperationalError
from psycopg.abc import PQGen
from psycopg.pq.abc import PGconn

T = TypeVar("T")

LONGEST_WAIT: Final = 30.0
"""Seconds for which a server may be silent: a statement of ours takes half of that at most."""

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at who has waited for too long."""


class Fiber(greenlet):
    """One such call. Whatever else would make it wait has to be done aside."""

    def __init__(self, call: Callable[[], object], loop: AbstractEventLoop) -> None:
        super().__init__(call)
        self._loop = loop
        self._lookout = _lookout(loop)
        self._watched: tuple[PGconn, int, int] | None = None
        self._waits_since = 0.0

    def enter(self, *found: object) -> None:
        """In the loop: begin it, or go on with what was *found*, until it waits again, or has ended."""
        self.switch(*found)
        if self.dead:
            self._unwatch()

    def give_up_on_silence(self) -> None:
        """In the loop: end a connection that has been waited for too long; its server may be gone without a word."""
        if self._watched is not None and monotonic() - self._waits_since > LONGEST_WAIT:
            self._watched[0].finish()
            self.throw(OperationalError("the server has been silent for too long"))
            if self.dead:
                self._unwatch()

    def wait(self, steps: PQGen[T], connection: PGconn) -> T:
        """What the steps of a conversation over the *connection* end with."""
        try:
            events = next(steps)
            while True:
                self._watch(connection, int(events))
                events = steps.send(cast("Any", self._leave()))
        except StopIteration as end:
            return cast("T", end.value)

    def aside(self, call: Callable[[], T], threads: Executor | None = None) -> T:
        """What *call* returns, which may block: another thread makes it, of the loop's few unless others are stated."""
        self._unwatch()
        self._loop.run_in_executor(threads, call).add_done_callback(self.enter)
        return cast("Future[T]", self._leave()).result()

    def _leave(self) -> object:
        """Let the loop go on, until it has what this one waits for."""
        loop = self.parent
        if loop is None:
            raise RuntimeError("a fiber is begun by the event loop")
        return loop.switch()

    def _watch(self, connection: PGconn, events: int) -> None:
        """
        Have it entered whenever one of the events has happened to this connection, and to no other.

        Most waits are for the same as the one before. Its number says not enough: a socket
        that was closed is not watched any more, and the next connection may have its number.
        """
        wanted = (connection, connection.socket, events)
        if wanted != self._watched:
            self._unwatch()
            self._lookout.watch(wanted[1], events, self)
            self._watched = wanted
        self._waits_since = monotonic()

    def _unwatch(self) -> None:
        if self._watched is not None:
            self._lookout.unwatch(self._watched[1], self)
            self._watched = None


class _Lookout:
    """
    The sockets that the fibers of a loop wait for, which the loop sees as a single one.

    Not each as a reader of its own, for two reasons. uvloop calls a reader once when its socket
    has an error, and never again, though there is more to read: libuv stops to poll it. And
    a fiber must not tell the loop what to watch: what the loop is about to look at may lie
    where the fiber's stack is now.
    """

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._selector = DefaultSelector()
        loop.add_reader(cast("Any", self._selector).fileno(), self._look)
        self._look_later(loop)

    def watch(self, socket: int, events: int, whose: Fiber) -> None:
        """Enter the fiber whenever one of the events has happened, until it is unwatched."""
        if socket in self._selector.get_map():
            self._selector.unregister(socket)  # of a fiber whose socket was closed, and had this number
        self._selector.register(socket, events, whose)

    def unwatch(self, socket: int, whose: Fiber) -> None:
        watched = self._selector.get_map().get(socket)
        if watched is not None and watched.data is whose:
            self._selector.unregister(socket)

    def _look(self) -> None:
        for watched, events in self._selector.select(0):
            watched.data.enter(events)

    def _look_later(self, loop: AbstractEventLoop) -> None:
        loop.call_later(LOOK_EVERY, self._look_at_all, loop)

    def _look_at_all(self, loop: AbstractEventLoop) -> None:
        for watched in list(self._selector.get_map().values()):
            watched.data.give_up_on_silence()
        self._look_later(loop)


_LOOKOUTS: WeakKeyDictionary[AbstractEventLoop, _Lookout] = WeakKeyDictionary()


def _lookout(loop: AbstractEventLoop) -> _Lookout:
    known = _LOOKOUTS.get(loop)
    if known is None:
        known = _LOOKOUTS[loop] = _Lookout(loop)
    return known


def fiber() -> Fiber | None:
    """The fiber that runs, if one does: not by context, which threads inherit, but by whose stack it is."""
    running = getcurrent()
    return running if isinstance(running, Fiber) else None


def begin_fiber(call: Callable[[], object]) -> None:
    """
    Begin a call in the running event loop; to return when it waits for the first time, or has ended.

    It must not raise: there is nobody to be told.
    """
    Fiber(call, get_running_loop()).enter()
