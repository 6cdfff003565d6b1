"""Look through a venue's weekly schedules."""

from attrs import frozen

from nexus.application.catalogue.ports import Newest, PlanWork
from nexus.application.kernel.ports import Begin
from nexus.domain.catalogue.schedules import Schedule
from nexus.domain.kernel.ids import ActivityId, VenueId


@frozen
class ListSchedules:
    """A venue's schedules, of one activity if asked; newest first, key ``(created_at, id)``."""

    begin: Begin[PlanWork]

    def __call__(
        self,
        *,
        venue: VenueId,
        activity: ActivityId | None = None,
        after: Newest | None = None,
        limit: int = 20,
    ) -> tuple[Schedule, ...]:
        with self.begin() as work:
            return work.schedules.list(venue=venue, activity=activity, after=after, limit=limit)
