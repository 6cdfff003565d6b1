"""How far ahead sessions are planned."""

from datetime import date, datetime, timedelta

from nexus.application.kernel.ports import NewId
from nexus.domain.catalogue.activities import Activity
from nexus.domain.catalogue.schedules import Plan, Schedule, plan_schedule
from nexus.domain.catalogue.venues import Venue
from nexus.domain.kernel.ids import SessionId
from nexus.domain.kernel.time import local_date


def horizon(venue: Venue, *, at: datetime, days: int) -> date:
    """The first local date that is not planned yet: *days* whole days lie before it and after today."""
    return local_date(at, venue.time_zone) + timedelta(days=days + 1)


def plan_up_to(
    until: date,
    schedule: Schedule,
    activity: Activity,
    venue: Venue,
    *,
    first: date,
    at: datetime,
    new_id: NewId,
    taken: frozenset[date] = frozenset(),
) -> Plan:
    """The plan of an active schedule; an inactive one, or one of an inactive activity, has none."""
    if not (schedule.is_active and activity.is_active):
        return Plan()
    return plan_schedule(
        schedule,
        activity,
        venue,
        first=first,
        until=until,
        at=at,
        new_session=lambda: SessionId(new_id()),
        taken=taken,
    )
