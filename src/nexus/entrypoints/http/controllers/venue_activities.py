"""What a venue offers."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import asdict, field, fields, frozen, validators
from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.catalogue.change_activity import ChangeActivity
from nexus.application.catalogue.create_activity import CreateActivity
from nexus.application.catalogue.list_activities import ListActivities
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.domain.catalogue.activities import (
    HIGHEST_PRICE,
    MOST_SEATS,
    OLDEST,
    Activity,
    AgesReversed,
    Category,
    SkillLevel,
    Tag,
)
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import ActivityId
from nexus.entrypoints.http.etag import IfMatch
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.scalars import Int4
from nexus.entrypoints.http.tenants import venue_of
from nexus.entrypoints.http.unset import UNSET, Unset, given, if_said

_NEWEST: Final = Keyset("activities of a venue", datetime, UUID)
_MOST_WORDS: Final = 50
_LONGEST_DAY: Final = 24 * 60

_NAME: Final = {"examples": ["Clay Club"]}
_SHORT: Final = {"description": "One sentence, shown in lists.", "examples": ["Build a pot, keep it."]}
_AGES: Final = {"description": "Whole years on the session's day.", "examples": [6]}
_PRICE: Final = {"description": "Of sessions that are planned from now on.", "examples": [4]}
_BRING: Final = {"examples": [["apron", "towel"]]}
_ACCESS: Final = {"description": "What makes it accessible, in words.", "examples": [["ramp"]]}
_PUBLISHED: Final = {"description": "Whether families see it."}
_word: Final[Any] = validators.deep_iterable(
    member_validator=validators.and_(validators.min_len(1), validators.max_len(100))
)


@frozen(kw_only=True)
class ActivityBody:
    """A new activity."""

    name: str = field(validator=[validators.min_len(1), validators.max_len(255)], metadata=_NAME)
    category: Category
    short_description: str | None = field(
        default=None, validator=validators.optional(validators.max_len(150)), metadata=_SHORT
    )
    full_description: str | None = field(
        default=None, validator=validators.optional(validators.max_len(20_000))
    )
    min_age: Int4 = field(validator=[validators.ge(0), validators.le(OLDEST)], metadata=_AGES)
    max_age: Int4 = field(validator=[validators.ge(0), validators.le(OLDEST)], metadata=_AGES)
    duration_minutes: Int4 = field(
        validator=[validators.ge(1), validators.le(_LONGEST_DAY)], metadata={"examples": [60]}
    )
    credits_required: Int4 = field(
        validator=[validators.ge(1), validators.le(HIGHEST_PRICE)], metadata=_PRICE
    )
    capacity_per_session: Int4 = field(
        validator=[validators.ge(1), validators.le(MOST_SEATS)], metadata={"examples": [12]}
    )
    tags: frozenset[Tag] = field(default=frozenset(), metadata={"examples": [["indoor", "messy"]]})
    accessibility_features: frozenset[str] = field(
        default=frozenset(), validator=[validators.max_len(_MOST_WORDS), _word], metadata=_ACCESS
    )
    what_to_bring: list[str] = field(
        factory=list, validator=[validators.max_len(_MOST_WORDS), _word], metadata=_BRING
    )
    skill_level: SkillLevel = SkillLevel.BEGINNER
    is_published: bool = field(default=False, metadata=_PUBLISHED)


@frozen(kw_only=True)
class ActivityPatch:
    """What is to be different about an activity; what is left out stays as it is."""

    name: str | Unset = field(
        default=UNSET, validator=if_said(validators.min_len(1), validators.max_len(255)), metadata=_NAME
    )
    category: Category | Unset = UNSET
    short_description: str | Unset | None = field(
        default=UNSET, validator=if_said(validators.optional(validators.max_len(150))), metadata=_SHORT
    )
    full_description: str | Unset | None = field(
        default=UNSET, validator=if_said(validators.optional(validators.max_len(20_000)))
    )
    min_age: Int4 | Unset = field(
        default=UNSET, validator=if_said(validators.ge(0), validators.le(OLDEST)), metadata=_AGES
    )
    max_age: Int4 | Unset = field(
        default=UNSET, validator=if_said(validators.ge(0), validators.le(OLDEST)), metadata=_AGES
    )
    duration_minutes: Int4 | Unset = field(
        default=UNSET, validator=if_said(validators.ge(1), validators.le(_LONGEST_DAY))
    )
    credits_required: Int4 | Unset = field(
        default=UNSET, validator=if_said(validators.ge(1), validators.le(HIGHEST_PRICE)), metadata=_PRICE
    )
    capacity_per_session: Int4 | Unset = field(
        default=UNSET, validator=if_said(validators.ge(1), validators.le(MOST_SEATS))
    )
    tags: frozenset[Tag] | Unset = UNSET
    accessibility_features: frozenset[str] | Unset = field(
        default=UNSET, validator=if_said(validators.max_len(_MOST_WORDS), _word), metadata=_ACCESS
    )
    what_to_bring: tuple[str, ...] | Unset = field(
        default=UNSET, validator=if_said(validators.max_len(_MOST_WORDS), _word), metadata=_BRING
    )
    skill_level: SkillLevel | Unset = UNSET
    is_published: bool | Unset = field(default=UNSET, metadata=_PUBLISHED)
    is_active: bool | Unset = field(
        default=UNSET,
        metadata={"description": "false: it is not offered any more, and no new session can be planned."},
    )


@frozen(kw_only=True)
class VenueActivityView:
    """An activity, as its venue sees it."""

    id: ActivityId
    name: str
    slug: str
    category: Category
    short_description: str | None
    full_description: str | None
    min_age: int
    max_age: int
    duration_minutes: int
    credits_required: int
    capacity_per_session: int
    tags: list[Tag]
    accessibility_features: list[str]
    what_to_bring: list[str]
    skill_level: SkillLevel
    is_active: bool
    is_published: bool
    average_rating: float
    total_reviews: int
    external_ref: str | None
    created_at: datetime
    version: int

    @classmethod
    def of(cls, activity: Activity) -> "VenueActivityView":
        stated = {a.name: getattr(activity, a.name) for a in fields(cls)}
        for unordered in ("tags", "accessibility_features"):
            stated[unordered] = sorted(stated[unordered])
        stated["what_to_bring"] = list(activity.what_to_bring)
        stated["average_rating"] = float(activity.average_rating)
        return cls(**stated)


class VenueActivityController(Controller):
    """The activities of the venue that is asking."""

    path = "/api/v1/venue/activities"
    opt = allow(Policy.VENUE, keys="activities")
    tags = ("Venue",)

    @get("/", sync_to_thread=True)
    def browse(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        list_activities: NamedDependency[SkipValidation[ListActivities]],
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[VenueActivityView]:
        """List all of the venue's activities, hidden ones too, the newest first."""
        rows = list_activities(venue=venue_of(actor), after=_NEWEST.after(cursor), limit=limit + 1)
        return _NEWEST.page(rows, limit, lambda row: (row.created_at, row.id), VenueActivityView.of)

    @post("/", sync_to_thread=True, responses=problem_responses(AgesReversed, InvalidValue))
    def offer(
        self,
        *,
        data: JSONBody[ActivityBody],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        create_activity: NamedDependency[SkipValidation[CreateActivity]],
    ) -> Response[VenueActivityView]:
        """Describe a new activity; families see it once it is published and has sessions."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            201,
            lambda: VenueActivityView.of(
                create_activity(venue=venue_of(actor), **asdict(data, recurse=False))
            ),
        )

    @patch(
        "/{activity_id:uuid}",
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, AgesReversed, InvalidValue),
    )
    def change(
        self,
        *,
        activity_id: FromPath[ActivityId],
        data: JSONBody[ActivityPatch],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        if_match: NamedDependency[SkipValidation[IfMatch]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        change_activity: NamedDependency[SkipValidation[ChangeActivity]],
    ) -> Response[VenueActivityView]:
        """
        Change what was said of an activity; publish or hide it.

        Sessions that exist keep their price, times and seats.
        """
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: VenueActivityView.of(
                change_activity(
                    activity_id,
                    venue=venue_of(actor),
                    changes=given(**asdict(data, recurse=False)),
                    version=if_match.version,
                )
            ),
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [VenueActivityController]
