"""Stop new bookings at a venue until it is approved again."""

from attrs import frozen

from nexus.application.catalogue.ports import VenueWork
from nexus.application.kernel.ports import Begin
from nexus.domain.catalogue.venues import Venue
from nexus.domain.kernel.ids import VenueId


@frozen
class SuspendVenue:
    """Stop new bookings at a venue until it is approved again."""

    begin: Begin[VenueWork]

    def __call__(self, venue_id: VenueId, *, reason: str) -> Venue:
        with self.begin() as work:
            return work.venues.save(work.venues.get(venue_id, lock=True).suspend(reason))
