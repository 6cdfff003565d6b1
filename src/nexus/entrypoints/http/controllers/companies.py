"""What the platform keeps about companies: who they are, what they buy, their people, corrections."""

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from attrs import asdict, field, frozen, validators
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.credits.adjust import MOST as MOST_CREDITS
from nexus.application.credits.adjust import AdjustCredits
from nexus.application.credits.views import BalanceView
from nexus.application.identity.companies import (
    CreateCompany,
    CreateSubscription,
    ListCompanies,
    ListSubscriptions,
    NewCompany,
    NewSubscription,
)
from nexus.application.identity.create_user import MOST_CREDITS as MOST_MONTHLY_CREDITS
from nexus.application.identity.create_user import CreateUser, NewUser
from nexus.application.identity.views import CompanyView, SubscriptionView
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.domain.billing.subscriptions import LAST_BILLING_DAY, MOST, SubscriptionsOverlap, Tier
from nexus.domain.credits.ledger import InsufficientCredits, NoOpenBalance
from nexus.domain.identity.credentials import LONGEST, SHORTEST, UnacceptablePassword
from nexus.domain.identity.passwords import GuessablePassword
from nexus.domain.identity.people import EmailTaken, MalformedEmail, MisplacedRole, Role
from nexus.domain.identity.tenants import LONGEST_TERM, MOST_PEOPLE, NoSeatsLeft
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import CompanyId, SubscriptionId, UserId, VenueId
from nexus.domain.kernel.money import Money
from nexus.domain.kernel.time import UnknownTimeZone
from nexus.entrypoints.http.controllers.auth import MeView
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.scalars import Int4

_BY_NAME: Final = Keyset("companies", str, UUID)
_BY_START: Final = Keyset("subscriptions", date, UUID)
_ZONE: Final = {"description": "IANA name.", "examples": ["America/Chicago"]}


@frozen(kw_only=True)
class CompanyBody:
    """A company about to join."""

    name: str = field(
        validator=[validators.min_len(1), validators.max_len(255)], metadata={"examples": ["Acme"]}
    )
    time_zone: str = field(
        validator=validators.max_len(100),
        metadata={
            "description": "IANA name; credit periods begin and end by it.",
            "examples": ["America/Chicago"],
        },
    )
    contact_name: str = field(
        validator=[validators.min_len(1), validators.max_len(255)], metadata={"examples": ["Kim Berg"]}
    )
    contact_email: str = field(validator=validators.max_len(254), metadata={"examples": ["kim@acme.example"]})
    industry: str | None = field(default=None, validator=validators.optional(validators.max_len(100)))
    employee_count: Int4 | None = field(
        default=None,
        validator=validators.optional(validators.and_(validators.ge(1), validators.le(MOST_PEOPLE))),
    )
    payment_terms_days: Int4 = field(default=30, validator=[validators.ge(0), validators.le(LONGEST_TERM)])
    contract_start: date
    contract_end: date | None = field(
        default=None, metadata={"description": "The first day without a contract; null: none is set."}
    )

    def new(self) -> NewCompany:
        """The company, as the use case asks for it."""
        return NewCompany(**asdict(self))


@frozen(kw_only=True)
class SubscriptionBody:
    """What a company buys."""

    company_id: CompanyId
    tier: Tier
    covered_employees: Int4 = field(validator=[validators.ge(1), validators.le(MOST)])
    credits_per_employee: Int4 = field(
        validator=[validators.ge(1), validators.le(MOST)], metadata={"description": "Each month."}
    )
    monthly_cost: Money = field(metadata={"description": "In minor units (cents), not below zero."})
    billing_day: Int4 = field(
        validator=[validators.ge(1), validators.le(LAST_BILLING_DAY)],
        metadata={"description": "The day of the month on which periods begin."},
    )
    start_date: date = field(metadata={"examples": ["2026-03-01"]})
    end_date: date | None = field(
        default=None, metadata={"description": "The first day without it; null: until it is cancelled."}
    )
    premium_venue_access: bool = False

    def new(self) -> NewSubscription:
        """The subscription, as the use case asks for it."""
        return NewSubscription(
            company=self.company_id,
            tier=self.tier,
            covered_employees=self.covered_employees,
            credits_per_employee=self.credits_per_employee,
            monthly_cost=self.monthly_cost,
            billing_day=self.billing_day,
            start_date=self.start_date,
            end_date=self.end_date,
            premium_venue_access=self.premium_venue_access,
        )


@frozen(kw_only=True)
class BoughtView:
    """A subscription, as the platform sees it."""

    id: SubscriptionId
    company_id: CompanyId
    company_name: str
    tier: Tier
    covered_employees: int
    credits_per_employee: int
    monthly_cost: Money
    billing_day: int
    start_date: date
    end_date: date | None
    premium_venue_access: bool
    allocated_period: date | None = field(
        metadata={"description": "The first day of the last period that everybody was given credits for."}
    )
    created_at: datetime

    @classmethod
    def of(cls, bought: SubscriptionView) -> "BoughtView":
        stated = asdict(bought, recurse=False)
        return cls(company_id=stated.pop("company"), **stated)


@frozen(kw_only=True)
class UserBody:
    """Whose account to open, and where they belong."""

    email: str = field(validator=validators.max_len(254), metadata={"examples": ["ada.lind@acme.example"]})
    role: Role
    first_name: str = field(validator=[validators.min_len(1), validators.max_len(100)])
    last_name: str = field(validator=[validators.min_len(1), validators.max_len(100)])
    company_id: CompanyId | None = field(
        default=None, metadata={"description": "Of a parent or HR; nobody else has one."}
    )
    venue_id: VenueId | None = field(
        default=None, metadata={"description": "Of whoever runs a venue; nobody else has one."}
    )
    time_zone: str | None = field(
        default=None, validator=validators.optional(validators.max_len(100)), metadata=_ZONE
    )
    department: str | None = field(default=None, validator=validators.optional(validators.max_len(100)))
    phone: str | None = field(default=None, validator=validators.optional(validators.max_len(50)))
    monthly_credits: Int4 | None = field(
        default=None,
        validator=validators.optional(validators.and_(validators.ge(1), validators.le(MOST_MONTHLY_CREDITS))),
        metadata={"description": "Instead of what the subscription gives."},
    )
    password: str | None = field(
        default=None,
        repr=False,
        validator=validators.optional(
            validators.and_(validators.min_len(SHORTEST), validators.max_len(LONGEST))
        ),
        metadata={
            "secret": True,
            "description": "Without one, a mail invites the person to choose it.",
            "examples": ["correct horse battery staple"],
        },
    )

    def new(self) -> NewUser:
        """The account, as the use case asks for it."""
        return NewUser(
            email=self.email,
            role=self.role,
            first_name=self.first_name,
            last_name=self.last_name,
            company=self.company_id,
            venue=self.venue_id,
            time_zone=self.time_zone,
            department=self.department,
            phone=self.phone,
            monthly_credits=self.monthly_credits,
            password=self.password,
        )


@frozen(kw_only=True)
class CreditCorrection:
    """Credits to give or take by hand."""

    user_id: UserId
    amount: Int4 = field(
        validator=[validators.ge(-MOST_CREDITS), validators.le(MOST_CREDITS)],
        metadata={"description": "Not 0; below zero takes.", "examples": [3]},
    )
    reason: str = field(
        validator=[validators.min_len(1), validators.max_len(500)],
        metadata={"description": "The employee reads it too.", "examples": ["Session was cut short."]},
    )


class CompanyController(Controller):
    """Companies, what they buy, and their people."""

    path = "/api/v1/admin"
    opt = allow(Policy.ADMIN, keys="companies")
    tags = ("Administration",)

    @get("/companies", sync_to_thread=True)
    def companies(
        self,
        *,
        list_companies: NamedDependency[SkipValidation[ListCompanies]],
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[CompanyView]:
        """List all companies by name."""
        after = _BY_NAME.after(cursor)
        rows = list_companies(after=after, limit=limit + 1)
        return _BY_NAME.page(rows, limit, lambda row: (row.name, row.id), lambda row: row)

    @post(
        "/companies",
        sync_to_thread=True,
        responses=problem_responses(UnknownTimeZone, MalformedEmail, InvalidValue),
    )
    def take_on(
        self,
        *,
        data: JSONBody[CompanyBody],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        create_company: NamedDependency[SkipValidation[CreateCompany]],
    ) -> Response[CompanyView]:
        """Take a company on; its people get credits once it has a subscription."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            201,
            lambda: CompanyView(**asdict(create_company(data.new()), recurse=False)),
        )

    @get("/subscriptions", sync_to_thread=True)
    def subscriptions(
        self,
        *,
        list_subscriptions: NamedDependency[SkipValidation[ListSubscriptions]],
        company_id: Annotated[UUID | None, QueryParameter(description="Only this company's.")] = None,
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[BoughtView]:
        """List subscriptions, the latest start first."""
        rows = list_subscriptions(
            company=None if company_id is None else CompanyId(company_id),
            after=_BY_START.after(cursor),
            limit=limit + 1,
        )
        return _BY_START.page(rows, limit, lambda row: (row.start_date, row.id), BoughtView.of)

    @post(
        "/subscriptions",
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, SubscriptionsOverlap, InvalidValue),
    )
    def sell(
        self,
        *,
        data: JSONBody[SubscriptionBody],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        create_subscription: NamedDependency[SkipValidation[CreateSubscription]],
    ) -> Response[BoughtView]:
        """Sell a subscription; people there already get their credits within a minute of its start."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            201,
            lambda: BoughtView.of(create_subscription(data.new())),
        )

    # Whoever can open accounts can be anybody: no key may.
    @post(
        "/users",
        sync_to_thread=True,
        opt=allow(Policy.ADMIN),
        responses=problem_responses(
            NoSuchThing,
            MalformedEmail,
            UnacceptablePassword,
            GuessablePassword,
            UnknownTimeZone,
            MisplacedRole,
            InvalidValue,
            EmailTaken,
            NoSeatsLeft,
        ),
    )
    def open_account(
        self,
        *,
        data: JSONBody[UserBody],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        create_user: NamedDependency[SkipValidation[CreateUser]],
    ) -> Response[MeView]:
        """Open an account; an employee under a running subscription has credits at once."""
        return Once(begin, actor.user)(
            attempt.key, attempt.fingerprint, 201, lambda: MeView.of(create_user(data.new()))
        )

    @post(
        "/credits/adjust",
        status_code=200,
        sync_to_thread=True,
        opt=allow(Policy.ADMIN, keys="credits"),
        responses=problem_responses(NoSuchThing, NoOpenBalance, InsufficientCredits, InvalidValue),
    )
    def correct(
        self,
        *,
        data: JSONBody[CreditCorrection],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        adjust_credits: NamedDependency[SkipValidation[AdjustCredits]],
    ) -> Response[BalanceView]:
        """Give an employee credits or take some, with a reason; never below zero."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: adjust_credits(data.user_id, data.amount, reason=data.reason, actor=actor),
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [CompanyController]
