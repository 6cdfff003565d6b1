"""What the catalogue asks of a store."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from attrs import frozen

from nexus.application.catalogue.search import After, ChildInBrowse, Search
from nexus.application.catalogue.views import (
    ActivityCard,
    ActivityDetail,
    KeptSession,
    SessionView,
    VenueSessionView,
)
from nexus.application.kernel.audit import AuditWork
from nexus.domain.catalogue.activities import Activity
from nexus.domain.catalogue.schedules import Schedule
from nexus.domain.catalogue.sessions import PlannedSession
from nexus.domain.catalogue.venues import Venue, VenueStatus
from nexus.domain.kernel.ids import ActivityId, ChildId, ScheduleId, SessionId, UserId, VenueId
from nexus.domain.platform.settings import PlatformSettings

Newest = tuple[datetime, UUID]
"""When the last row seen was created, and its id: lists of one's own begin with the newest."""


@frozen
class DueSchedule:
    """A schedule whose coming sessions do not reach the horizon yet, with what planning needs."""

    schedule: Schedule
    activity: Activity
    venue: Venue


class Venues(Protocol):
    """All partner venues."""

    def add(self, venue: Venue) -> None: ...

    def get(self, venue_id: VenueId, *, lock: bool = False) -> Venue:
        """
        The venue; with *lock* nobody else changes it until the unit of work ends.

        Raises:
            NoSuchThing: There is none.
        """
        ...

    def save(self, venue: Venue) -> Venue:
        """
        Store what changed; returns it with its next version.

        Raises:
            VersionMismatch: It is not at the version it was read at.
        """
        ...

    def list(self, *, status: VenueStatus | None, after: Newest | None, limit: int) -> tuple[Venue, ...]:
        """Newest first."""
        ...


class Activities(Protocol):
    """What venues offer; each method sees one venue's own."""

    def add(self, activity: Activity) -> None: ...

    def get(self, activity_id: ActivityId, *, venue: VenueId, lock: bool = False) -> Activity:
        """
        The activity; with *lock* nobody else changes it until the unit of work ends.

        Raises:
            NoSuchThing: The venue has no such activity.
        """
        ...

    def save(self, activity: Activity) -> Activity:
        """
        Store what changed; returns it with its next version.

        Raises:
            VersionMismatch: It is not at the version it was read at.
        """
        ...

    def list(self, *, venue: VenueId, after: Newest | None, limit: int) -> tuple[Activity, ...]:
        """Newest first."""
        ...


class Schedules(Protocol):
    """Weekly schedules."""

    def add(self, schedule: Schedule) -> None: ...

    def get(self, schedule_id: ScheduleId, *, venue: VenueId) -> Schedule:
        """
        The schedule, locked until the unit of work ends.

        Raises:
            NoSuchThing: The venue has no such schedule.
        """
        ...

    def save(self, schedule: Schedule) -> Schedule:
        """
        Store what changed; returns it with its next version.

        Raises:
            VersionMismatch: It is not at the version it was read at.
        """
        ...

    def list(
        self, *, venue: VenueId, activity: ActivityId | None, after: Newest | None, limit: int
    ) -> tuple[Schedule, ...]:
        """Newest first."""
        ...

    def take_due(self, *, at: datetime, horizon_days: int, limit: int) -> tuple[DueSchedule, ...]:
        """
        Some active schedules that are not generated up to the horizon, locked.

        Whatever another unit of work has locked is left to it.
        """
        ...

    def generated(self, until: Sequence[tuple[ScheduleId, date]]) -> None:
        """Note how far each one's sessions exist; neither versions nor anything else change."""
        ...


class Sessions(Protocol):
    """Sessions, as venues plan them."""

    def add(self, sessions: Sequence[PlannedSession]) -> int:
        """
        Store those whose schedule has none on that date at that time; returns how many.

        All of them at once; safe to repeat and to run concurrently.
        """
        ...

    def clear(self, schedule: ScheduleId, *, at: datetime) -> int:
        """
        Remove the schedule's sessions after *at* in which there is nobody; returns how many.

        One that somebody had booked and given up stays for history, cancelled and
        no longer the schedule's.
        """
        ...

    def remaining(self, schedule: ScheduleId, *, first: date) -> tuple[tuple[KeptSession, bool], ...]:
        """The schedule's sessions from that local date on; true for those still going to happen."""
        ...

    def list(
        self,
        *,
        venue: VenueId,
        starts_from: datetime | None,
        starts_until: datetime | None,
        activity: ActivityId | None,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> tuple[VenueSessionView, ...]:
        """The venue's own, by start; the later bound is excluded."""
        ...


class Browsing(Protocol):
    """What families may see: published activities of active, insured venues."""

    def child(self, child: ChildId, *, parent: UserId) -> ChildInBrowse:
        """
        What decides which activities suit a child.

        Raises:
            NoSuchThing: It is not this parent's own.
        """
        ...

    def browse(
        self,
        search: Search,
        *,
        child: ChildInBrowse | None,
        at: datetime,
        last_offer_minutes: int,
        after: After | None,
        limit: int,
    ) -> tuple[ActivityCard, ...]:
        """The activities with a coming session that meets the search."""
        ...

    def activity(self, activity: ActivityId, *, at: datetime) -> ActivityDetail:
        """
        An activity that families may see.

        Raises:
            NoSuchThing: Families see no such activity.
        """
        ...

    def sessions(
        self,
        activity: ActivityId,
        *,
        at: datetime,
        last_offer_minutes: int,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> tuple[SessionView, ...]:
        """The coming sessions of an activity that families see, by start."""
        ...

    def session(self, session: SessionId, *, at: datetime, last_offer_minutes: int) -> SessionView:
        """
        A session of such an activity, whatever became of it.

        Raises:
            NoSuchThing: Families see no such session.
        """
        ...


class SettingsAt(Protocol):
    """The platform's settings."""

    def at(self, instant: datetime) -> PlatformSettings:
        """The values in force at that instant."""
        ...


class VenueWork(AuditWork, Protocol):
    """What admitting venues needs."""

    @property
    def venues(self) -> Venues: ...


class PlanWork(VenueWork, Protocol):
    """What planning activities and sessions needs."""

    @property
    def activities(self) -> Activities: ...
    @property
    def schedules(self) -> Schedules: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def settings(self) -> SettingsAt: ...


class BrowseWork(Protocol):
    """What finding something needs."""

    @property
    def browsing(self) -> Browsing: ...
    @property
    def settings(self) -> SettingsAt: ...
