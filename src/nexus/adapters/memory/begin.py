"""The unit of work over plain dictionaries."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from nexus.adapters.memory.work import MemoryWork
from nexus.adapters.memory.world import World


class MemoryBegin:
    """
    Opens units of work on a :class:`World`, one at a time.

    An exception puts the world back as it was when that unit of work (or the
    inner one, when nested) was opened.
    """

    def __init__(self, world: World) -> None:
        self._world, self._work = world, MemoryWork(world)  # its repositories keep nothing but the world
        self._one_at_a_time = RLock()
        self._depth = 0

    @contextmanager
    def __call__(self) -> Iterator[MemoryWork]:
        with self._one_at_a_time:
            if not self._depth:
                self._world.forget_changes()
            before = len(self._world.changes)
            self._depth += 1
            try:
                yield self._work
            except BaseException:
                self._world.undo(before)
                raise
            finally:
                self._depth -= 1
