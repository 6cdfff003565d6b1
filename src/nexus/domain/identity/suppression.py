"""
What a company may see of how its families use the pass.

A figure about fewer than five families could tell on one of them, so it is
withheld, together with whatever would let it be computed by subtracting what is
shown from a total that is shown. A figure about nobody is withheld like the others:
were it shown as 0, what is withheld beside it would name what the few families use.
"""

from collections.abc import Hashable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from attrs import frozen

FEWEST: Final = 5
"""How many families a figure must be about to be shown."""


def is_telling(families: int) -> bool:
    """Whether a figure about so many families could tell on one of them."""
    return families < FEWEST


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

    Every part with fewer than :data:`FEWEST` families behind it is withheld. With
    the total shown, the withheld parts together have nobody or at least so many
    behind them, the smallest of the others being withheld for that: so the total
    less the visible parts says nothing about fewer families.
    """
    if len(_families(parts.values())) < FEWEST:
        return Shown(None, dict.fromkeys(parts))
    hidden = {key for key in parts if is_telling(_size(parts[key]))}
    for key in sorted(parts.keys() - hidden, key=lambda key: (_size(parts[key]), key)):
        if _is_safe([parts[key] for key in hidden]):
            break
        hidden.add(key)
    return Shown(
        sum(use.figure for use in parts.values()),
        {key: None if key in hidden else use.figure for key, use in parts.items()},
    )


def _size(use: Use) -> int:
    return len(use.families)


def _is_safe(hidden: list[Use]) -> bool:
    families = len(_families(hidden))
    return not families or not is_telling(families)


def _families(uses: Iterable[Use]) -> set[Hashable]:
    return {family for use in uses for family in use.families}
