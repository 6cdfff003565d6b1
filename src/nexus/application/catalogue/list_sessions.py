"""Look through a venue's own sessions."""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import frozen

from nexus.application.catalogue.ports import PlanWork
from nexus.application.catalogue.views import VenueSessionView
from nexus.application.kernel.ports import Begin
from nexus.domain.kernel.ids import ActivityId, VenueId
from nexus.domain.kernel.time import start_of_day

_FIRST: Final = date(1900, 1, 1)
_LAST: Final = date(9000, 1, 1)
"""No session is on a date outside; at the calendar's own ends a day has no beginning in UTC."""


@frozen
class ListVenueSessions:
    """
    A venue's sessions with who is in them, in numbers; by start, key ``(starts_at, id)``.

    Bounds that are dates mean the venue's local days, both included; bounds that
    are instants mean the start, the later one excluded.
    """

    begin: Begin[PlanWork]

    def __call__(
        self,
        *,
        venue: VenueId,
        starts_from: date | datetime | None = None,
        starts_until: date | datetime | None = None,
        activity: ActivityId | None = None,
        after: tuple[datetime, UUID] | None = None,
        limit: int = 20,
    ) -> tuple[VenueSessionView, ...]:
        with self.begin() as work:
            time_zone = work.venues.get(venue).time_zone
            return work.sessions.list(
                venue=venue,
                starts_from=_bound(starts_from, time_zone, days=0),
                starts_until=_bound(starts_until, time_zone, days=1),
                activity=activity,
                after=after,
                limit=limit,
            )


def _bound(stated: date | datetime | None, time_zone: str, *, days: int) -> datetime | None:
    """The instant that a bound means: of a date, where the local day so many days later begins."""
    if stated is None or isinstance(stated, datetime):
        return stated
    return start_of_day(min(max(stated, _FIRST), _LAST) + timedelta(days=days), time_zone)
