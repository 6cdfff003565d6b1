"""What a family looks for, and in which order it wants to see it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from attrs import field, frozen

from nexus.domain.catalogue.activities import Category, TagWishes
from nexus.domain.catalogue.places import Position
from nexus.domain.catalogue.values import between, words
from nexus.domain.kernel.errors import InvalidValue
from nexus.domain.kernel.time import TimeOfDay


class Sort(StrEnum):
    """
    The order of a list of activities; ties by id.

    The key of a card is its next matching session's start, its distance, that
    session's price, its rating (negated, so that the best comes first), or its
    name in lower case.
    """

    SOONEST = "soonest"
    NEAREST = "nearest"
    CHEAPEST = "cheapest"
    RATING = "rating"
    NAME = "name"


@frozen(kw_only=True)
class ChildInBrowse:
    """What browsing must know of a child."""

    date_of_birth: date
    is_active: bool
    activities_to_avoid: frozenset[str] = field(default=frozenset(), converter=words)


@frozen(kw_only=True)
class Search:
    """
    Conditions that an activity and one of its coming sessions meet together.

    Bounds that are dates mean the session's local date, both included; bounds
    that are instants mean its start, the later one excluded. Of several categories
    one suffices. With *available* the session has a seat that can be booked now.
    """

    q: str | None = None
    categories: frozenset[Category] = frozenset()
    age: int | None = field(default=None, validator=between(0, 150))
    starts_from: date | datetime | None = None
    starts_until: date | datetime | None = None
    time_of_day: TimeOfDay | None = None
    near: Position | None = None
    within_minutes: int | None = field(default=None, validator=between(1, 24 * 60))
    max_credits: int | None = field(default=None, validator=between(0, 1_000_000))
    available: bool = False
    tags: TagWishes = field(factory=TagWishes)
    sort: Sort = Sort.SOONEST

    def __attrs_post_init__(self) -> None:
        if self.near is None and self.within_minutes is not None:
            raise InvalidValue("within_minutes", "needs a place to start from: near")
        if self.near is None and self.sort is Sort.NEAREST:
            raise InvalidValue("sort", "nearest needs a place to start from: near")


After = tuple[Any, UUID]
"""The key and the id of the last card seen."""
