"""Look through a venue's own sessions."""

from datetime import datetime
from uuid import UUID

from attrs import frozen

from nexus.application.catalogue.ports import PlanWork
from nexus.application.catalogue.views import VenueSessionView
from nexus.application.kernel.ports import Begin
from nexus.domain.kernel.ids import ActivityId, VenueId


@frozen
class ListVenueSessions:
    """A venue's sessions with who is in them, in numbers; by start, key ``(starts_at, id)``."""

    begin: Begin[PlanWork]

    def __call__(
        self,
        *,
        venue: VenueId,
        starts_from: datetime | None = None,
        starts_until: datetime | None = None,
        activity: ActivityId | None = None,
        after: tuple[datetime, UUID] | None = None,
        limit: int = 20,
    ) -> tuple[VenueSessionView, ...]:
        with self.begin() as work:
            return work.sessions.list(
                venue=venue,
                starts_from=starts_from,
                starts_until=starts_until,
                activity=activity,
                after=after,
                limit=limit,
            )
