"""Look through all venues."""

from attrs import frozen

from nexus.application.catalogue.ports import Newest, VenueWork
from nexus.application.kernel.ports import Begin
from nexus.domain.catalogue.venues import Venue, VenueStatus


@frozen
class ListVenues:
    """Every venue, of one status if asked; newest first, key ``(created_at, id)``."""

    begin: Begin[VenueWork]

    def __call__(
        self, *, status: VenueStatus | None = None, after: Newest | None = None, limit: int = 20
    ) -> tuple[Venue, ...]:
        with self.begin() as work:
            return work.venues.list(status=status, after=after, limit=limit)
