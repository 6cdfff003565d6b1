"""The catalogue as people read it."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from attrs import frozen

from nexus.domain.catalogue.activities import Activity, Category, Tag
from nexus.domain.catalogue.places import Place
from nexus.domain.catalogue.schedules import Schedule, SkippedDate
from nexus.domain.kernel.ids import ActivityId, ScheduleId, SessionId, VenueId
from nexus.domain.kernel.time import TimeOfDay


@frozen(kw_only=True)
class VenueSummary:
    """A venue, as a family needs it beside an activity."""

    id: VenueId
    name: str
    place: Place
    is_premium: bool
    requires_confirmation: bool


@frozen(kw_only=True)
class NextSession:
    """The first coming session that meets the search; ``free_seats`` can be booked now."""

    id: SessionId
    session_date: date
    start_time: time
    end_time: time
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    credits_required: int
    free_seats: int


@frozen(kw_only=True)
class ActivityCard:
    """One result of browsing; ``sort_key`` and ``id`` say where the next page begins."""

    id: ActivityId
    name: str
    category: Category
    short_description: str | None
    min_age: int
    max_age: int
    duration_minutes: int
    tags: tuple[Tag, ...]
    average_rating: float
    total_reviews: int
    venue: VenueSummary
    distance_km: float | None
    drive_minutes: int | None = None
    next_session: NextSession
    sort_key: Any

    @property
    def key(self) -> tuple[Any, UUID]:
        return self.sort_key, self.id


@frozen(kw_only=True)
class ActivityDetail:
    """An activity that families may see, with where it is."""

    activity: Activity
    venue: VenueSummary


@frozen(kw_only=True)
class SessionView:
    """
    A session, as families see it.

    ``free_seats`` can be booked now: none before ``opens_at``, from
    ``releases_at`` until the release has been carried out, and while others wait.
    """

    id: SessionId
    activity_id: ActivityId
    activity_name: str
    category: Category
    min_age: int
    max_age: int
    venue: VenueSummary
    session_date: date
    start_time: time
    end_time: time
    time_zone: str
    time_of_day: TimeOfDay
    starts_at: datetime
    ends_at: datetime
    credits_required: int
    status: str
    status_reason: str | None
    free_seats: int
    waiting_count: int
    opens_at: datetime | None
    releases_at: datetime | None
    released_at: datetime | None
    instructor_name: str | None
    location: str | None

    @property
    def key(self) -> tuple[datetime, UUID]:
        return self.starts_at, self.id


@frozen(kw_only=True)
class VenueSessionView:
    """A session, as its venue sees it."""

    id: SessionId
    activity_id: ActivityId
    activity_name: str
    schedule_id: ScheduleId | None
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
    booked_count: int
    held_count: int
    waiting_count: int
    opens_at: datetime | None
    releases_at: datetime | None
    released_at: datetime | None
    status: str
    status_reason: str | None
    instructor_name: str | None
    session_notes: str | None
    location: str | None
    version: int

    @property
    def key(self) -> tuple[datetime, UUID]:
        return self.starts_at, self.id


@frozen(kw_only=True)
class KeptSession:
    """A coming session that a change of its schedule left alone, because people are in it."""

    id: SessionId
    session_date: date
    start_time: time
    starts_at: datetime
    booked_count: int
    held_count: int
    waiting_count: int


@frozen(kw_only=True)
class ScheduleOutcome:
    """A schedule as it is now, and what that did to its coming sessions."""

    schedule: Schedule
    created: int = 0
    removed: int = 0
    kept: tuple[KeptSession, ...] = ()
    skipped: tuple[SkippedDate, ...] = ()


@frozen(kw_only=True)
class Generation:
    """What one run of generating sessions did."""

    schedules: int = 0
    sessions: int = 0
    skipped: tuple[tuple[ScheduleId, SkippedDate], ...] = ()
