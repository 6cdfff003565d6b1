"""What one publisher's files mean: the part of a profile that decides, not where columns are."""

import re
from collections.abc import Iterable, Mapping

from attrs import field, frozen

from nexus.domain.catalogue.activities import OLDEST, Category
from nexus.domain.catalogue.values import known_zone


def key(value: str) -> str:
    """How values are compared: without case, white space closed up."""
    return " ".join(value.split()).casefold()


def _names(values: Mapping[str, str]) -> dict[str, str]:
    return {key(name): value for name, value in values.items()}


def _categories(values: Mapping[str, Category]) -> dict[str, Category]:
    return {key(name): value for name, value in values.items()}


def _prices(values: Mapping[str, int]) -> dict[str, int]:
    return {key(name): value for name, value in values.items()}


def _keys(values: Iterable[str]) -> frozenset[str]:
    return frozenset(map(key, values))


@frozen(kw_only=True)
class Rules:
    """
    A publisher's conventions.

    ``source`` scopes its ids. ``online`` are the meeting types that take place
    nowhere; ``categories`` says what ours are called there, ``approximate`` which of
    ours comes nearest to one that we do not have, ``default_category`` what all else is.
    ``credits`` prices the publisher's bands; ``fee_steps`` prices figures: (up to so
    many units of money, credits). ``default_credits`` and ``default_capacity`` stand
    in for what is not stated; without them such a row is refused.
    Capacities from ``capacity_limit`` on are taken as ``capacity_above``. Ages in
    ``ages_unstated`` mean that nobody filled them in. Programmes whose youngest age is
    ``adult_age`` or whose name matches ``not_for_children`` never reach families.
    """

    source: str
    time_zone: str = field(validator=known_zone)
    country: str = "US"
    city: str = ""
    states: Mapping[str, str] = field(factory=dict, converter=_names)
    state: str = ""
    postal_code: str = ""
    day_first: bool = False
    separator: str = "|"
    online: frozenset[str] = field(default=frozenset(), converter=_keys)
    categories: Mapping[str, Category] = field(factory=dict, converter=_categories)
    approximate: Mapping[str, Category] = field(factory=dict, converter=_categories)
    default_category: Category | None = None
    credits: Mapping[str, int] = field(factory=dict, converter=_prices)
    fee_steps: tuple[tuple[float, int], ...] = ()
    default_credits: int | None = None
    default_capacity: int | None = None
    capacity_limit: int = 500
    capacity_above: int = 100
    ages_unstated: frozenset[tuple[int, int]] = frozenset()
    adult_age: int = OLDEST
    not_for_children: re.Pattern[str] | None = None
