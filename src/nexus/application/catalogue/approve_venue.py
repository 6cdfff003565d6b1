"""Admit a venue."""

from attrs import evolve, frozen

from nexus.application.catalogue.ports import VenueWork
from nexus.application.kernel.ports import Begin, Clock
from nexus.domain.catalogue.venues import Insurance, Venue
from nexus.domain.compliance.audit import Action, Deed, differences
from nexus.domain.kernel.ids import VenueId


@frozen
class ApproveVenue:
    """
    Let families book at a venue, for the first time or after a suspension.

    What has been shown meanwhile can be said with it: a policy, a completed
    background check, a completed safety audit.
    """

    begin: Begin[VenueWork]
    now: Clock

    def __call__(
        self,
        venue_id: VenueId,
        *,
        insurance: Insurance | None = None,
        background_check_completed: bool = False,
        safety_audit_completed: bool = False,
    ) -> Venue:
        with self.begin() as work:
            venue = work.venues.get(venue_id, lock=True)
            shown = evolve(
                venue,
                insurance=insurance or venue.insurance,
                background_check_completed=venue.background_check_completed or background_check_completed,
                safety_audit_completed=venue.safety_audit_completed or safety_audit_completed,
            )
            approved = shown.approve(at=self.now())
            old, new = differences(venue, approved)
            work.audit.add(Deed(Action.VENUE_APPROVED, venue_id, old=old, new=new, venue=venue_id))
            return work.venues.save(approved)
