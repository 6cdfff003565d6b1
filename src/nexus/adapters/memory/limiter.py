"""Limits that hold within one process."""

from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from time import monotonic_ns
from typing import Final

from attrs import define, evolve, field

from nexus.application.kernel.limits import Allowance, Limit, tightest

MOST_NAMES: Final = 50_000
"""Beyond, the name that was taken under longest ago is forgotten."""

_MICROSECOND: Final = timedelta(microseconds=1)


def _microseconds() -> int:
    return monotonic_ns() // 1000


@define
class MemoryLimiter:
    """
    Counts in this process: for tests, for one process alone, and while Redis is away.

    Every time taken is remembered until its window has passed.
    """

    _now: Callable[[], int] = _microseconds
    """Microseconds since any instant."""
    _most_names: int = MOST_NAMES
    _taken: OrderedDict[str, deque[int]] = field(factory=OrderedDict, init=False)
    _turn: Lock = field(factory=Lock, init=False)

    def take(self, *wanted: tuple[str, Limit], times: int = 1) -> Allowance:
        with self._turn:
            now = self._now()
            left = [self._left(name, limit, now, times) for name, limit in wanted]
            if all(allowance.is_granted for allowance in left):
                left = [
                    self._count(name, allowance, now, times)
                    for (name, _), allowance in zip(wanted, left, strict=True)
                ]
            while len(self._taken) > self._most_names:
                self._taken.popitem(last=False)
        return tightest(left)

    def forget(self, *names: str) -> None:
        with self._turn:
            for name in names:
                self._taken.pop(name, None)

    def _left(self, name: str, limit: Limit, now: int, times: int) -> Allowance:
        taken = self._taken.get(name, deque())
        window = limit.window // _MICROSECOND
        while taken and taken[0] + window <= now:
            taken.popleft()
        resets = taken[-1] + window - now if taken else 0
        free = limit.amount - len(taken)
        over = times - free
        return Allowance(
            limit=limit,
            remaining=0 if over > 0 else free,
            resets_after=resets * _MICROSECOND,
            retry_after=None if over <= 0 else (taken[over - 1] + window - now) * _MICROSECOND,
        )

    def _count(self, name: str, left: Allowance, now: int, times: int) -> Allowance:
        self._taken.setdefault(name, deque()).extend([now] * times)
        self._taken.move_to_end(name)
        return evolve(left, remaining=left.remaining - times, resets_after=left.limit.window)
