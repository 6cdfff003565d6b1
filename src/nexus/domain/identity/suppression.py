"""
What a company may see of how its families use the pass.

A figure about one to four families could tell on one of them, so it is withheld,
together with whatever would let it be computed by subtracting what is shown
from a total that is shown.
"""

from collections.abc import Hashable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from attrs import frozen

FEWEST: Final = 5
"""How many families a figure must be about to be shown."""


def is_telling(families: int) -> bool:
    """Whether a figure about so many families could tell on one of them."""
    return 0 < families < FEWEST


@frozen
class Use:
    """A figure and the families behind it."""

    figure: int = 0
    families: AbstractSet[Hashable] = frozenset()


@frozen
class Shown:
    """A total and its parts; ``None`` is withheld."""

    total: int | None
    parts: Mapping[str, int | None]


def shown(parts: Mapping[str, Use]) -> Shown:
    """
    The parts and their sum, as far as they may be shown.

    What is withheld is either nothing or at least two parts with at least
    :data:`FEWEST` families behind them, or everything, the total included: so
    the total less the visible parts says nothing about fewer families. Parts
    that nobody uses are shown as 0.
    """
    used = sorted((key for key in parts if parts[key].families), key=lambda key: (_size(parts[key]), key))
    hidden = {key for key in used if is_telling(_size(parts[key]))}
    for key in used:
        if not hidden or _is_safe([parts[key] for key in hidden]):
            break
        hidden.add(key)
    if hidden and not _is_safe([parts[key] for key in hidden]):
        return Shown(None, {key: None if parts[key].families else 0 for key in parts})
    return Shown(
        sum(use.figure for use in parts.values()),
        {key: None if key in hidden else use.figure for key, use in parts.items()},
    )


def _size(use: Use) -> int:
    return len(use.families)


def _is_safe(hidden: list[Use]) -> bool:
    return len(hidden) > 1 and len(_families(hidden)) >= FEWEST


def _families(uses: Iterable[Use]) -> set[Hashable]:
    return {family for use in uses for family in use.families}
