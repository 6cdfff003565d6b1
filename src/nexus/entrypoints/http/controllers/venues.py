"""How the platform admits venues, and stops them."""

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from attrs import asdict, field, frozen, validators
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.catalogue.approve_venue import ApproveVenue
from nexus.application.catalogue.create_venue import CreateVenue
from nexus.application.catalogue.list_venues import ListVenues
from nexus.application.catalogue.reject_venue import RejectVenue
from nexus.application.catalogue.suspend_venue import SuspendVenue
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.domain.catalogue.places import Place
from nexus.domain.catalogue.venues import (
    LEAST_COVERAGE_MINOR,
    Insurance,
    InsuranceTooLow,
    Venue,
    VenueNotReady,
    VenueStatus,
    WrongVenueStatus,
)
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import VenueId
from nexus.domain.kernel.time import UnknownTimeZone
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.scalars import Int4

_NEWEST: Final = Keyset("venues", datetime, UUID)
_MOST_WORDS: Final = 50


@frozen(kw_only=True)
class Address:
    """Where a venue is."""

    address_line1: str = field(
        validator=[validators.min_len(1), validators.max_len(255)], metadata={"examples": ["1 Main St"]}
    )
    city: str = field(validator=[validators.min_len(1), validators.max_len(100)])
    state: str = field(validator=[validators.min_len(1), validators.max_len(100)])
    postal_code: str = field(validator=[validators.min_len(1), validators.max_len(20)])
    country: str = field(default="US", validator=[validators.min_len(2), validators.max_len(100)])
    latitude: float = field(validator=[validators.ge(-90), validators.le(90)], metadata={"examples": [41.88]})
    longitude: float = field(
        validator=[validators.ge(-180), validators.le(180)], metadata={"examples": [-87.63]}
    )

    def place(self) -> Place:
        """
        The place, as the catalogue knows it.

        Raises:
            InvalidValue: A text is blank.
        """
        return Place(**asdict(self))


@frozen(kw_only=True)
class InsuranceBody:
    """A liability policy; it covers its last day too."""

    coverage_minor: int = field(
        validator=[validators.ge(0), validators.le(10**15)],
        metadata={"description": f"In cents, at least {LEAST_COVERAGE_MINOR}.", "examples": [200_000_000]},
    )
    expires_on: date

    def insurance(self) -> Insurance:
        """
        The policy, as the catalogue knows it.

        Raises:
            InsuranceTooLow: It covers less than a million.
        """
        return Insurance(self.coverage_minor, self.expires_on)


@frozen(kw_only=True)
class VenueBody:
    """A venue's application, and the terms on which it would sell."""

    name: str = field(
        validator=[validators.min_len(1), validators.max_len(255)], metadata={"examples": ["The Barn"]}
    )
    place: Address
    time_zone: str = field(
        validator=validators.max_len(100),
        metadata={"description": "IANA name.", "examples": ["America/Chicago"]},
    )
    short_description: str | None = field(
        default=None, validator=validators.optional(validators.max_len(150))
    )
    full_description: str | None = field(
        default=None, validator=validators.optional(validators.max_len(20_000))
    )
    contact_email: str | None = field(default=None, validator=validators.optional(validators.max_len(254)))
    contact_phone: str | None = field(default=None, validator=validators.optional(validators.max_len(50)))
    insurance: InsuranceBody | None = None
    background_check_completed: bool = False
    safety_audit_completed: bool = False
    accessibility_features: list[str] = field(factory=list, validator=validators.max_len(_MOST_WORDS))
    closed_dates: list[date] = field(
        factory=list, validator=validators.max_len(366), metadata={"description": "Its holidays."}
    )
    is_premium: bool = False
    requires_confirmation: bool = field(
        default=False, metadata={"description": "Whether it confirms each booking itself."}
    )
    confirmation_hours: Int4 = field(default=24, validator=[validators.ge(1), validators.le(24 * 14)])
    block_booking_advance_days: Int4 = field(
        default=30,
        validator=[validators.ge(0), validators.le(366)],
        metadata={"description": "Days before a session from which the pass sells its seats."},
    )
    inventory_release_hours: Int4 = field(
        default=72,
        validator=[validators.ge(0), validators.le(24 * 60)],
        metadata={"description": "Hours before a session at which unsold seats return to the venue."},
    )
    platform_fee_basis_points: Int4 = field(
        default=1750,
        validator=[validators.ge(0), validators.le(10_000)],
        metadata={"description": "The platform's share, in hundredths of a percent."},
    )


@frozen(kw_only=True)
class Approval:
    """What has been shown meanwhile; what is left out stays as it is known."""

    insurance: InsuranceBody | None = None
    background_check_completed: bool = False
    safety_audit_completed: bool = False


@frozen(kw_only=True)
class StatusReason:
    """Why; the venue reads it."""

    reason: str = field(
        validator=[validators.min_len(1), validators.max_len(2000)],
        metadata={"examples": ["The safety audit found open wiring."]},
    )


@frozen(kw_only=True)
class VenueView:
    """A venue, as the platform sees it."""

    id: VenueId
    name: str
    slug: str
    short_description: str | None
    full_description: str | None
    place: Place
    time_zone: str
    contact_email: str | None
    contact_phone: str | None
    status: VenueStatus
    status_reason: str | None
    insurance: Insurance | None
    background_check_completed: bool
    safety_audit_completed: bool
    accessibility_features: list[str]
    closed_dates: list[date]
    is_premium: bool
    requires_confirmation: bool
    confirmation_hours: int
    block_booking_advance_days: int
    inventory_release_hours: int
    platform_fee_basis_points: int
    external_ref: str | None
    approved_at: datetime | None
    created_at: datetime
    version: int

    @classmethod
    def of(cls, venue: Venue) -> "VenueView":
        stated = asdict(venue, recurse=False)
        for unordered in ("accessibility_features", "closed_dates"):
            stated[unordered] = sorted(stated[unordered])
        return cls(**stated)


class VenueController(Controller):
    """Venues and their admission."""

    path = "/api/v1/admin/venues"
    opt = allow(Policy.ADMIN, keys="venues")
    tags = ("Administration",)

    @get("/", sync_to_thread=True)
    def browse(
        self,
        *,
        list_venues: NamedDependency[SkipValidation[ListVenues]],
        status: Annotated[
            VenueStatus | None, QueryParameter(description="Only those of this status.")
        ] = None,
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[VenueView]:
        """List venues, the newest first."""
        after = _NEWEST.after(cursor)
        rows = list_venues(status=status, after=after, limit=limit + 1)
        return _NEWEST.page(rows, limit, lambda row: (row.created_at, row.id), VenueView.of)

    @post(
        "/",
        sync_to_thread=True,
        responses=problem_responses(UnknownTimeZone, InsuranceTooLow, InvalidValue),
    )
    def apply(
        self,
        *,
        data: JSONBody[VenueBody],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        create_venue: NamedDependency[SkipValidation[CreateVenue]],
    ) -> Response[VenueView]:
        """Enter a venue's application; no family sees it before it is approved."""
        stated = asdict(data, recurse=False)

        def run() -> VenueView:
            stated["place"] = data.place.place()
            stated["insurance"] = data.insurance and data.insurance.insurance()
            return VenueView.of(create_venue(**stated))

        return Once(begin, actor.user)(attempt.key, attempt.fingerprint, 201, run)

    @post(
        "/{venue_id:uuid}/approve",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(
            NoSuchThing, WrongVenueStatus, VenueNotReady, InsuranceTooLow, InvalidValue
        ),
    )
    def approve(
        self,
        *,
        venue_id: FromPath[VenueId],
        data: JSONBody[Approval],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        approve_venue: NamedDependency[SkipValidation[ApproveVenue]],
    ) -> Response[VenueView]:
        """Let families book at a venue, for the first time or after a suspension."""

        def run() -> VenueView:
            return VenueView.of(
                approve_venue(
                    venue_id,
                    insurance=data.insurance.insurance() if data.insurance else None,
                    background_check_completed=data.background_check_completed,
                    safety_audit_completed=data.safety_audit_completed,
                )
            )

        return Once(begin, actor.user)(attempt.key, attempt.fingerprint, 200, run)

    @post(
        "/{venue_id:uuid}/reject",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, WrongVenueStatus, InvalidValue),
    )
    def reject(
        self,
        *,
        venue_id: FromPath[VenueId],
        data: JSONBody[StatusReason],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        reject_venue: NamedDependency[SkipValidation[RejectVenue]],
    ) -> Response[VenueView]:
        """Decline a venue's application, for good."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: VenueView.of(reject_venue(venue_id, reason=data.reason)),
        )

    @post(
        "/{venue_id:uuid}/suspend",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, WrongVenueStatus, InvalidValue),
    )
    def suspend(
        self,
        *,
        venue_id: FromPath[VenueId],
        data: JSONBody[StatusReason],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        suspend_venue: NamedDependency[SkipValidation[SuspendVenue]],
    ) -> Response[VenueView]:
        """Stop new bookings at a venue until it is approved again."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: VenueView.of(suspend_venue(venue_id, reason=data.reason)),
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [VenueController]
