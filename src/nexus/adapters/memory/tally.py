"""Counting what happens very often, without asking for each time."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from time import monotonic_ns
from typing import Final

from attrs import define, field

from nexus.application.kernel.limits import Allowance, Limit, Limiter

PARTS: Final = 50
"""A process asks the shared counters about every fiftieth part of an amount at a time."""
MOST_NAMES: Final = 50_000
"""Beyond, the name that was counted under longest ago is forgotten."""

_MICROSECOND: Final = timedelta(microseconds=1)


def _microseconds() -> int:
    return monotonic_ns() // 1000


@define
class _Count:
    began: int
    window: int
    unreported: int = 0
    left: int = 0
    """After what was reported, as far as this process knows."""
    shut_until: int = 0
    resets_at: int = 0

    def is_over(self, now: int) -> bool:
        return now - self.began >= self.window and now >= self.shut_until


@define
class Tally:
    """
    Counts in this process, and takes from *shared* what has come together.

    Whoever does little costs no round trip at all. Each process may grant up to one
    part more than the amount before it learns what the others granted; one process
    alone grants exactly the amount. Once refused, a name is refused here until the
    time that was told, again without a round trip.
    """

    _shared: Limiter
    _now: Callable[[], int] = _microseconds
    _most_names: int = MOST_NAMES
    _counts: OrderedDict[str, _Count] = field(factory=OrderedDict, init=False)
    _turn: Lock = field(factory=Lock, init=False)

    def count(self, name: str, limit: Limit) -> Allowance | None:
        """Count one time, without waiting for anybody; ``None``: the answer takes a :meth:`report`."""
        window = limit.window // _MICROSECOND
        with self._turn:
            now = self._now()
            count = self._counts.get(name)
            if count is None or count.is_over(now):
                self._counts.pop(name, None)
                count = self._counts[name] = _Count(now, window, left=limit.amount)
                self._make_room(now)
            self._counts.move_to_end(name)
            if now < count.shut_until:
                return _refused(limit, count, now)
            count.unreported += 1
            if count.unreported >= min(max(limit.amount // PARTS, 1), count.left + 1):
                return None
            return Allowance(
                limit=limit,
                remaining=count.left - count.unreported,
                resets_after=limit.window,
                retry_after=None,
            )

    def report(self, name: str, limit: Limit) -> Allowance:
        """Take from the shared counters what was counted here; may wait for them."""
        with self._turn:
            window = limit.window // _MICROSECOND
            count = self._counts.setdefault(name, _Count(self._now(), window, left=limit.amount))
            times, count.unreported = min(max(count.unreported, 1), limit.amount), 0
        allowance = self._shared.take((name, limit), times=times)
        with self._turn:
            now = self._now()
            count.began, count.left = now, allowance.remaining
            count.resets_at = now + allowance.resets_after // _MICROSECOND
            if allowance.retry_after is not None:
                count.shut_until = now + allowance.retry_after // _MICROSECOND
        return allowance

    def _make_room(self, now: int) -> None:
        """Forget what nobody has counted under for so long that it would begin anew, and what is too much."""
        while len(self._counts) > self._most_names or next(iter(self._counts.values())).is_over(now):
            self._counts.popitem(last=False)


def _refused(limit: Limit, count: _Count, now: int) -> Allowance:
    return Allowance(
        limit=limit,
        remaining=0,
        resets_after=max(count.resets_at - now, 0) * _MICROSECOND,
        retry_after=(count.shut_until - now) * _MICROSECOND,
    )
