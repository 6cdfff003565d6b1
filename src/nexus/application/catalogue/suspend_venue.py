"""Stop new bookings at a venue until it is approved again."""

from attrs import frozen

from nexus.application.catalogue.ports import VenueWork
from nexus.application.kernel.ports import Begin
from nexus.domain.catalogue.venues import Venue
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.ids import VenueId


@frozen
class SuspendVenue:
    """Stop new bookings at a venue until it is approved again."""

    begin: Begin[VenueWork]

    def __call__(self, venue_id: VenueId, *, reason: str) -> Venue:
        with self.begin() as work:
            before = work.venues.get(venue_id, lock=True)
            after = before.suspend(reason)
            work.audit.add(
                Deed(
                    Action.VENUE_SUSPENDED,
                    venue_id,
                    old={"status": before.status},
                    new={"status": after.status},
                    venue=venue_id,
                )
            )
            return work.venues.save(after)
