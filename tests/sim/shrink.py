"""Makes a failing run short: leaves out steps for as long as the same promise breaks."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import TypeVar

from attrs import evolve

from tests.sim.life import Failure, relive
from tests.sim.steps import Step

T = TypeVar("T")


def smallest(items: Sequence[T], still_fails: Callable[[Sequence[T]], bool], *, until: float) -> list[T]:
    """
    Delta debugging: a part of *items* of which nothing can be left out, or as near as time allows.

    Parameters:
        until: When to stop, by the monotonic clock.
    """
    left, size = list(items), max(1, len(items) // 2)
    while size and monotonic() < until:
        start, shorter = 0, False
        while start < len(left) and monotonic() < until:
            tried = left[:start] + left[start + size :]
            if tried and still_fails(tried):
                left, shorter = tried, True
            else:
                start += size
        if not shorter or size > len(left):
            size = min(size // 2, len(left) // 2) if size > 1 else 0
    return left


def shrunk(failure: Failure, *, seconds: float = 60, punctual: bool = False) -> Failure:
    """The same failure with as few steps, deaths and people as can be found in that time."""
    found = failure

    def still_fails(steps: Sequence[Step]) -> bool:
        nonlocal found
        again = relive(steps, punctual=punctual)
        if again is None or again.promise != failure.promise:
            return False
        found = evolve(again, seed=failure.seed)
        return True

    until = monotonic() + seconds
    steps = smallest(failure.steps, still_fails, until=until)
    for place in range(len(steps)):
        if place < len(steps) and steps[place].dies and monotonic() < until:
            calmer = [*steps[:place], evolve(steps[place], dies=0), *steps[place + 1 :]]
            if still_fails(calmer):
                steps = calmer
    return found
