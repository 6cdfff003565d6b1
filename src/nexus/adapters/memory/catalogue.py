"""Venues, activities, schedules and planned sessions in dictionaries."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from attrs import evolve

from nexus.adapters.memory.rows import SessionRow
from nexus.adapters.memory.world import World
from nexus.application.catalogue.ports import DueSchedule, Newest
from nexus.application.catalogue.views import KeptSession, VenueSessionView
from nexus.domain.catalogue.activities import Activity
from nexus.domain.catalogue.schedules import Schedule
from nexus.domain.catalogue.sessions import PlannedSession
from nexus.domain.catalogue.venues import Venue, VenueStatus
from nexus.domain.kernel.errors import NoSuchThing, VersionMismatch
from nexus.domain.kernel.ids import ActivityId, ScheduleId, VenueId
from nexus.domain.kernel.time import local_date


class _Listed(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def created_at(self) -> datetime: ...


L = TypeVar("L", bound=_Listed)
E = TypeVar("E", Venue, Activity, Schedule)


def _newest(rows: Iterable[L], after: Newest | None, limit: int) -> tuple[L, ...]:
    ordered = sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)
    return tuple(row for row in ordered if after is None or (row.created_at, row.id) < after)[:limit]


def _saved(table: dict[UUID, E], entity: E) -> E:
    now = table[entity.id].version
    if now != entity.version:
        raise VersionMismatch(entity.version, now)
    table[entity.id] = evolve(entity, version=now + 1)
    return table[entity.id]


class MemoryVenues:
    """The twin of the table ``venues``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, venue: Venue) -> None:
        self._world.venues[venue.id] = venue

    def get(self, venue_id: VenueId, *, lock: bool = False) -> Venue:
        del lock  # one unit of work at a time
        if venue_id not in self._world.venues:
            raise NoSuchThing("venue")
        return self._world.venues[venue_id]

    def save(self, venue: Venue) -> Venue:
        return _saved(self._world.venues, venue)

    def list(self, *, status: VenueStatus | None, after: Newest | None, limit: int) -> tuple[Venue, ...]:
        chosen = (v for v in self._world.venues.values() if status in (None, v.status))
        return _newest(chosen, after, limit)


class MemoryActivities:
    """The twin of the table ``activities``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, activity: Activity) -> None:
        self._world.activities[activity.id] = activity

    def get(self, activity_id: ActivityId, *, venue: VenueId, lock: bool = False) -> Activity:
        del lock  # one unit of work at a time
        found = self._world.activities.get(activity_id)
        if found is None or found.venue != venue:
            raise NoSuchThing("activity")
        return found

    def save(self, activity: Activity) -> Activity:
        return _saved(self._world.activities, activity)

    def list(self, *, venue: VenueId, after: Newest | None, limit: int) -> tuple[Activity, ...]:
        return _newest((a for a in self._world.activities.values() if a.venue == venue), after, limit)


class MemorySchedules:
    """The twin of the table ``activity_recurring_schedules``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, schedule: Schedule) -> None:
        self._world.schedules[schedule.id] = schedule

    def get(self, schedule_id: ScheduleId, *, venue: VenueId) -> Schedule:
        found = self._world.schedules.get(schedule_id)
        if found is None or found.venue != venue:
            raise NoSuchThing("schedule")
        return found

    def save(self, schedule: Schedule) -> Schedule:
        return _saved(self._world.schedules, schedule)

    def list(
        self, *, venue: VenueId, activity: ActivityId | None, after: Newest | None, limit: int
    ) -> tuple[Schedule, ...]:
        chosen = (
            s for s in self._world.schedules.values() if s.venue == venue and activity in (None, s.activity)
        )
        return _newest(chosen, after, limit)

    def take_due(self, *, at: datetime, horizon_days: int, limit: int) -> tuple[DueSchedule, ...]:
        due = [one for one in self._with_context() if _is_due(one, at=at, horizon_days=horizon_days)]
        due.sort(key=lambda one: (one.schedule.generated_until or date.min, one.schedule.id))
        return tuple(due[:limit])

    def generated(self, until: Sequence[tuple[ScheduleId, date]]) -> None:
        for id_, day in until:
            self._world.schedules[id_] = evolve(self._world.schedules[id_], generated_until=day)

    def _with_context(self) -> Iterable[DueSchedule]:
        for schedule in self._world.schedules.values():
            venue = self._world.venues[schedule.venue]
            yield DueSchedule(schedule, self._world.activities[schedule.activity], venue)


def _is_due(one: DueSchedule, *, at: datetime, horizon_days: int) -> bool:
    schedule = one.schedule
    until = local_date(at, one.venue.time_zone) + timedelta(days=horizon_days + 1)
    offered = schedule.is_active and one.activity.is_active and one.venue.status is not VenueStatus.REJECTED
    if not offered or schedule.effective_from >= until:
        return False
    done = schedule.generated_until
    return done is None or (done < until and done <= (schedule.effective_until or done))


class MemorySessions:
    """The twin of the table ``activity_sessions``, as venues plan it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, sessions: Sequence[PlannedSession]) -> int:
        slots = {(s.schedule, s.session_date, s.start_time) for s in self._world.sessions.values()}
        added = 0
        for session in sessions:
            slot = (session.schedule, session.session_date, session.start_time)
            if session.schedule is None or slot not in slots:
                self._world.sessions[session.id] = SessionRow.of(session)
                slots.add(slot)
                added += 1
        return added

    def clear(self, schedule: ScheduleId, *, at: datetime) -> int:
        gone = [
            s.id
            for s in self._world.sessions.values()
            if s.schedule == schedule and s.starts_at > at and s.status == "scheduled" and not s.is_taken
        ]
        for id_ in gone:
            del self._world.sessions[id_]
        return len(gone)

    def remaining(self, schedule: ScheduleId, *, first: date) -> tuple[tuple[KeptSession, bool], ...]:
        rows = [
            s for s in self._world.sessions.values() if s.schedule == schedule and s.session_date >= first
        ]
        return tuple(
            (
                KeptSession(
                    id=s.id,
                    session_date=s.session_date,
                    start_time=s.start_time,
                    starts_at=s.starts_at,
                    booked_count=s.booked_count,
                    held_count=s.held_count,
                    waiting_count=s.waiting_count,
                ),
                s.status == "scheduled",
            )
            for s in sorted(rows, key=lambda s: (s.starts_at, s.id))
        )

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
        chosen = [
            s
            for s in self._world.sessions.values()
            if s.venue == venue
            and (starts_from is None or s.starts_at >= starts_from)
            and (starts_until is None or s.starts_at < starts_until)
            and activity in (None, s.activity)
            and (after is None or (s.starts_at, s.id) > after)
        ]
        chosen.sort(key=lambda s: (s.starts_at, s.id))
        return tuple(self._view(s) for s in chosen[:limit])

    def _view(self, s: SessionRow) -> VenueSessionView:
        same: dict[str, Any] = {
            name: getattr(s, name)
            for name in (
                "id", "session_date", "start_time", "end_time", "time_zone", "starts_at", "ends_at",
                "credits_required", "total_capacity", "platform_allocated_spots", "booked_count",
                "held_count", "waiting_count", "opens_at", "releases_at", "released_at", "status",
                "status_reason", "instructor_name", "session_notes", "location", "version",
            )
        }  # fmt: skip
        return VenueSessionView(
            activity_id=s.activity,
            activity_name=self._world.activities[s.activity].name,
            schedule_id=s.schedule,
            sellable=s.seats,
            **same,
        )
