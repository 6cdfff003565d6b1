"""
Fibers: calls that share the thread of an event loop, and let each other go on while they wait for PostgreSQL.

What runs in one is written as for a thread of its own. Only where a connection would
block the thread, the fiber is left, and entered again when the server has answered.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import Callable
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any, TypeVar, cast

from greenlet import getcurrent, greenlet
from psycopg.abc import PQGen

T = TypeVar("T")


class Fiber(greenlet):
    """
    One such call. Whatever else would make it wait has to be done aside.

    A fiber never speaks to the loop. It leaves and says what to arrange, and the loop's own
    stack does it: what the loop was about to look at may lie where the fiber's stack is now.
    """

    def __init__(self, call: Callable[[], object], loop: AbstractEventLoop) -> None:
        super().__init__(call)
        self._loop = loop
        self._watched: int | None = None

    def enter(self, *found: object) -> None:
        """In the loop: begin it, or go on with what was *found*, until it waits again, or has ended."""
        arrange = self.switch(*found)
        if self.dead:
            self._watch(None)
        else:
            arrange()

    def wait(self, steps: PQGen[T], socket: int) -> T:
        """What the steps of a conversation over the *socket* end with."""
        try:
            events = next(steps)
            while True:
                events = steps.send(cast("Any", self._leave(partial(self._look_at, socket, int(events)))))
        except StopIteration as end:
            return cast("T", end.value)

    def aside(self, call: Callable[[], T]) -> T:
        """What *call* returns, which may block: another thread makes it."""
        return cast("Future[T]", self._leave(partial(self._begin_aside, call))).result()

    def _leave(self, arrange: Callable[[], object]) -> object:
        """Let the loop go on, which arranges that it comes back."""
        loop = self.parent
        if loop is None:
            raise RuntimeError("a fiber is begun by the event loop")
        return loop.switch(arrange)

    def _begin_aside(self, call: Callable[[], object]) -> None:
        self._watch(None)
        self._loop.run_in_executor(None, call).add_done_callback(self.enter)

    def _look_at(self, socket: int, events: int) -> None:
        """Come back when one of the events has happened."""
        if events & EVENT_WRITE:
            self._watch(None)
            self._loop.add_writer(socket, self._happened, socket, EVENT_WRITE)
            if events & EVENT_READ:
                self._loop.add_reader(socket, self._happened, socket, EVENT_READ)
        else:
            self._watch(socket)

    def _happened(self, socket: int, event: int) -> None:
        self._loop.remove_writer(socket)
        self._loop.remove_reader(socket)
        self.enter(event)

    def _watch(self, socket: int | None) -> None:
        """Come back whenever this one, and no other, can be read: most waits are for the same."""
        if socket == self._watched:
            return
        if self._watched is not None:
            self._loop.remove_reader(self._watched)
        if socket is not None:
            self._loop.add_reader(socket, self.enter, EVENT_READ)
        self._watched = socket


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
