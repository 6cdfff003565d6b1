"""What a drill is."""

from collections.abc import Callable
from typing import Final

from attrs import frozen

from tests.drills.judging import Outcome
from tests.drills.town import Ground

BOUND: Final = 120.0
"""Seconds in which a drill is over."""


@frozen
class Drill:
    """A fault on purpose; *run* is told which guard to switch off, empty for none."""

    name: str
    guard: str
    run: Callable[[Ground, str], Outcome]
