"""Several streams of work side by side."""

from collections.abc import Iterable, Iterator
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Final, Generic, TypeVar

from attrs import define, field, frozen

T = TypeVar("T")

LOOK_EVERY: Final = 0.1
"""Seconds after which whoever waits for the next item can be interrupted."""


@frozen
class _End:
    """A lane has nothing more to do, or could not go on."""

    error: BaseException | None = None


@define(eq=False)
class _Work(Generic[T]):
    """What the lanes of one call share."""

    streams: Iterator[Iterator[T]]
    told: "SimpleQueue[T | _End]" = field(factory=SimpleQueue)
    is_over: Event = field(factory=Event)
    _one_at_a_time: Lock = field(factory=Lock)

    def lane(self) -> None:
        """What a thread does."""
        end = _End()
        try:
            while not self.is_over.is_set() and (stream := self._next()) is not None:
                self._follow(stream)
        except BaseException as error:  # noqa: BLE001 - raised again for whoever asks
            end = _End(error)
        self.told.put(end)

    def _next(self) -> Iterator[T] | None:
        with self._one_at_a_time:
            return next(self.streams, None)

    def _follow(self, stream: Iterator[T]) -> None:
        for item in stream:
            self.told.put(item)
            if self.is_over.is_set():
                return

    def items(self, lanes: int) -> Iterator[T]:
        while lanes:
            try:
                told = self.told.get(timeout=LOOK_EVERY)
            except Empty:
                continue
            if not isinstance(told, _End):
                yield told
            elif told.error is not None:
                raise told.error
            else:
                lanes -= 1


@frozen
class Lanes:
    """So many streams at a time, each in the thread of its lane and in the context of whoever asks."""

    lanes: int

    def __call__(self, streams: Iterable[Iterator[T]]) -> Iterator[T]:
        """
        What all streams yield, as it comes.

        When a stream raises, or nobody asks for more, the others end after their present item,
        and are waited for.
        """
        work = _Work(iter(streams))
        threads = [
            Thread(target=copy_context().run, args=(work.lane,), daemon=True) for _ in range(self.lanes)
        ]
        try:
            for thread in threads:
                thread.start()
            yield from work.items(self.lanes)
        finally:
            work.is_over.set()
            for thread in filter(Thread.is_alive, threads):
                thread.join()
