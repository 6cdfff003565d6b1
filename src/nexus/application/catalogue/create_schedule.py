"""Repeat an activity every week."""

from collections.abc import Iterable
from datetime import date, time

from attrs import evolve, frozen

from nexus.application.catalogue.ports import PlanWork
from nexus.application.catalogue.rolling import horizon, plan_up_to
from nexus.application.catalogue.views import ScheduleOutcome
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.catalogue.schedules import Schedule
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.ids import ActivityId, ScheduleId, VenueId
from nexus.domain.kernel.time import local_date


@frozen
class CreateSchedule:
    """Add a weekly schedule and plan its sessions up to the horizon at once."""

    begin: Begin[PlanWork]
    now: Clock
    new_id: NewId

    def __call__(
        self,
        activity_id: ActivityId,
        *,
        venue: VenueId,
        days_of_week: Iterable[int],
        start_time: time,
        effective_from: date,
        effective_until: date | None = None,
        duration_minutes: int | None = None,
        capacity: int | None = None,
        platform_allocated_spots: int | None = None,
        skipped_dates: Iterable[date] = (),
        schedule_name: str | None = None,
        external_ref: str | None = None,
    ) -> ScheduleOutcome:
        at = self.now()
        with self.begin() as work:
            activity = work.activities.get(activity_id, venue=venue)
            place = work.venues.get(venue)
            until = horizon(place, at=at, days=work.settings.at(at).generation_horizon_days)
            schedule = Schedule(
                id=ScheduleId(self.new_id()),
                activity=activity.id,
                venue=venue,
                schedule_name=schedule_name,
                days_of_week=days_of_week,
                start_time=start_time,
                duration_minutes=activity.duration_minutes if duration_minutes is None else duration_minutes,
                capacity=activity.capacity_per_session if capacity is None else capacity,
                platform_allocated_spots=platform_allocated_spots,
                effective_from=effective_from,
                effective_until=effective_until,
                skipped_dates=skipped_dates,
                external_ref=external_ref,
                created_at=at,
            )
            plan = plan_up_to(
                until,
                schedule,
                activity,
                place,
                first=local_date(at, place.time_zone),
                at=at,
                new_id=self.new_id,
            )
            schedule = evolve(schedule, generated_until=until)
            work.schedules.add(schedule)
            created = work.sessions.add(plan.sessions)
            new = {"activity": activity_id, "days_of_week": schedule.days_of_week, "start_time": start_time}
            work.audit.add(Deed(Action.SCHEDULE_CREATED, schedule.id, new=new, venue=venue))
        return ScheduleOutcome(schedule=schedule, created=created, skipped=plan.skipped)
