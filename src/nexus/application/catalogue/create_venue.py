"""Take a venue's application."""

from collections.abc import Iterable
from datetime import date

from attrs import frozen

from nexus.application.catalogue.ports import VenueWork
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.catalogue.places import Place
from nexus.domain.catalogue.values import slug
from nexus.domain.catalogue.venues import Insurance, Venue
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.ids import VenueId


@frozen
class CreateVenue:
    """Enter a venue; nobody sees it before it is approved."""

    begin: Begin[VenueWork]
    now: Clock
    new_id: NewId

    def __call__(
        self,
        *,
        name: str,
        place: Place,
        time_zone: str,
        short_description: str | None = None,
        full_description: str | None = None,
        contact_email: str | None = None,
        contact_phone: str | None = None,
        insurance: Insurance | None = None,
        background_check_completed: bool = False,
        safety_audit_completed: bool = False,
        accessibility_features: Iterable[str] = (),
        closed_dates: Iterable[date] = (),
        is_premium: bool = False,
        requires_confirmation: bool = False,
        confirmation_hours: int = 24,
        block_booking_advance_days: int = 30,
        inventory_release_hours: int = 72,
        platform_fee_basis_points: int = 1750,
        external_ref: str | None = None,
    ) -> Venue:
        key = VenueId(self.new_id())
        venue = Venue(
            id=key,
            name=name,
            slug=slug(name, key),
            short_description=short_description,
            full_description=full_description,
            place=place,
            time_zone=time_zone,
            contact_email=contact_email,
            contact_phone=contact_phone,
            insurance=insurance,
            background_check_completed=background_check_completed,
            safety_audit_completed=safety_audit_completed,
            accessibility_features=accessibility_features,
            closed_dates=closed_dates,
            is_premium=is_premium,
            requires_confirmation=requires_confirmation,
            confirmation_hours=confirmation_hours,
            block_booking_advance_days=block_booking_advance_days,
            inventory_release_hours=inventory_release_hours,
            platform_fee_basis_points=platform_fee_basis_points,
            external_ref=external_ref,
            created_at=self.now(),
        )
        with self.begin() as work:
            work.venues.add(venue)
            work.audit.add(Deed(Action.VENUE_CREATED, key, new={"name": name}, venue=key))
        return venue
