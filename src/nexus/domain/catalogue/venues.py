"""Venues: how one is admitted, and the terms on which it sells through the pass."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final

from attrs import evolve, field, frozen

from nexus.domain.catalogue.places import Place
from nexus.domain.catalogue.values import between, dates, known_zone, text, words
from nexus.domain.kernel.errors import Conflict, Invalid, InvalidValue
from nexus.domain.kernel.ids import VenueId
from nexus.domain.kernel.time import local_date

LEAST_COVERAGE_MINOR: Final = 100_000_000
"""One million, in cents."""


class VenueStatus(StrEnum):
    """
    Whether families can book at a venue.

    ``pending_approval`` becomes ``active`` or ``rejected``, for good; an ``active``
    one may be ``suspended`` and approved again.
    """

    PENDING_APPROVAL = "pending_approval"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REJECTED = "rejected"


@frozen
class InsuranceTooLow(Invalid):
    """The insurance does not cover enough."""

    coverage_minor: int
    required_minor: int


@frozen
class VenueNotReady(Conflict):
    """The venue cannot be approved yet: something that families rely on is missing."""

    insurance_valid: bool
    insurance_expires_on: date | None
    required_coverage_minor: int
    background_check_completed: bool
    safety_audit_completed: bool


@frozen
class WrongVenueStatus(Conflict):
    """A venue in this status cannot take that step."""

    venue_status: VenueStatus
    step: str


@frozen
class Insurance:
    """A liability policy; it covers its last day too."""

    coverage_minor: int = field()
    expires_on: date

    @coverage_minor.validator
    def _covers_enough(self, _attribute: object, coverage: int) -> None:
        if coverage < LEAST_COVERAGE_MINOR:
            raise InsuranceTooLow(coverage, LEAST_COVERAGE_MINOR)
        if coverage > 10**15:
            raise InvalidValue("coverage_minor", "must be at most 10^15")

    def covers(self, day: date) -> bool:
        return day <= self.expires_on


@frozen(kw_only=True)
class Venue:
    """
    A partner that offers activities.

    ``confirmation_hours`` counts only where ``requires_confirmation``;
    ``block_booking_advance_days`` and ``inventory_release_hours`` decide from when
    to when the pass sells the venue's seats. ``closed_dates`` are its holidays.
    """

    id: VenueId
    name: str = field(validator=text(least=1, most=255))
    slug: str
    short_description: str | None = field(default=None, validator=text(most=150))
    full_description: str | None = field(default=None, validator=text(most=20_000))
    place: Place
    time_zone: str = field(validator=known_zone)
    contact_email: str | None = field(default=None, validator=text(most=254))
    contact_phone: str | None = field(default=None, validator=text(most=50))
    status: VenueStatus = VenueStatus.PENDING_APPROVAL
    status_reason: str | None = field(default=None, validator=text(least=1, most=2000))
    insurance: Insurance | None = None
    background_check_completed: bool = False
    safety_audit_completed: bool = False
    accessibility_features: frozenset[str] = field(default=frozenset(), converter=words)
    closed_dates: frozenset[date] = field(default=frozenset(), converter=dates)
    is_premium: bool = False
    requires_confirmation: bool = False
    confirmation_hours: int = field(default=24, validator=between(1, 24 * 14))
    block_booking_advance_days: int = field(default=30, validator=between(0, 366))
    inventory_release_hours: int = field(default=72, validator=between(0, 24 * 60))
    platform_fee_basis_points: int = field(default=1750, validator=between(0, 10_000))
    external_ref: str | None = None
    approved_at: datetime | None = None
    created_at: datetime
    version: int = 1

    def is_insured_on(self, day: date) -> bool:
        """Whether its insurance covers a session on that local day."""
        return self.insurance is not None and self.insurance.covers(day)

    def approve(self, *, at: datetime) -> "Venue":
        """
        Admit it, or admit it again after a suspension.

        Raises:
            WrongVenueStatus: It is active already, or was rejected.
            VenueNotReady: Insurance, background check or safety audit is missing.
        """
        self._must_be(VenueStatus.PENDING_APPROVAL, VenueStatus.SUSPENDED, step="approve")
        insured = self.is_insured_on(local_date(at, self.time_zone))
        if not (insured and self.background_check_completed and self.safety_audit_completed):
            raise VenueNotReady(
                insurance_valid=insured,
                insurance_expires_on=self.insurance.expires_on if self.insurance else None,
                required_coverage_minor=LEAST_COVERAGE_MINOR,
                background_check_completed=self.background_check_completed,
                safety_audit_completed=self.safety_audit_completed,
            )
        return evolve(self, status=VenueStatus.ACTIVE, status_reason=None, approved_at=at)

    def reject(self, reason: str) -> "Venue":
        """Decline an application, for good."""
        self._must_be(VenueStatus.PENDING_APPROVAL, step="reject")
        return evolve(self, status=VenueStatus.REJECTED, status_reason=reason)

    def suspend(self, reason: str) -> "Venue":
        """Stop new bookings until it is approved again."""
        self._must_be(VenueStatus.ACTIVE, step="suspend")
        return evolve(self, status=VenueStatus.SUSPENDED, status_reason=reason)

    def _must_be(self, *expected: VenueStatus, step: str) -> None:
        if self.status not in expected:
            raise WrongVenueStatus(self.status, step)
