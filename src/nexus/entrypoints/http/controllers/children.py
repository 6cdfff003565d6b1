"""A family's own children: describe them, take them off the pass, and bring them back."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from attrs import asdict, evolve, field, frozen, validators
from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.identity.children import AddChild, ChangeChild, ListChildren, ShowChild
from nexus.application.identity.views import ChildView
from nexus.application.identity.wishes import WORDS
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.domain.compliance.consent import Purpose
from nexus.domain.identity.families import (
    LONGEST_NOTES,
    ChildProfile,
    ChildStatus,
    EnergyLevel,
    NotAChild,
    SocialPreference,
)
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import ChildId
from nexus.entrypoints.http.calls import LIGHT
from nexus.entrypoints.http.etag import IfMatch, etag
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.pagination import Page
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.unset import UNSET, Unset, given, if_said

_NAME: Final = {"description": "Only the first name.", "examples": ["Mia"]}
_BORN: Final = {"description": "Younger than nineteen.", "examples": ["2018-05-17"]}
_WORDS: Final = ", ".join(f"`{word}`" for word in WORDS)
_INTERESTS: Final = {"description": f"At most 30, of: {_WORDS}.", "examples": [["music", "outdoor"]]}
_AVOID: Final = {
    "description": f"What it does not want or must not do, of: {_WORDS}.",
    "examples": [["loud"]],
}
_NEEDS: Final = {"description": "What a place must have.", "examples": [["wheelchair"]]}
_NOTES: Final = {
    "description": "Allergies and health; stored encrypted, and shown only to the family itself and, with "
    "the consent `medical_sharing`, to venues where the child is booked.",
    "examples": ["Allergic to peanuts."],
}
_at_most_thirty: Final[Any] = validators.max_len(30)


@frozen(kw_only=True)
class NewChild:
    """What a parent says about a child."""

    first_name: str = field(validator=[validators.min_len(1), validators.max_len(100)], metadata=_NAME)
    date_of_birth: date = field(metadata=_BORN)
    energy_level: EnergyLevel | None = None
    social_preference: SocialPreference | None = None
    interests: list[str] = field(factory=list, validator=_at_most_thirty, metadata=_INTERESTS)
    activities_to_avoid: list[str] = field(factory=list, validator=_at_most_thirty, metadata=_AVOID)
    accessibility_needs: list[str] = field(factory=list, validator=_at_most_thirty, metadata=_NEEDS)
    medical_notes: str | None = field(
        default=None,
        repr=False,
        validator=validators.optional(validators.max_len(LONGEST_NOTES)),
        metadata=_NOTES,
    )

    def profile(self) -> ChildProfile:
        """
        The description, as the use case asks for it.

        Raises:
            InvalidValue: A text is unusable.
        """
        return ChildProfile(**asdict(self))


class Participation(StrEnum):
    """On the pass, or taken off it."""

    ACTIVE = "active"
    DEACTIVATED = "deactivated"


@frozen(kw_only=True)
class ChildPatch:
    """What is to be different; what is left out stays as it is, null takes a thing back."""

    first_name: str | Unset = field(
        default=UNSET, validator=if_said(validators.min_len(1), validators.max_len(100)), metadata=_NAME
    )
    date_of_birth: date | Unset = field(default=UNSET, metadata=_BORN)
    energy_level: EnergyLevel | Unset | None = UNSET
    social_preference: SocialPreference | Unset | None = UNSET
    interests: list[str] | Unset = field(
        default=UNSET, validator=if_said(_at_most_thirty), metadata=_INTERESTS
    )
    activities_to_avoid: list[str] | Unset = field(
        default=UNSET, validator=if_said(_at_most_thirty), metadata=_AVOID
    )
    accessibility_needs: list[str] | Unset = field(
        default=UNSET, validator=if_said(_at_most_thirty), metadata=_NEEDS
    )
    medical_notes: str | Unset | None = field(
        default=UNSET,
        repr=False,
        validator=if_said(validators.optional(validators.max_len(LONGEST_NOTES))),
        metadata=_NOTES,
    )
    status: Participation | Unset = field(
        default=UNSET,
        metadata={
            "description": "`deactivated` takes the child off the pass: it gives up its future places. "
            "`active` brings it back; without consent it is a `draft` then."
        },
    )

    def described(self, profile: ChildProfile) -> ChildProfile:
        """
        The description with what was said.

        Raises:
            InvalidValue: A text is unusable.
        """
        said = given(**{name: getattr(self, name) for name in _DESCRIBED})
        return evolve(profile, **said)

    @property
    def takes_part(self) -> bool | None:
        """Whether the child is to be on the pass; ``None``: nothing was said."""
        return None if self.status is UNSET else self.status is Participation.ACTIVE


_DESCRIBED: Final = (
    "first_name",
    "date_of_birth",
    "energy_level",
    "social_preference",
    "interests",
    "activities_to_avoid",
    "accessibility_needs",
    "medical_notes",
)


@frozen(kw_only=True)
class ChildSummary:
    """
    A child, as its own parent sees it, without the text of its medical notes.

    Answers to commands are kept for a while, so that they can be repeated; notes
    are not, which are only stored encrypted.
    """

    id: ChildId
    first_name: str
    date_of_birth: date
    energy_level: EnergyLevel | None
    social_preference: SocialPreference | None
    interests: list[str]
    activities_to_avoid: list[str]
    accessibility_needs: list[str]
    has_medical_notes: bool
    status: ChildStatus = field(
        metadata={
            "description": "A `draft` waits for the consent `data_collection`; only `active` can be booked."
        }
    )
    consents: list[Purpose] = field(metadata={"description": "What the parent consents to at present."})
    created_at: datetime
    version: int

    @classmethod
    def of(cls, child: ChildView) -> "ChildSummary":
        return cls(**_shown(child))


@frozen(kw_only=True)
class ChildDetail(ChildSummary):
    """A child with its medical notes, as its own parent sees it."""

    medical_notes: str | None = field(repr=False)
    medical_notes_unreadable: bool = field(
        metadata={
            "description": "There are notes, but they cannot be opened; `medical_notes` says so in their place. "
            "Write them again; a change that leaves them as they are keeps what is stored."
        }
    )

    @classmethod
    def of(cls, child: ChildView) -> "ChildDetail":
        return cls(
            **_shown(child),
            medical_notes=child.medical_notes,
            medical_notes_unreadable=child.medical_notes_unreadable,
        )


def _shown(child: ChildView) -> dict[str, Any]:
    return {
        "id": child.id,
        "first_name": child.first_name,
        "date_of_birth": child.date_of_birth,
        "energy_level": child.energy_level,
        "social_preference": child.social_preference,
        "interests": list(child.interests),
        "activities_to_avoid": list(child.activities_to_avoid),
        "accessibility_needs": list(child.accessibility_needs),
        "has_medical_notes": child.medical_notes is not None,
        "status": child.status,
        "consents": list(child.consents),
        "created_at": child.created_at,
        "version": child.version,
    }


class ChildController(Controller):
    """A parent's own children."""

    path = "/api/v1/children"
    opt = allow(Policy.FAMILY) | LIGHT
    tags = ("Children",)

    @get("/", sync_to_thread=True)
    def browse(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        list_children: NamedDependency[SkipValidation[ListChildren]],
    ) -> Page[ChildSummary]:
        """List one's own children on one page, the first registered first."""
        return Page([ChildSummary.of(child) for child in list_children(actor=actor)])

    @post("/", sync_to_thread=True, responses=problem_responses(NotAChild, InvalidValue))
    def add(
        self,
        *,
        data: JSONBody[NewChild],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        add_child: NamedDependency[SkipValidation[AddChild]],
    ) -> Response[ChildSummary]:
        """Register a child; it is a draft until the parent consents to `data_collection`."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            201,
            lambda: ChildSummary.of(add_child(data.profile(), actor=actor)),
        )

    @get("/{child_id:uuid}", sync_to_thread=True, responses=problem_responses(NoSuchThing))
    def show(
        self,
        *,
        child_id: FromPath[ChildId],
        actor: NamedDependency[SkipValidation[Actor]],
        show_child: NamedDependency[SkipValidation[ShowChild]],
    ) -> Response[ChildDetail]:
        """Show one of one's own children, medical notes included."""
        child = show_child(child_id, actor=actor)
        return Response(ChildDetail.of(child), headers=etag(child.version))

    @patch(
        "/{child_id:uuid}",
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, NotAChild, InvalidValue),
    )
    def change(
        self,
        *,
        child_id: FromPath[ChildId],
        data: JSONBody[ChildPatch],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        if_match: NamedDependency[SkipValidation[IfMatch]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        change_child: NamedDependency[SkipValidation[ChangeChild]],
    ) -> Response[ChildSummary]:
        """Describe a child anew, take it off the pass, or bring it back."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: ChildSummary.of(
                change_child(
                    child_id,
                    actor=actor,
                    expected_version=if_match.version,
                    change=data.described,
                    takes_part=data.takes_part,
                )
            ),
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [ChildController]
