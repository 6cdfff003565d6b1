"""Children, as their parents describe them."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from attrs import evolve, field, frozen

from nexus.domain.kernel.errors import Invalid
from nexus.domain.kernel.ids import ChildId, CompanyId, UserId
from nexus.domain.kernel.texts import answers, short_text
from nexus.domain.kernel.time import age_on

GROWN_UP: Final = 19
LONGEST_NOTES: Final = 4000


class EnergyLevel(StrEnum):
    """How much a child wants to move."""

    CALM_FOCUSED = "calm_focused"
    BALANCED = "balanced"
    HIGH_ENERGY = "high_energy"


class SocialPreference(StrEnum):
    """With how many others a child is at ease."""

    SOLO = "solo"
    SMALL_GROUP = "small_group"
    BIG_SOCIAL = "big_social"


class ChildStatus(StrEnum):
    """A draft waits for consent to keep its data; only an active child can be booked for."""

    DRAFT = "draft"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


@frozen
class NotAChild(Invalid):
    """A child is born already and younger than nineteen."""

    date_of_birth: date


def _notes(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    return "\n".join(
        short_text("medical_notes", line, at_most=LONGEST_NOTES) if line.strip() else ""
        for line in text.strip().splitlines()
    )


def _first_name(text: str) -> str:
    return short_text("first_name", text, at_most=100)


def _interests(texts: Iterable[str]) -> tuple[str, ...]:
    return answers("interests", texts)


def _avoided(texts: Iterable[str]) -> tuple[str, ...]:
    return answers("activities_to_avoid", texts)


def _needs(texts: Iterable[str]) -> tuple[str, ...]:
    return answers("accessibility_needs", texts)


@frozen(kw_only=True)
class ChildProfile:
    """
    What a parent says about a child: never a last name.

    ``medical_notes`` (allergies, health) are in clear only here, in memory; they
    are sealed wherever they are stored and never printed.
    """

    first_name: str = field(converter=_first_name)
    date_of_birth: date
    energy_level: EnergyLevel | None = None
    social_preference: SocialPreference | None = None
    interests: tuple[str, ...] = field(default=(), converter=_interests)
    activities_to_avoid: tuple[str, ...] = field(default=(), converter=_avoided)
    accessibility_needs: tuple[str, ...] = field(default=(), converter=_needs)
    medical_notes: str | None = field(default=None, converter=_notes, repr=False)

    def must_be_of_a_child(self, *, today: date) -> None:
        """
        Refuse birth dates that no child has on *today* (local date).

        Raises:
            NotAChild: Not born yet, or nineteen already.
        """
        if self.date_of_birth > today or age_on(today, self.date_of_birth) >= GROWN_UP:
            raise NotAChild(self.date_of_birth)


@frozen(kw_only=True)
class Child:
    """
    A child on the pass.

    ``consents`` names the purposes that the parent consents to at present;
    a child is active exactly while its data may be kept, unless deactivated.
    """

    id: ChildId
    parent: UserId
    company: CompanyId
    profile: ChildProfile
    status: ChildStatus = ChildStatus.DRAFT
    consents: frozenset[str] = frozenset()
    created_at: datetime
    version: int = 1

    def described(self, profile: ChildProfile) -> "Child":
        """The same child, described anew."""
        return evolve(self, profile=profile, version=self.version + 1)

    def consented(self, purposes: Iterable[str], *, may_be_kept: bool) -> "Child":
        """The child under the consents that stand now; a deactivated one stays so."""
        status = self.status
        if status is not ChildStatus.DEACTIVATED:
            status = ChildStatus.ACTIVE if may_be_kept else ChildStatus.DRAFT
        return evolve(self, consents=frozenset(purposes), status=status, version=self.version + 1)

    def taking_part(self, takes_part: bool, *, may_be_kept: bool) -> "Child":  # noqa: FBT001 - it is the verb
        """Taken off the pass (what happened stays), or back on it."""
        if not takes_part:
            return evolve(self, status=ChildStatus.DEACTIVATED)
        return evolve(self, status=ChildStatus.ACTIVE if may_be_kept else ChildStatus.DRAFT)
