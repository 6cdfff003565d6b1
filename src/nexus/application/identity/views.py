"""What people, parents and HR see."""

from datetime import date, datetime
from uuid import UUID

from attrs import field, frozen

from nexus.domain.billing.subscriptions import Tier
from nexus.domain.compliance.consent import ConsentMethod, Purpose
from nexus.domain.identity.families import ChildStatus, EnergyLevel, SocialPreference
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import ChildId, CompanyId, SubscriptionId, UserId, VenueId
from nexus.domain.kernel.money import Money


@frozen(kw_only=True)
class Me:
    """Who somebody is on the pass, and where."""

    id: UserId
    email: str
    role: Role
    first_name: str
    last_name: str
    company: CompanyId | None
    company_name: str | None
    venue: VenueId | None
    venue_name: str | None
    time_zone: str
    joined_at: datetime
    email_verified_at: datetime | None


@frozen(kw_only=True)
class SecondFactorNeeded:
    """The password was right; a second factor completes the sign-in, for as long as the challenge lasts."""

    challenge: str = field(repr=False)
    expires_at: datetime


@frozen(kw_only=True)
class Employee:
    """One of a company's people, as HR sees them: nothing of their family."""

    id: UserId
    first_name: str
    last_name: str
    email: str
    department: str | None
    is_active: bool
    joined_at: datetime
    left_at: datetime | None
    credits_allocated: int | None


@frozen
class CategoryUse:
    """Bookings of one category; ``None`` is withheld."""

    category: str
    bookings: int | None


@frozen(kw_only=True)
class HrOverview:
    """
    How a company uses the pass in the current period.

    ``None`` is withheld: a figure about fewer than five families, or one from
    which such a figure could be computed.
    """

    company_name: str
    people: int
    covered_seats: int | None
    period_start: date | None
    period_end: date | None
    credits_allocated: int
    credits_used: int | None
    credits_expired: int | None
    bookings: int | None
    bookings_by_category: tuple[CategoryUse, ...]
    fewest_families: int


@frozen(kw_only=True)
class ChildView:
    """A child, as its own parent sees it."""

    id: ChildId
    first_name: str
    date_of_birth: date
    energy_level: EnergyLevel | None
    social_preference: SocialPreference | None
    interests: tuple[str, ...]
    activities_to_avoid: tuple[str, ...]
    accessibility_needs: tuple[str, ...]
    medical_notes: str | None = field(repr=False)
    medical_notes_unreadable: bool
    """There are notes, but their seal is broken; what stands in their place says so."""
    status: ChildStatus
    consents: tuple[Purpose, ...]
    created_at: datetime
    version: int


@frozen(kw_only=True)
class ConsentEntry:
    """One decision in a child's history."""

    id: UUID
    purpose: Purpose
    given: bool
    text_version: str
    method: ConsentMethod
    recorded_at: datetime


@frozen(kw_only=True)
class Consents:
    """What stands, and how it came to."""

    child: ChildId
    standing: tuple[Purpose, ...]
    history: tuple[ConsentEntry, ...]


@frozen(kw_only=True)
class CompanyView:
    """A company, as the platform sees it."""

    id: CompanyId
    name: str
    time_zone: str
    contact_name: str
    contact_email: str
    industry: str | None
    employee_count: int | None
    payment_terms_days: int
    contract_start: date
    contract_end: date | None
    is_active: bool
    created_at: datetime


@frozen(kw_only=True)
class SubscriptionView:
    """What a company bought."""

    id: SubscriptionId
    company: CompanyId
    company_name: str
    tier: Tier
    covered_employees: int
    credits_per_employee: int
    monthly_cost: Money
    billing_day: int
    start_date: date
    end_date: date | None
    premium_venue_access: bool
    allocated_period: date | None
    created_at: datetime
