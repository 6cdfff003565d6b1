"""How many calls a process works on at a time, where they run, and how long a request waits for its turn."""

from asyncio import AbstractEventLoop, Future, get_running_loop, to_thread
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Final, TypeVar

from attrs import define, field

from nexus.entrypoints.http.context import here

PATIENCE: Final = 5.0
"""Seconds after its arrival within which a request gets its turn, each time that it needs one."""

LOOK_EVERY: Final = 0.1
"""Seconds between two looks at who has waited too long, and for which at least everybody may wait."""

QUEUE: Final = 64
"""Requests that may wait at a time; the next one is refused at once."""

PACE: Final = 0.02
"""Seconds between two turns of one crowd while anybody else is worked for."""

LIGHT: Final = {"light": True}
"""For the ``opt`` of a handler that computes little and waits for nothing but the database."""

T = TypeVar("T")

BeginLight = Callable[[Callable[[], object]], None]
"""
Begins a call in the running event loop's own thread, and returns when it waits, or has ended.

While it waits, the loop goes on. The call does not raise.
"""

_Outcome = tuple[Any, BaseException | None]
"""What a call returned, or what it raised."""


class Busy(Exception):
    """All turns are taken, and no more requests may wait, or not for longer."""


@define(eq=False)
class _Crowd:
    """Those who ask about one subject: how many have their turn or are next, and who waits to be among these."""

    subject: Hashable
    moved_up_at: float = 0.0
    is_looked_after: bool = False
    """Whether the loop will look at its line again."""
    admitted: int = 0
    line: "deque[_Turn]" = field(factory=deque)


@define(eq=False)
class _Turn:
    """One call, which waits for its turn and has it, or is given up."""

    call: Callable[[], Any]
    is_light: bool
    future: "Future[Any]"
    give_up_at: float
    crowd: _Crowd | None = None
    is_errand: bool = False
    """Whether it only prepares what the request asks for."""
    has_begun: bool = False

    def settle(self, result: Any, error: BaseException | None) -> None:
        """Tell whoever asked, unless they have gone."""
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
        failure = RuntimeError("a call raised StopIteration")  # no coroutine can be given one
        failure.__cause__ = error
        return None, failure
    except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the result
        return None, error


class BoundedCalls:
    """
    So many calls at a time, for whose end nobody waits for ever.

    While the database hangs, a request would otherwise wait behind all that came before
    it, until its client had gone. To be used from an event loop, as its executor.

    A call has a thread while it runs. A light one is run by the loop itself where *light*
    can begin it: between threads that each do little, changing over costs more than the work.
    """

    def __init__(
        self, most: int, *, light: BeginLight | None = None, patience: float = PATIENCE, queue: int = QUEUE
    ) -> None:
        self._most = most
        self._light = light
        self._patience = patience
        self._queue = queue
        self._loop: AbstractEventLoop | None = None
        self._crowds: dict[Hashable, _Crowd] = {}
        self._threads: list[Thread] = []
        self._for_threads: SimpleQueue[_Turn | None] = SimpleQueue()
        self._forget()

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> "Future[Any]":
        """
        Have it called: as a light call if the present request's handler is one, else in a thread.

        Raises:
            Busy: Too many wait already. The future raises it when it was nobody's turn to end in time.
        """
        request = here.get()
        is_light = request is not None and request.is_light
        return self._ask(self._turn(partial(fn, *args) if args else fn, is_light=is_light))

    def lightly(self, call: Callable[[], T]) -> "Future[T]":
        """
        Have a light call made, in the caller's context, that only prepares what the request asks for.

        No crowd leaves room for it: who asks is found out for each of the crowd, too.

        Raises:
            Busy: As above.
        """
        turn = self._turn(partial(copy_context().run, call), is_light=True, is_errand=True)
        return self._ask(turn)

    def about(self, subject: Hashable, call: Callable[[], T]) -> "Future[T]":
        """
        Have a light call made, in the caller's context; those who ask about one subject leave room for all others.

        At most half of the turns are theirs at a time. While anybody else is worked for, or waits for it,
        it is one every :data:`PACE` seconds, whose result the next one waits for.

        Raises:
            Busy: Too many wait already, for their turn or about this. The future raises it as above.
        """
        turn = self._turn(partial(copy_context().run, call), is_light=True)
        crowd = self._crowds.get(subject) or _Crowd(subject)
        if max(len(self._waiting), len(crowd.line)) >= self._queue:
            raise Busy
        self._crowds[subject] = turn.crowd = crowd
        crowd.line.append(turn)
        self._move_up(crowd)
        self._watch(turn)
        return turn.future

    def _ask(self, turn: _Turn) -> "Future[Any]":
        if len(self._waiting) >= self._queue:
            raise Busy
        self._admit(turn)
        self._watch(turn)
        return turn.future

    def _turn(self, call: Callable[[], Any], *, is_light: bool, is_errand: bool = False) -> _Turn:
        loop = get_running_loop()
        if loop is not self._loop:  # what belonged to one that has ended went with it
            self._loop = loop
            self._forget()
        now = monotonic()
        request = here.get()
        # Who has waited to be recognised has less time left to wait for the answer.
        waits_since = request.arrived if request is not None else now
        give_up_at = max(waits_since + self._patience, now + LOOK_EVERY)
        return _Turn(call, is_light, loop.create_future(), give_up_at, is_errand=is_errand)

    def _forget(self) -> None:
        self._running = 0
        self._at_work = 0
        self._in_threads = 0
        self._waiting: deque[_Turn] = deque()
        self._watched: list[_Turn] = []
        self._at_rest: Future[None] | None = None
        self._crowds.clear()

    def _admit(self, turn: _Turn) -> None:
        self._at_work += not turn.is_errand
        if self._running < self._most and not self._waiting:
            self._begin(turn)
        else:
            self._waiting.append(turn)

    def _begin(self, turn: _Turn) -> None:
        turn.has_begun = True
        if turn.is_light and self._light is not None:
            self._running += 1
            self._light(partial(self._run_light, turn))
            return
        if self._in_threads >= len(self._threads):
            try:
                self._begin_thread()
            except RuntimeError:  # the machine has none to give
                turn.settle(None, Busy())
                self._leave(turn)
                return
        self._running += 1
        self._in_threads += 1
        self._for_threads.put(turn)

    def _run_light(self, turn: _Turn) -> None:
        outcome = _outcome(turn.call)
        self._end_of(turn, *outcome)
        del turn, outcome  # an error's trace holds this frame, which would hold the error

    def _begin_thread(self) -> None:
        name = f"request_{len(self._threads)}"
        thread = Thread(target=self._work, args=(self._for_threads,), name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self, turns: "SimpleQueue[_Turn | None]") -> None:
        """What a thread does."""
        while (turn := turns.get()) is not None:
            outcome = _outcome(turn.call)
            with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
                turn.future.get_loop().call_soon_threadsafe(self._end_in_thread, turn, *outcome)
            del turn, outcome  # as above; until the next turn

    def _end_in_thread(self, turn: _Turn, result: Any, error: BaseException | None) -> None:
        self._in_threads -= 1
        self._end_of(turn, result, error)

    def _end_of(self, turn: _Turn, result: Any, error: BaseException | None) -> None:
        self._running -= 1
        turn.settle(result, error)
        # Not at once: what runs here may be the call itself, and the next one is begun by the loop.
        turn.future.get_loop().call_soon(self._go_on, turn)

    def _go_on(self, ended: _Turn) -> None:
        """Somebody has had their turn."""
        while self._waiting and self._running < self._most:
            turn = self._waiting.popleft()
            if not turn.future.done():
                self._begin(turn)
            else:
                self._leave(turn)
        self._leave(ended)
        self._rest_if_all_is_done()

    def _leave(self, turn: _Turn) -> None:
        """It is over: whoever asked has an answer, or has gone."""
        self._at_work -= not turn.is_errand
        if turn.crowd is not None:
            turn.crowd.admitted -= 1
            self._move_up(turn.crowd)

    def _move_up(self, crowd: _Crowd) -> None:
        while crowd.line and self._has_room_for(crowd):
            turn = crowd.line.popleft()
            if not turn.future.done():
                crowd.admitted += 1
                crowd.moved_up_at = monotonic()
                self._admit(turn)
        if crowd.is_looked_after:
            return
        if crowd.line:
            crowd.is_looked_after = True
            get_running_loop().call_later(PACE, self._look_at_line, crowd)
        elif not crowd.admitted:
            self._crowds.pop(crowd.subject, None)

    def _has_room_for(self, crowd: _Crowd) -> bool:
        if self._at_work > crowd.admitted:
            return not crowd.admitted and monotonic() - crowd.moved_up_at >= PACE
        return crowd.admitted < max(self._most // 2, 1)

    def _look_at_line(self, crowd: _Crowd) -> None:
        crowd.is_looked_after = False
        self._move_up(crowd)
        self._rest_if_all_is_done()

    def _rest_if_all_is_done(self) -> None:
        if self._at_rest is not None and not (self._running or self._waiting or self._crowds):
            self._at_rest.set_result(None)
            self._at_rest = None

    @asynccontextmanager
    async def serving(self, _: object) -> AsyncIterator[None]:
        """A part of an application's life: at its end, so do the calls and the threads."""
        try:
            yield
        finally:
            await self.end()

    async def end(self) -> None:
        """What waits is still done, and the threads go; who asks later is worked for by new ones."""
        loop = get_running_loop()
        if loop is self._loop and (self._running or self._waiting or self._crowds):
            self._at_rest = loop.create_future()
            await self._at_rest
        ended, self._threads = self._threads, []
        turns, self._for_threads = self._for_threads, SimpleQueue()
        for _ in ended:
            turns.put(None)
        for thread in ended:
            await to_thread(thread.join)

    def _watch(self, turn: _Turn) -> None:
        """Give it up when it has waited too long; one look for all, since most never wait."""
        if turn.has_begun:
            return
        if not self._watched:
            self._look_later(turn.future.get_loop())
        self._watched.append(turn)

    def _look_later(self, loop: AbstractEventLoop) -> None:
        loop.call_later(LOOK_EVERY, self._look_after, loop)

    def _look_after(self, loop: AbstractEventLoop) -> None:
        now = monotonic()
        self._watched = [turn for turn in self._watched if not (turn.has_begun or turn.future.done())]
        for turn in self._watched:
            if turn.give_up_at <= now:
                turn.settle(None, Busy())
        if self._watched:
            self._look_later(loop)
