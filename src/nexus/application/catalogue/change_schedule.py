"""Change a weekly schedule."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve, frozen

from nexus.application.catalogue.changes import changed
from nexus.application.catalogue.ports import PlanWork
from nexus.application.catalogue.rolling import horizon, plan_up_to
from nexus.application.catalogue.views import ScheduleOutcome
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.compliance.audit import Action, Deed, differences
from nexus.domain.kernel.ids import ScheduleId, VenueId
from nexus.domain.kernel.time import local_date

CHANGEABLE: Final = frozenset(
    {
        "schedule_name",
        "days_of_week",
        "start_time",
        "duration_minutes",
        "capacity",
        "platform_allocated_spots",
        "effective_from",
        "effective_until",
        "skipped_dates",
        "is_active",
    }
)


@frozen
class ChangeSchedule:
    """
    Change a schedule; its coming sessions in which there is nobody follow.

    Sessions with bookings, held seats or a queue stay as they are and are
    reported: each of them needs a change of its own. No date gets a second
    session beside one that stays, or that the venue has cancelled.
    """

    begin: Begin[PlanWork]
    now: Clock
    new_id: NewId

    def __call__(
        self,
        schedule_id: ScheduleId,
        *,
        venue: VenueId,
        changes: Mapping[str, Any],
        version: int | None = None,
    ) -> ScheduleOutcome:
        at = self.now()
        with self.begin() as work:
            before = work.schedules.get(schedule_id, venue=venue)
            after = changed(before, changes, allowed=CHANGEABLE, version=version)
            old, new = differences(before, after)
            work.audit.add(Deed(Action.SCHEDULE_CHANGED, schedule_id, old=old, new=new))
            if after == before:
                return ScheduleOutcome(schedule=before)
            if evolve(after, schedule_name=before.schedule_name) == before:
                return ScheduleOutcome(schedule=work.schedules.save(after))
            place = work.venues.get(venue)
            today = local_date(at, place.time_zone)
            until = horizon(place, at=at, days=work.settings.at(at).generation_horizon_days)
            removed = work.sessions.clear(schedule_id, at=at)
            remaining = work.sessions.remaining(schedule_id, first=today)
            plan = plan_up_to(
                until,
                after,
                work.activities.get(after.activity, venue=venue),
                place,
                first=today,
                at=at,
                new_id=self.new_id,
                taken=frozenset(session.session_date for session, _ in remaining),
            )
            created = work.sessions.add(plan.sessions)
            return ScheduleOutcome(
                schedule=work.schedules.save(evolve(after, generated_until=until)),
                created=created,
                removed=removed,
                kept=tuple(session for session, happens in remaining if happens and session.starts_at > at),
                skipped=plan.skipped,
            )
