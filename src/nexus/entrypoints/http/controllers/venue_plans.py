"""What a venue plans: single sessions, and weekly schedules that make them."""

from datetime import date, datetime, time
from typing import Annotated, Any, Final
from uuid import UUID

from attrs import asdict, field, fields, frozen, validators
from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.catalogue.change_schedule import ChangeSchedule
from nexus.application.catalogue.create_schedule import CreateSchedule
from nexus.application.catalogue.create_session import CreateSession
from nexus.application.catalogue.list_schedules import ListSchedules
from nexus.application.catalogue.list_sessions import ListVenueSessions
from nexus.application.catalogue.views import KeptSession, ScheduleOutcome, VenueSessionView
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.domain.catalogue.activities import HIGHEST_PRICE, MOST_SEATS
from nexus.domain.catalogue.schedules import Schedule, SkippedDate
from nexus.domain.catalogue.sessions import (
    ActivityInactive,
    AllocationAboveCapacity,
    PlannedSession,
    SessionInThePast,
    SessionTooFarAhead,
)
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import ActivityId, ScheduleId, SessionId
from nexus.domain.kernel.time import NonexistentLocalTime
from nexus.entrypoints.http.bounds import FromText, ToText, read_bounds
from nexus.entrypoints.http.etag import IfMatch
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.scalars import Int4
from nexus.entrypoints.http.tenants import venue_of
from nexus.entrypoints.http.unset import UNSET, Unset, given, if_said

_BY_START: Final = Keyset("sessions of a venue", datetime, UUID)
_NEWEST: Final = Keyset("schedules of a venue", datetime, UUID)
_MOST_DATES: Final = 366
_LONGEST_DAY: Final = 24 * 60

_START: Final = {"description": "On the venue's clock.", "examples": ["16:30"]}
_END: Final = {
    "description": "On the venue's clock; not after the start means the next day.",
    "examples": ["18:00"],
}
_BLOCK: Final = {"description": "The seats that the pass may sell; null: all of them."}
_DAYS: Final = {"description": "Monday is 1, Sunday 7.", "examples": [[2, 4]]}
_LAST: Final = {"description": "The last day; null: no end."}
_SKIPPED: Final = {"description": "Days on which it does not take place."}
_days: Final[tuple[Any, ...]] = (
    validators.min_len(1),
    validators.deep_iterable(validators.and_(validators.ge(1), validators.le(7))),
)

OnlyActivity = Annotated[UUID | None, QueryParameter(description="Only those of this activity.")]


@frozen(kw_only=True)
class SessionBody:
    """A session that is to take place; what is left out is as the activity says."""

    activity_id: ActivityId
    session_date: date
    start_time: time = field(metadata=_START)
    end_time: time = field(metadata=_END)
    credits_required: Int4 | None = field(
        default=None, validator=validators.optional([validators.ge(1), validators.le(HIGHEST_PRICE)])
    )
    total_capacity: Int4 | None = field(
        default=None, validator=validators.optional([validators.ge(1), validators.le(MOST_SEATS)])
    )
    platform_allocated_spots: Int4 | None = field(
        default=None,
        validator=validators.optional([validators.ge(0), validators.le(MOST_SEATS)]),
        metadata=_BLOCK,
    )
    instructor_name: str | None = field(default=None, validator=validators.optional(validators.max_len(255)))
    session_notes: str | None = field(default=None, validator=validators.optional(validators.max_len(2000)))
    location: str | None = field(
        default=None,
        validator=validators.optional(validators.max_len(255)),
        metadata={"examples": ["Room 2, upstairs"]},
    )


@frozen(kw_only=True)
class PlannedSessionView:
    """A session that was just planned: nobody is in it yet."""

    id: SessionId
    activity_id: ActivityId
    session_date: date
    start_time: time
    end_time: time
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    credits_required: int
    total_capacity: int
    platform_allocated_spots: int | None
    sellable: int
    opens_at: datetime | None
    releases_at: datetime | None
    instructor_name: str | None
    session_notes: str | None
    location: str | None
    version: int

    @classmethod
    def of(cls, session: PlannedSession) -> "PlannedSessionView":
        same = {a.name: getattr(session, a.name) for a in fields(cls) if hasattr(session, a.name)}
        return cls(**same, activity_id=session.activity, version=1)


@frozen(kw_only=True)
class ScheduleBody:
    """A new weekly schedule; length and seats are the activity's where none are given."""

    activity_id: ActivityId
    days_of_week: frozenset[int] = field(validator=_days, metadata=_DAYS)
    start_time: time = field(metadata=_START)
    effective_from: date = field(metadata={"description": "The first day."})
    effective_until: date | None = field(default=None, metadata=_LAST)
    duration_minutes: Int4 | None = field(
        default=None, validator=validators.optional([validators.ge(1), validators.le(_LONGEST_DAY)])
    )
    capacity: Int4 | None = field(
        default=None, validator=validators.optional([validators.ge(1), validators.le(MOST_SEATS)])
    )
    platform_allocated_spots: Int4 | None = field(
        default=None,
        validator=validators.optional([validators.ge(0), validators.le(MOST_SEATS)]),
        metadata=_BLOCK,
    )
    skipped_dates: frozenset[date] = field(
        default=frozenset(), validator=validators.max_len(_MOST_DATES), metadata=_SKIPPED
    )
    schedule_name: str | None = field(default=None, validator=validators.optional(validators.max_len(255)))


@frozen(kw_only=True)
class SchedulePatch:
    """What is to be different about a schedule; what is left out stays as it is."""

    days_of_week: frozenset[int] | Unset = field(default=UNSET, validator=if_said(*_days), metadata=_DAYS)
    start_time: time | Unset = field(default=UNSET, metadata=_START)
    effective_from: date | Unset = UNSET
    effective_until: date | Unset | None = field(default=UNSET, metadata=_LAST)
    duration_minutes: Int4 | Unset = field(
        default=UNSET, validator=if_said(validators.ge(1), validators.le(_LONGEST_DAY))
    )
    capacity: Int4 | Unset = field(
        default=UNSET, validator=if_said(validators.ge(1), validators.le(MOST_SEATS))
    )
    platform_allocated_spots: Int4 | Unset | None = field(
        default=UNSET,
        validator=if_said(validators.optional([validators.ge(0), validators.le(MOST_SEATS)])),
        metadata=_BLOCK,
    )
    skipped_dates: frozenset[date] | Unset = field(
        default=UNSET, validator=if_said(validators.max_len(_MOST_DATES)), metadata=_SKIPPED
    )
    schedule_name: str | Unset | None = field(
        default=UNSET, validator=if_said(validators.optional(validators.max_len(255)))
    )
    is_active: bool | Unset = field(
        default=UNSET, metadata={"description": "false: its coming sessions without anybody are removed."}
    )


@frozen(kw_only=True)
class ScheduleView:
    """A weekly schedule."""

    id: ScheduleId
    activity_id: ActivityId
    schedule_name: str | None
    days_of_week: list[int]
    start_time: time
    duration_minutes: int
    capacity: int
    platform_allocated_spots: int | None
    effective_from: date
    effective_until: date | None
    skipped_dates: list[date]
    is_active: bool
    generated_until: date | None = field(
        metadata={"description": "Its sessions exist up to, not including, this day."}
    )
    created_at: datetime
    version: int

    @classmethod
    def of(cls, schedule: Schedule) -> "ScheduleView":
        same = {a.name: getattr(schedule, a.name) for a in fields(cls) if hasattr(schedule, a.name)}
        for unordered in ("days_of_week", "skipped_dates"):
            same[unordered] = sorted(same[unordered])
        return cls(**same, activity_id=schedule.activity)


@frozen(kw_only=True)
class ScheduleOutcomeView:
    """A schedule as it is now, and what became of its coming sessions."""

    schedule: ScheduleView
    created: int = field(metadata={"description": "Sessions that were planned."})
    removed: int = field(metadata={"description": "Sessions without anybody that were removed."})
    kept: list[KeptSession] = field(
        metadata={"description": "Sessions with somebody in them, unchanged; each can be changed itself."}
    )
    skipped: list[SkippedDate] = field(metadata={"description": "Days without a session, with the reason."})
    version: int

    @classmethod
    def of(cls, outcome: ScheduleOutcome) -> "ScheduleOutcomeView":
        return cls(
            schedule=ScheduleView.of(outcome.schedule),
            created=outcome.created,
            removed=outcome.removed,
            kept=list(outcome.kept),
            skipped=list(outcome.skipped),
            version=outcome.schedule.version,
        )


class VenueSessionController(Controller):
    """The sessions of the venue that is asking."""

    path = "/api/v1/venue/sessions"
    opt = allow(Policy.VENUE, keys="sessions")
    tags = ("Venue",)

    @get("/", sync_to_thread=True)
    def browse(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        list_venue_sessions: NamedDependency[SkipValidation[ListVenueSessions]],
        starts_from: FromText = None,
        starts_until: ToText = None,
        activity_id: OnlyActivity = None,
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[VenueSessionView]:
        """List the venue's sessions by their start, with how many are in each."""
        first, last = read_bounds(starts_from, starts_until)
        rows = list_venue_sessions(
            venue=venue_of(actor),
            starts_from=first,
            starts_until=last,
            activity=None if activity_id is None else ActivityId(activity_id),
            after=_BY_START.after(cursor),
            limit=limit + 1,
        )
        return _BY_START.page(rows, limit, lambda row: row.key, lambda row: row)

    @post(
        "/",
        sync_to_thread=True,
        responses=problem_responses(
            NoSuchThing,
            ActivityInactive,
            SessionInThePast,
            SessionTooFarAhead,
            NonexistentLocalTime,
            AllocationAboveCapacity,
        ),
    )
    def plan(
        self,
        *,
        data: JSONBody[SessionBody],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        create_session: NamedDependency[SkipValidation[CreateSession]],
    ) -> Response[PlannedSessionView]:
        """Plan one session of an activity."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            201,
            lambda: PlannedSessionView.of(
                create_session(
                    data.activity_id,
                    venue=venue_of(actor),
                    day=data.session_date,
                    start=data.start_time,
                    end=data.end_time,
                    capacity=data.total_capacity,
                    allocated=data.platform_allocated_spots,
                    price=data.credits_required,
                    instructor_name=data.instructor_name,
                    session_notes=data.session_notes,
                    location=data.location,
                )
            ),
        )


class VenueScheduleController(Controller):
    """The weekly schedules of the venue that is asking."""

    path = "/api/v1/venue/schedules"
    opt = allow(Policy.VENUE, keys="sessions")
    tags = ("Venue",)

    @get("/", sync_to_thread=True)
    def browse(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        list_schedules: NamedDependency[SkipValidation[ListSchedules]],
        activity_id: OnlyActivity = None,
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[ScheduleView]:
        """List the venue's weekly schedules, the newest first."""
        rows = list_schedules(
            venue=venue_of(actor),
            activity=None if activity_id is None else ActivityId(activity_id),
            after=_NEWEST.after(cursor),
            limit=limit + 1,
        )
        return _NEWEST.page(rows, limit, lambda row: (row.created_at, row.id), ScheduleView.of)

    @post(
        "/",
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, AllocationAboveCapacity, InvalidValue),
    )
    def repeat(
        self,
        *,
        data: JSONBody[ScheduleBody],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        create_schedule: NamedDependency[SkipValidation[CreateSchedule]],
    ) -> Response[ScheduleOutcomeView]:
        """Repeat an activity every week; its sessions are planned up to the horizon at once."""
        said = asdict(data, recurse=False)
        activity = said.pop("activity_id")
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            201,
            lambda: ScheduleOutcomeView.of(create_schedule(activity, venue=venue_of(actor), **said)),
        )

    @patch(
        "/{schedule_id:uuid}",
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, AllocationAboveCapacity, InvalidValue),
    )
    def change(
        self,
        *,
        schedule_id: FromPath[ScheduleId],
        data: JSONBody[SchedulePatch],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        if_match: NamedDependency[SkipValidation[IfMatch]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        change_schedule: NamedDependency[SkipValidation[ChangeSchedule]],
    ) -> Response[ScheduleOutcomeView]:
        """
        Change a weekly schedule; its coming sessions in which there is nobody follow.

        Sessions with somebody in them stay as they are and are named in the answer.
        """
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: ScheduleOutcomeView.of(
                change_schedule(
                    schedule_id,
                    venue=venue_of(actor),
                    changes=given(**asdict(data, recurse=False)),
                    version=if_match.version,
                )
            ),
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [VenueSessionController, VenueScheduleController]
