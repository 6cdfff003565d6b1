"""Look through a venue's own activities."""

from attrs import frozen

from nexus.application.catalogue.ports import Newest, PlanWork
from nexus.application.kernel.ports import Begin
from nexus.domain.catalogue.activities import Activity
from nexus.domain.kernel.ids import VenueId


@frozen
class ListActivities:
    """All of a venue's activities, hidden ones too; newest first, key ``(created_at, id)``."""

    begin: Begin[PlanWork]

    def __call__(
        self, *, venue: VenueId, after: Newest | None = None, limit: int = 20
    ) -> tuple[Activity, ...]:
        with self.begin() as work:
            return work.activities.list(venue=venue, after=after, limit=limit)
