"""Companies and what they buy, as the platform keeps them."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from attrs import asdict, frozen

from nexus.application.identity.ports import CompanyWork
from nexus.application.identity.views import CompanyView, SubscriptionView
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.billing.subscriptions import Subscription, Tier
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.identity.tenants import Company
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import CompanyId, SubscriptionId
from nexus.domain.kernel.money import Money


@frozen(kw_only=True)
class NewCompany:
    """A company about to join."""

    name: str
    time_zone: str
    contact_name: str
    contact_email: str
    industry: str | None = None
    employee_count: int | None = None
    payment_terms_days: int = 30
    contract_start: date
    contract_end: date | None = None


@frozen
class CreateCompany:
    """Take a company on."""

    begin: Begin[CompanyWork]
    now: Clock
    new_id: NewId

    def __call__(self, new: NewCompany) -> Company:
        """
        Raises:
            UnknownTimeZone, MalformedEmail, InvalidValue: Something is unusable.
        """
        company = Company(
            id=CompanyId(self.new_id()),
            name=new.name,
            time_zone=new.time_zone,
            contact_name=new.contact_name,
            contact_email=new.contact_email,
            industry=new.industry,
            employee_count=new.employee_count,
            payment_terms_days=new.payment_terms_days,
            contract_start=new.contract_start,
            contract_end=new.contract_end,
            created_at=self.now(),
        )
        with self.begin() as work:
            work.companies.add(company)
            new_values = {"name": company.name, "contract_start": company.contract_start}
            work.audit.add(Deed(Action.COMPANY_CREATED, company.id, new=new_values, company=company.id))
        return company


@frozen
class ListCompanies:
    """Every company, by (lower-case name, id)."""

    begin: Begin[CompanyWork]

    def __call__(self, *, after: tuple[str, UUID] | None = None, limit: int = 50) -> Sequence[CompanyView]:
        with self.begin() as work:
            return work.companies.page(after=after, limit=limit)


@frozen(kw_only=True)
class NewSubscription:
    """What a company buys."""

    company: CompanyId
    tier: Tier
    covered_employees: int
    credits_per_employee: int
    monthly_cost: Money
    billing_day: int
    start_date: date
    end_date: date | None = None
    premium_venue_access: bool = False


@frozen
class CreateSubscription:
    """Sell a subscription; the next allocation gives its credits."""

    begin: Begin[CompanyWork]
    now: Clock
    new_id: NewId

    def __call__(self, new: NewSubscription) -> SubscriptionView:
        """
        What was bought.

        Raises:
            InvalidValue: Something is unusable.
            NoSuchThing: There is no such company.
            SubscriptionsOverlap: The company has another one in that time.
        """
        bought = Subscription(
            id=SubscriptionId(self.new_id()),
            company=new.company,
            tier=new.tier,
            covered_employees=new.covered_employees,
            credits_per_employee=new.credits_per_employee,
            monthly_cost=new.monthly_cost,
            billing_day=new.billing_day,
            start_date=new.start_date,
            end_date=new.end_date,
            premium_venue_access=new.premium_venue_access,
            created_at=self.now(),
        )
        with self.begin() as work:
            company = work.companies.get(new.company)
            if company is None:
                raise NoSuchThing("company")
            work.subscriptions.add(bought)
            sold = asdict(bought, recurse=False)
            work.audit.add(Deed(Action.SUBSCRIPTION_SOLD, bought.id, new=sold, company=company.id))
        return SubscriptionView(
            **asdict(bought, recurse=False), company_name=company.name, allocated_period=None
        )


@frozen
class ListSubscriptions:
    """Subscriptions, of one company or all, the latest start first: by (start_date, id)."""

    begin: Begin[CompanyWork]

    def __call__(
        self,
        *,
        company: CompanyId | None = None,
        after: tuple[date, UUID] | None = None,
        limit: int = 50,
    ) -> Sequence[SubscriptionView]:
        with self.begin() as work:
            return work.subscriptions.page(company=company, after=after, limit=limit)
