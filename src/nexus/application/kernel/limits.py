"""How often something may be done."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

from attrs import field, frozen, validators


@frozen
class Limit:
    """So many times within a window, wherever the window is laid."""

    amount: int = field(validator=validators.ge(1))
    window: timedelta = field(validator=validators.gt(timedelta(0)))


@frozen(kw_only=True)
class Allowance:
    """What a limit leaves; of several limits, the one that leaves least."""

    limit: Limit
    remaining: int
    """How many more times at once; 0 when this time was the last or one too many."""
    resets_after: timedelta
    """Until the whole amount is there again."""
    retry_after: timedelta | None
    """How long to wait for the next time; ``None`` when this time was granted."""

    @property
    def is_granted(self) -> bool:
        return self.retry_after is None


def tightest(allowances: Iterable[Allowance]) -> Allowance:
    """The one that lets the next time wait longest, or else leaves least."""
    return max(
        allowances,
        key=lambda allowance: (
            allowance.retry_after or timedelta(0),
            -allowance.remaining,
            allowance.resets_after,
        ),
    )


class Limiter(Protocol):
    """
    Counts under names, for all processes together.

    Atomic: of two at once that want the last time, one gets it. If the shared
    counters are away, each process counts for itself: the limits loosen by the
    number of processes, and never fall.
    """

    def take(self, *wanted: tuple[str, Limit], times: int = 1) -> Allowance:
        """
        Take one time under each name, or none under any if one of them has none left.

        Or as many *times* at once, all of them or none; never more than an amount.
        """
        ...

    def forget(self, *names: str) -> None:
        """Give the whole amount back, as after a success."""
        ...


class Tally(Protocol):
    """
    Counts what happens very often, and takes from a limiter what has come together.

    A process grants a little more than the amount before it learns what the others
    granted; for limits where that does no harm.
    """

    def count(self, name: str, limit: Limit) -> Allowance | None:
        """Count one time, without waiting for anybody; ``None``: the answer takes a :meth:`report`."""
        ...

    def report(self, name: str, limit: Limit) -> Allowance:
        """Take from the limiter what was counted; may wait."""
        ...
