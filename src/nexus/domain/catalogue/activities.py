"""Activities: what children do, for whom it is, and what it is like."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from attrs import evolve, field, frozen

from nexus.domain.catalogue.values import between, text, words
from nexus.domain.kernel.errors import Invalid, InvalidValue
from nexus.domain.kernel.ids import ActivityId, VenueId

OLDEST: Final = 18
MOST_SEATS: Final = 10_000
HIGHEST_PRICE: Final = 10_000


class Category(StrEnum):
    """What an activity is mainly about."""

    STEM = "stem"
    ARTS_CRAFTS = "arts_crafts"
    MUSIC = "music"
    SPORTS = "sports"
    NATURE = "nature"
    COOKING = "cooking"
    READING = "reading"
    BUILDING = "building"
    DANCE = "dance"
    DRAMA = "drama"


class SkillLevel(StrEnum):
    """What a child should have done before."""

    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class Tag(StrEnum):
    """What an activity is like: families look for it, or avoid it."""

    INDOOR = "indoor"
    OUTDOOR = "outdoor"
    MESSY = "messy"
    COMPETITIVE = "competitive"
    LOUD = "loud"
    PHYSICAL_CONTACT = "physical_contact"
    PARENT_REQUIRED = "parent_required"
    WHEELCHAIR = "wheelchair"
    SENSORY_FRIENDLY = "sensory_friendly"
    CALM_FOCUSED = "calm_focused"
    BALANCED = "balanced"
    HIGH_ENERGY = "high_energy"
    SOLO = "solo"
    SMALL_GROUP = "small_group"
    BIG_SOCIAL = "big_social"


@frozen
class TagWishes:
    """What an activity must be like, and what it must not be like."""

    wanted: frozenset[Tag] = frozenset()
    unwanted: frozenset[Tag] = frozenset()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "TagWishes":
        """
        Read ``indoor`` as wanted and ``-loud`` as unwanted.

        Raises:
            InvalidValue: There is no such tag.
        """
        wanted: set[Tag] = set()
        unwanted: set[Tag] = set()
        for text_ in texts:
            try:
                (unwanted if text_.startswith("-") else wanted).add(Tag(text_.removeprefix("-")))
            except ValueError:
                raise InvalidValue(
                    "tags", f"must be among {', '.join(Tag)}, a minus before what is unwanted"
                ) from None
        return cls(frozenset(wanted), frozenset(unwanted))

    def accepts(self, tags: frozenset[Tag]) -> bool:
        return self.wanted <= tags and not self.unwanted & tags


@frozen
class AgesReversed(Invalid):
    """The youngest age is above the oldest."""

    min_age: int
    max_age: int


def _tags(values: Iterable[Tag]) -> frozenset[Tag]:
    return frozenset(values)


def _lines(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(values)


@frozen(kw_only=True)
class Activity:
    """
    Something that a venue offers, again and again.

    Families see it while it is published and active. Price, duration and capacity
    are those of its next sessions; a session keeps what it was planned with.
    """

    id: ActivityId
    venue: VenueId
    name: str = field(validator=text(least=1, most=255))
    slug: str
    category: Category
    short_description: str | None = field(default=None, validator=text(most=150))
    full_description: str | None = field(default=None, validator=text(most=20_000))
    min_age: int = field(validator=between(0, OLDEST))
    max_age: int = field(validator=between(0, OLDEST))
    duration_minutes: int = field(validator=between(1, 24 * 60))
    credits_required: int = field(validator=between(1, HIGHEST_PRICE))
    capacity_per_session: int = field(validator=between(1, MOST_SEATS))
    tags: frozenset[Tag] = field(default=frozenset(), converter=_tags)
    accessibility_features: frozenset[str] = field(default=frozenset(), converter=words)
    what_to_bring: tuple[str, ...] = field(default=(), converter=_lines)
    skill_level: SkillLevel = SkillLevel.BEGINNER
    is_active: bool = True
    is_published: bool = False
    average_rating: Decimal = Decimal(0)
    total_reviews: int = 0
    external_ref: str | None = None
    created_at: datetime
    version: int = 1

    def __attrs_post_init__(self) -> None:
        if self.min_age > self.max_age:
            raise AgesReversed(self.min_age, self.max_age)

    @property
    def parent_attendance_required(self) -> bool:
        return Tag.PARENT_REQUIRED in self.tags

    @property
    def is_visible(self) -> bool:
        """Whether families may see it, as far as the activity itself decides."""
        return self.is_active and self.is_published

    def publish(self) -> "Activity":
        """Show it to families."""
        return evolve(self, is_published=True)

    def unpublish(self) -> "Activity":
        """Hide it; sessions that were booked take place."""
        return evolve(self, is_published=False)
