"""Weekly schedules: the rule, the dates it means, and the sessions planned for them."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time
from enum import StrEnum

from attrs import field, frozen

from nexus.domain.catalogue.activities import MOST_SEATS, Activity
from nexus.domain.catalogue.sessions import (
    AllocationAboveCapacity,
    PlannedSession,
    SessionInThePast,
    plan_session,
)
from nexus.domain.catalogue.values import between, dates, text, wall_clock
from nexus.domain.catalogue.venues import Venue
from nexus.domain.kernel.errors import InvalidValue
from nexus.domain.kernel.ids import ActivityId, ScheduleId, SessionId, VenueId
from nexus.domain.kernel.time import NonexistentLocalTime, days


class SkipReason(StrEnum):
    """Why a date of a schedule has no session."""

    EXCEPTION = "exception"
    VENUE_CLOSED = "venue_closed"
    CLOCKS_SKIP_IT = "clocks_skip_it"


@frozen
class SkippedDate:
    """A date on which the rule would have had a session."""

    day: date
    reason: SkipReason


def _weekdays(values: Iterable[int]) -> frozenset[int]:
    return frozenset(values)


@frozen(kw_only=True)
class Schedule:
    """
    Every week on the same days at the same local time.

    ``days_of_week`` are ISO numbers (Monday is 1); both effective dates belong to
    it. Its sessions exist up to, not including, ``generated_until``.
    """

    id: ScheduleId
    activity: ActivityId
    venue: VenueId
    schedule_name: str | None = field(default=None, validator=text(most=255))
    days_of_week: frozenset[int] = field(converter=_weekdays)
    start_time: time = field(validator=wall_clock)
    duration_minutes: int = field(validator=between(1, 24 * 60))
    capacity: int = field(validator=between(1, MOST_SEATS))
    platform_allocated_spots: int | None = field(default=None, validator=between(0, MOST_SEATS))
    effective_from: date
    effective_until: date | None = None
    skipped_dates: frozenset[date] = field(default=frozenset(), converter=dates)
    is_active: bool = True
    generated_until: date | None = None
    external_ref: str | None = None
    created_at: datetime
    version: int = 1

    def __attrs_post_init__(self) -> None:
        if not self.days_of_week or not self.days_of_week <= set(range(1, 8)):
            raise InvalidValue("days_of_week", "must name one to seven days, Monday being 1")
        if self.effective_until is not None and self.effective_until < self.effective_from:
            raise InvalidValue("effective_until", "must not be before effective_from")
        if (self.platform_allocated_spots or 0) > self.capacity:
            raise AllocationAboveCapacity(self.platform_allocated_spots or 0, self.capacity)

    @property
    def end_time(self) -> time:
        """What a local clock shows at the end; not after the start means the next day."""
        minutes = self.start_time.hour * 60 + self.start_time.minute + self.duration_minutes
        return self.start_time.replace(hour=minutes // 60 % 24, minute=minutes % 60)

    def dates(self, first: date, until: date) -> Iterator[date]:
        """Every date of the rule from *first* up to, not including, *until*; exceptions included."""
        last = self.effective_until or date.max
        return (
            day
            for day in days(max(first, self.effective_from), until)
            if day.isoweekday() in self.days_of_week and day <= last
        )


@frozen
class Plan:
    """The sessions of some weeks, and the dates that have none with the reason."""

    sessions: tuple[PlannedSession, ...] = ()
    skipped: tuple[SkippedDate, ...] = ()


def plan_schedule(
    schedule: Schedule,
    activity: Activity,
    venue: Venue,
    *,
    first: date,
    until: date,
    at: datetime,
    new_session: Callable[[], SessionId],
    taken: frozenset[date] = frozenset(),
) -> Plan:
    """
    Plan what the schedule means from *first* up to, not including, *until*.

    Dates in *taken* keep the session that they have. Holidays and exceptions have
    none, nor has a date on which the clocks skip the start or the end; what would
    have started by *at* is left out without a word.
    """
    sessions: list[PlannedSession] = []
    skipped: list[SkippedDate] = []
    for day in schedule.dates(first, until):
        if day in taken:
            continue
        if day in schedule.skipped_dates:
            skipped.append(SkippedDate(day, SkipReason.EXCEPTION))
        elif day in venue.closed_dates:
            skipped.append(SkippedDate(day, SkipReason.VENUE_CLOSED))
        else:
            try:
                session = plan_session(
                    activity,
                    venue,
                    id=new_session(),
                    schedule=schedule.id,
                    day=day,
                    start=schedule.start_time,
                    end=schedule.end_time,
                    capacity=schedule.capacity,
                    allocated=schedule.platform_allocated_spots,
                    at=at,
                )
            except NonexistentLocalTime:
                skipped.append(SkippedDate(day, SkipReason.CLOCKS_SKIP_IT))
            except SessionInThePast:
                continue
            else:
                sessions.append(session)
    return Plan(tuple(sessions), tuple(skipped))
