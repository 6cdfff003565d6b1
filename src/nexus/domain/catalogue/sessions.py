"""A session as its venue plans it: a local date and two local times, and the instants they mean."""

from datetime import date, datetime, time, timedelta
from typing import Final

from attrs import field, frozen

from nexus.domain.catalogue.activities import HIGHEST_PRICE, MOST_SEATS, Activity
from nexus.domain.catalogue.values import between, text, wall_clock
from nexus.domain.catalogue.venues import Venue
from nexus.domain.kernel.errors import Conflict, Invalid
from nexus.domain.kernel.ids import ActivityId, ScheduleId, SessionId, VenueId
from nexus.domain.kernel.time import TimeOfDay, instant

FARTHEST: Final = timedelta(days=2 * 366)
"""Nobody plans a session further ahead than that."""


@frozen
class AllocationAboveCapacity(Invalid):
    """More seats would be allocated to the pass than there are."""

    allocated: int
    capacity: int


@frozen
class SessionInThePast(Conflict):
    """A session can only be planned for the future."""

    starts_at: datetime


@frozen
class SessionTooFarAhead(Invalid):
    """A session cannot be planned that far ahead."""

    session_date: date
    latest: date


@frozen
class ActivityInactive(Conflict):
    """The activity is not offered any more."""


@frozen
class SaleWindow:
    """
    When seats of a session are the pass's to sell.

    From ``opens_at`` (``None``: at once) up to, not including, ``releases_at``,
    when what is unsold returns to the venue (``None``: never).
    """

    opens_at: datetime | None
    releases_at: datetime | None


def sale_window(
    starts_at: datetime, *, published_at: datetime, is_block: bool, advance_days: int, release_hours: int
) -> SaleWindow:
    """
    The window that a venue's terms give a session.

    Only a block of seats is held in advance; a venue that gives all seats sells
    from the day it publishes them. A session that is published when its seats
    would have returned already is not released: the venue has just offered them.
    Days and hours are elapsed time: a day is 24 hours, whatever the clocks do.
    """
    opens_at = starts_at - timedelta(days=advance_days) if is_block else None
    releases_at = starts_at - timedelta(hours=release_hours)
    return SaleWindow(opens_at, releases_at if published_at < releases_at else None)


def session_times(day: date, start: time, end: time, time_zone: str) -> tuple[datetime, datetime]:
    """
    The instants of a session's local start and end.

    An end that is not after the start is on the next day.

    Raises:
        NonexistentLocalTime: The clocks skip one of them on that day.
    """
    start, end = start.replace(tzinfo=None), end.replace(tzinfo=None)
    end_day = day if end > start else day + timedelta(days=1)
    return instant(day, start, time_zone), instant(end_day, end, time_zone)


@frozen(kw_only=True)
class PlannedSession:
    """
    One date of an activity.

    ``platform_allocated_spots`` is the block that the pass may sell; ``None``
    means every seat.
    """

    id: SessionId
    activity: ActivityId
    venue: VenueId
    schedule: ScheduleId | None = None
    session_date: date
    start_time: time = field(validator=wall_clock)
    end_time: time = field(validator=wall_clock)
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    credits_required: int = field(validator=between(1, HIGHEST_PRICE))
    total_capacity: int = field(validator=between(1, MOST_SEATS))
    platform_allocated_spots: int | None = field(default=None, validator=between(0, MOST_SEATS))
    opens_at: datetime | None = None
    releases_at: datetime | None = None
    instructor_name: str | None = field(default=None, validator=text(most=255))
    session_notes: str | None = field(default=None, validator=text(most=2000))
    location: str | None = field(default=None, validator=text(most=255))
    external_ref: str | None = None
    created_at: datetime

    def __attrs_post_init__(self) -> None:
        if (self.platform_allocated_spots or 0) > self.total_capacity:
            raise AllocationAboveCapacity(self.platform_allocated_spots or 0, self.total_capacity)

    @property
    def time_of_day(self) -> TimeOfDay:
        return TimeOfDay.of(self.start_time)

    @property
    def sellable(self) -> int:
        """How many seats the pass may sell."""
        if self.platform_allocated_spots is None:
            return self.total_capacity
        return self.platform_allocated_spots


def plan_session(
    activity: Activity,
    venue: Venue,
    *,
    id: SessionId,  # noqa: A002 - the entity's own name for it
    day: date,
    start: time,
    end: time,
    at: datetime,
    schedule: ScheduleId | None = None,
    capacity: int | None = None,
    allocated: int | None = None,
    price: int | None = None,
    instructor_name: str | None = None,
    session_notes: str | None = None,
    location: str | None = None,
    external_ref: str | None = None,
) -> PlannedSession:
    """
    Plan a session; capacity and price are the activity's where none is given.

    Raises:
        NonexistentLocalTime: The clocks skip its start or end on that day.
        SessionInThePast: It would have started already.
        SessionTooFarAhead: Only the next two years can be planned.
        ActivityInactive: The activity is not offered any more.
    """
    if not activity.is_active:
        raise ActivityInactive
    if day > (latest := at.date() + FARTHEST):
        raise SessionTooFarAhead(day, latest)
    starts_at, ends_at = session_times(day, start, end, venue.time_zone)
    if starts_at <= at:
        raise SessionInThePast(starts_at)
    window = sale_window(
        starts_at,
        published_at=at,
        is_block=allocated is not None,
        advance_days=venue.block_booking_advance_days,
        release_hours=venue.inventory_release_hours,
    )
    return PlannedSession(
        id=id,
        activity=activity.id,
        venue=venue.id,
        schedule=schedule,
        session_date=day,
        start_time=start,
        end_time=end,
        time_zone=venue.time_zone,
        starts_at=starts_at,
        ends_at=ends_at,
        credits_required=activity.credits_required if price is None else price,
        total_capacity=activity.capacity_per_session if capacity is None else capacity,
        platform_allocated_spots=allocated,
        opens_at=window.opens_at,
        releases_at=window.releases_at,
        instructor_name=instructor_name,
        session_notes=session_notes,
        location=location,
        external_ref=external_ref,
        created_at=at,
    )
