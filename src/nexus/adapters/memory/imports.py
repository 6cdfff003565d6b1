"""Imported catalogues, in memory."""

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve

from nexus.adapters.memory.rows import SessionRow
from nexus.adapters.memory.world import World
from nexus.application.catalogue.import_ports import Entry, KnownProgramme, KnownVenue
from nexus.domain.catalogue.activities import Activity
from nexus.domain.catalogue.schedules import Schedule
from nexus.domain.catalogue.venues import Venue
from nexus.domain.kernel.ids import ActivityId


class MemoryImports:
    """The twin of ``PostgresImports``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def lock(self, source: str) -> None:
        """There is one unit of work at a time anyway."""

    def venues(self, refs: Sequence[str]) -> tuple[KnownVenue, ...]:
        return tuple(
            KnownVenue(v.id, v.external_ref, v.block_booking_advance_days, v.inventory_release_hours)
            for v in self._world.venues.values()
            if v.external_ref is not None and v.external_ref in refs
        )

    def programmes(self, refs: Sequence[str]) -> tuple[KnownProgramme, ...]:
        found = ((ref, self._world.imported.get(ref)) for ref in dict.fromkeys(refs))
        return tuple(
            KnownProgramme(id_, ref, self._world.activities[id_].venue, fingerprint)
            for ref, (id_, fingerprint) in ((ref, mark) for ref, mark in found if mark)
            if self._world.activities[id_].external_ref is not None
        )

    def clear(self, activities: Sequence[ActivityId], *, at: datetime) -> None:
        imported = {s.id for s in self._world.schedules.values() if s.external_ref is not None}
        for session in list(self._world.sessions.values()):
            ours = session.external_ref is not None or session.schedule in imported
            if session.activity in activities and session.starts_at > at and ours and not session.is_taken:
                del self._world.sessions[session.id]
        for schedule in list(self._world.schedules.values()):
            if schedule.activity in activities and schedule.id in imported and schedule.is_active:
                stopped = evolve(schedule, is_active=False, version=schedule.version + 1)
                self._world.schedules[schedule.id] = stopped

    def retire(self, activities: Sequence[ActivityId]) -> None:
        world = self._world
        for id_ in activities:
            before = world.activities[id_]
            gone = evolve(before, is_active=False, external_ref=None, version=before.version + 1)
            world.activities[id_] = gone
            world.schedules |= {
                s.id: evolve(s, external_ref=None) for s in world.schedules.values() if s.activity == id_
            }
            world.sessions |= {
                s.id: evolve(s, external_ref=None) for s in world.sessions.values() if s.activity == id_
            }

    def put(self, venues: Sequence[Venue], entries: Sequence[Entry], *, at: datetime) -> None:
        del at
        known = {v.external_ref for v in self._world.venues.values()}
        self._world.venues |= {v.id: v for v in venues if v.external_ref not in known}
        activities = {a.external_ref: a for a in self._world.activities.values() if a.external_ref}
        schedules = {s.external_ref: s for s in self._world.schedules.values() if s.external_ref}
        sessions = {s.external_ref for s in self._world.sessions.values() if s.external_ref}
        for entry in entries:
            self._put_activity(entry.activity, activities.get(entry.activity.external_ref or ""))
            self._world.imported[entry.activity.external_ref or ""] = (entry.activity.id, entry.fingerprint)
            if entry.schedule is not None:
                self._put_schedule(entry.schedule, schedules.get(entry.schedule.external_ref or ""))
            if entry.session is not None and entry.session.external_ref not in sessions:
                self._world.sessions[entry.session.id] = SessionRow.of(entry.session)

    def _put_activity(self, activity: Activity, before: Activity | None) -> None:
        if before is not None:
            activity = evolve(
                before,
                name=activity.name,
                category=activity.category,
                short_description=activity.short_description,
                full_description=activity.full_description,
                min_age=activity.min_age,
                max_age=activity.max_age,
                duration_minutes=activity.duration_minutes,
                credits_required=activity.credits_required,
                capacity_per_session=activity.capacity_per_session,
                version=before.version + 1,
            )
        self._world.activities[activity.id] = activity

    def _put_schedule(self, schedule: Schedule, before: Schedule | None) -> None:
        if before is not None:
            allocated = before.platform_allocated_spots
            schedule = evolve(
                before,
                days_of_week=schedule.days_of_week,
                start_time=schedule.start_time,
                duration_minutes=schedule.duration_minutes,
                capacity=schedule.capacity,
                platform_allocated_spots=None if allocated is None else min(allocated, schedule.capacity),
                effective_from=schedule.effective_from,
                effective_until=schedule.effective_until,
                is_active=True,
                generated_until=None,
                version=before.version + 1,
            )
        self._world.schedules[schedule.id] = schedule
