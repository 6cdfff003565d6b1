"""What families find, and look at more closely."""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import msgspec
from attrs import asdict, field, fields, frozen
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.openapi.spec import Example, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.catalogue.browse_activities import BrowseActivities
from nexus.application.catalogue.search import Search, Sort
from nexus.application.catalogue.show import ListSessionsOfActivity, ShowActivity, ShowSession
from nexus.application.catalogue.views import (
    ActivityCard,
    ActivityDetail,
    NextSession,
    SessionView,
    VenueSummary,
)
from nexus.application.kernel.actor import Actor
from nexus.domain.catalogue.activities import Category, SkillLevel, Tag, TagWishes
from nexus.domain.catalogue.places import Position
from nexus.domain.kernel.errors import ChildNotActive, InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import ActivityId, ChildId, SessionId
from nexus.domain.kernel.time import TimeOfDay
from nexus.entrypoints.http.bounds import FromText, ToText, read_bound, refuse
from nexus.entrypoints.http.calls import LIGHT
from nexus.entrypoints.http.faults import Fault, parameter_fault
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.schemas import STORABLE

T = TypeVar("T")

_COMING: Final = Keyset("sessions of an activity", datetime, UUID)
_KEY_TYPES: Final[Mapping[Sort, Any]] = {
    Sort.SOONEST: datetime,
    Sort.NEAREST: float,
    Sort.CHEAPEST: int,
    Sort.RATING: float,
    Sort.NAME: str,
}
_DEGREES: Final = r"[+-]?[0-9]{1,3}(\.[0-9]{1,20})?"
_NEAR: Final = rf"^{_DEGREES},{_DEGREES}$"
_ANY_TAG: Final = f"-?({'|'.join(Tag)})"
_TAGS: Final = rf"^{_ANY_TAG}(,{_ANY_TAG})*$"


@frozen(kw_only=True)
class ActivityCardView:
    """An activity that was found, with its first coming session that meets the search."""

    id: ActivityId
    name: str
    category: Category
    short_description: str | None
    min_age: int
    max_age: int
    duration_minutes: int
    tags: list[Tag]
    average_rating: float
    total_reviews: int
    venue: VenueSummary
    distance_km: float | None = field(
        metadata={"description": "From `near`, as the crow flies; null without it."}
    )
    drive_minutes: int | None = field(metadata={"description": "An estimate; null without `near`."})
    next_session: NextSession

    @classmethod
    def of(cls, card: ActivityCard) -> "ActivityCardView":
        stated = {a.name: getattr(card, a.name) for a in fields(cls)}
        stated["tags"] = sorted(card.tags)
        stated["distance_km"] = None if card.distance_km is None else round(card.distance_km, 3)
        return cls(**stated)


@frozen(kw_only=True)
class ActivityView:
    """An activity, as families see it; a session may differ in price and length."""

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
    tags: list[Tag]
    accessibility_features: list[str]
    what_to_bring: list[str]
    skill_level: SkillLevel
    parent_attendance_required: bool
    average_rating: float
    total_reviews: int
    venue: VenueSummary

    @classmethod
    def of(cls, detail: ActivityDetail) -> "ActivityView":
        activity = detail.activity
        stated = {a.name: getattr(activity, a.name) for a in fields(cls) if a.name != "venue"}
        return cls(
            **stated
            | {
                "tags": sorted(activity.tags),
                "accessibility_features": sorted(activity.accessibility_features),
                "what_to_bring": list(activity.what_to_bring),
                "average_rating": float(activity.average_rating),
                "venue": detail.venue,
            }
        )


def _keyset(search: Search, child: ChildId | None) -> Keyset:
    """The order of this very search: a cursor of another one is none of it."""
    stated = asdict(search, value_serializer=lambda _, __, v: sorted(v) if isinstance(v, frozenset) else v)
    digest = hashlib.sha256(msgspec.json.encode([stated, child])).hexdigest()[:16]
    return Keyset(f"activities by {search.sort}, {digest}", _KEY_TYPES[search.sort], UUID)


def _position(text: str) -> Position:
    if not re.fullmatch(_NEAR, text):
        raise ValueError("must be a latitude and a longitude in degrees, such as 41.88,-87.63")
    latitude, longitude = map(float, text.split(","))
    try:
        return Position(latitude, longitude)
    except InvalidValue as error:
        raise ValueError(f"has a {error.field} that {error.reason}") from error


def _wishes(texts: list[str]) -> TagWishes:
    named = [name.strip() for text in texts for name in text.split(",")]
    try:
        return TagWishes.parse(name for name in named if name)
    except InvalidValue as error:
        raise ValueError(error.reason) from error


def _read(name: str, read: Callable[[Any], T], stated: Any, faults: list[Fault]) -> T | None:
    """What a filter says; ``None`` if nothing was said, or nothing that can be read."""
    if stated is None:
        return None
    try:
        return read(stated)
    except ValueError as error:
        faults.append(Fault(f"query.{name}", str(error)))
        return None


class ActivityController(Controller):
    """Activities that families may see."""

    path = "/api/v1/activities"
    opt = allow(Policy.SIGNED_IN, keys="activities") | LIGHT
    tags = ("Finding",)

    @get("/", sync_to_thread=True, responses=problem_responses(NoSuchThing, ChildNotActive))
    def browse(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        browse_activities: NamedDependency[SkipValidation[BrowseActivities]],
        q: Annotated[
            str | None,
            QueryParameter(
                description="Words of its name or description, or a part of its name.",
                max_length=200,
                pattern=STORABLE,
                examples=[Example(value="clay")],
            ),
        ] = None,
        category: Annotated[
            list[Category] | None,
            QueryParameter(
                description="Of this category; repeated, of any of them.",
                max_items=len(Category),
                examples=[Example(value=["sports", "dance"])],
            ),
        ] = None,
        age: Annotated[
            int | None,
            QueryParameter(
                description="For somebody of so many years.", ge=0, le=150, examples=[Example(value=6)]
            ),
        ] = None,
        child_id: Annotated[
            UUID | None,
            QueryParameter(
                description="For this child of yours: of the right age on the session's day, and nothing "
                "that the child avoids."
            ),
        ] = None,
        starts_from: FromText = None,
        starts_until: ToText = None,
        time_of_day: Annotated[
            TimeOfDay | None,
            QueryParameter(
                description="Morning ends at 12:00 on the venue's clock, afternoon at 17:00.",
                examples=[Example(value="afternoon")],
            ),
        ] = None,
        near: Annotated[
            str | None,
            QueryParameter(
                description="Where you start from: latitude and longitude in degrees.",
                schema_extra={"pattern": _NEAR},
                examples=[Example(value="41.88,-87.63")],
            ),
        ] = None,
        within_minutes: Annotated[
            int | None,
            QueryParameter(
                description="At most so long a drive from `near`, by estimate.",
                ge=1,
                le=24 * 60,
                examples=[Example(value=30)],
            ),
        ] = None,
        max_credits: Annotated[
            int | None,
            QueryParameter(
                description="With a session for at most so many credits.",
                ge=0,
                le=1_000_000,
                examples=[Example(value=5)],
            ),
        ] = None,
        available: Annotated[
            bool,
            QueryParameter(
                description="Only with a session that has a seat now.", examples=[Example(value=True)]
            ),
        ] = False,
        tags: Annotated[
            list[str] | None,
            QueryParameter(
                description="What it is like, repeated or separated by commas; with a minus before it, what "
                f"it must not be like. Known are {', '.join(f'`{tag}`' for tag in Tag)}.",
                max_items=30,
                schema_extra={"items": Schema(type=OpenAPIType.STRING, pattern=_TAGS)},
                examples=[Example(value=["outdoor", "-loud"])],
            ),
        ] = None,
        sort: Annotated[
            Sort,
            QueryParameter(
                description="By the next session's start, the distance, the next session's price, the rating "
                "(best first) or the name.",
                examples=[Example(value="soonest")],
            ),
        ] = Sort.SOONEST,
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[ActivityCardView]:
        """
        Find activities with a coming session that meets every filter at once.

        A cursor continues the list of the same filters and sort only.
        """
        faults: list[Fault] = []
        first = _read("from", read_bound, starts_from, faults)
        last = _read("to", read_bound, starts_until, faults)
        place = _read("near", _position, near, faults)
        wishes = _read("tags", _wishes, tags, faults)
        refuse(faults)
        try:
            search = Search(
                starts_from=first,
                starts_until=last,
                near=place,
                tags=wishes or TagWishes(),
                q=(q or "").strip() or None,
                categories=frozenset(category or ()),
                age=age,
                time_of_day=time_of_day,
                within_minutes=within_minutes,
                max_credits=max_credits,
                available=available,
                sort=sort,
            )
        except InvalidValue as error:
            raise parameter_fault(f"query.{error.field}", error.reason) from error
        if child_id is not None and actor.key is not None:
            raise NoSuchThing("child")  # to an API key there are no children
        child = None if child_id is None else ChildId(child_id)
        keyset = _keyset(search, child)
        cards = browse_activities(
            search, parent=actor.user, child=child, after=keyset.after(cursor), limit=limit + 1
        )
        return keyset.page(cards, limit, lambda card: card.key, ActivityCardView.of)

    @get("/{activity_id:uuid}", sync_to_thread=True, responses=problem_responses(NoSuchThing))
    def show(
        self,
        *,
        activity_id: FromPath[ActivityId],
        show_activity: NamedDependency[SkipValidation[ShowActivity]],
    ) -> ActivityView:
        """Show an activity, and where it is."""
        return ActivityView.of(show_activity(activity_id))

    @get("/{activity_id:uuid}/sessions", sync_to_thread=True, responses=problem_responses(NoSuchThing))
    def sessions(
        self,
        *,
        activity_id: FromPath[ActivityId],
        list_sessions_of_activity: NamedDependency[SkipValidation[ListSessionsOfActivity]],
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[SessionView]:
        """List the coming sessions of an activity by their start, full ones too."""
        rows = list_sessions_of_activity(activity_id, after=_COMING.after(cursor), limit=limit + 1)
        return _COMING.page(rows, limit, lambda row: row.key, lambda row: row)


class SessionController(Controller):
    """Sessions of activities that families may see."""

    path = "/api/v1/sessions"
    opt = allow(Policy.SIGNED_IN, keys="activities") | LIGHT
    tags = ("Finding",)

    @get("/{session_id:uuid}", sync_to_thread=True, responses=problem_responses(NoSuchThing))
    def show(
        self,
        *,
        session_id: FromPath[SessionId],
        show_session: NamedDependency[SkipValidation[ShowSession]],
    ) -> SessionView:
        """Show a session: its free seats, how many wait for it, and until when it sells."""
        return show_session(session_id)


HANDLERS: Final[list[ControllerRouterHandler]] = [ActivityController, SessionController]
