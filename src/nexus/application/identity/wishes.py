"""What a child likes and avoids, in the catalogue's words: only those find or exclude an activity."""

from collections.abc import Iterable
from typing import Final

from attrs import evolve

from nexus.domain.catalogue.activities import Category, Tag
from nexus.domain.identity.families import ChildProfile
from nexus.domain.kernel.errors import InvalidValue

WORDS: Final = (*map(str, Category), *map(str, Tag))


def in_the_catalogues_words(profile: ChildProfile) -> ChildProfile:
    """
    The description with its wishes as the catalogue writes them: ``Physical-contact`` is ``physical_contact``.

    Raises:
        InvalidValue: The catalogue has no such word.
    """
    return evolve(
        profile,
        interests=_known("interests", profile.interests),
        activities_to_avoid=_known("activities_to_avoid", profile.activities_to_avoid),
    )


def _known(field: str, texts: Iterable[str]) -> tuple[str, ...]:
    folded = tuple("_".join(text.casefold().replace("-", " ").replace("_", " ").split()) for text in texts)
    # A word that is refused would otherwise be kept and do nothing, and nobody would notice.
    if not set(folded) <= set(WORDS):
        raise InvalidValue(field, f"must each be one of {', '.join(WORDS)}")
    return folded
