"""Companies, what they bought, and what their HR may see."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, LiteralString
from uuid import UUID

from psycopg import Connection

from nexus.adapters.postgres.rows import as_object
from nexus.application.identity.ports import CreditTotals
from nexus.application.identity.views import CompanyView, Employee, SubscriptionView
from nexus.domain.billing.subscriptions import Subscription, SubscriptionsOverlap
from nexus.domain.identity.suppression import Use
from nexus.domain.identity.tenants import Company
from nexus.domain.kernel.ids import CompanyId, SubscriptionId, UserId

ADD_COMPANY: Final[LiteralString] = """
    INSERT INTO corporates (id, company_name, timezone, industry, employee_count, primary_contact_name,
                            primary_contact_email, payment_terms_days, contract_start_date,
                            contract_end_date, is_active, created_at)
    VALUES (%(id)s, %(name)s, %(time_zone)s, %(industry)s, %(employee_count)s, %(contact_name)s,
            %(contact_email)s, %(payment_terms_days)s, %(contract_start)s, %(contract_end)s,
            %(is_active)s, %(created_at)s)
"""

FIND_COMPANY: Final[LiteralString] = """
    SELECT id, company_name AS name, timezone AS time_zone, primary_contact_name AS contact_name,
           primary_contact_email AS contact_email, industry, employee_count, payment_terms_days,
           contract_start_date AS contract_start, contract_end_date AS contract_end, is_active, created_at
      FROM corporates
     WHERE id = %(company)s
"""

PAGE_OF_COMPANIES: Final[LiteralString] = """
    SELECT id, company_name AS name, timezone AS time_zone, primary_contact_name AS contact_name,
           primary_contact_email AS contact_email, industry, employee_count, payment_terms_days,
           contract_start_date AS contract_start, contract_end_date AS contract_end, is_active, created_at
      FROM corporates
     WHERE %(name)s::text IS NULL
        OR (lower(company_name) COLLATE "C", id) > (lower(%(name)s::text), %(id)s::uuid)
     ORDER BY lower(company_name) COLLATE "C", id
     LIMIT %(limit)s
"""

ADD_SUBSCRIPTION: Final[LiteralString] = """
    INSERT INTO corporate_subscriptions (
           id, corporate_id, tier, covered_employees, credits_per_employee, monthly_cost_minor, currency,
           billing_cycle_day, start_date, end_date, premium_venue_access, created_at)
    VALUES (%(id)s, %(company)s, %(tier)s, %(covered_employees)s, %(credits_per_employee)s, %(minor)s,
            %(currency)s, %(billing_day)s, %(start_date)s, %(end_date)s, %(premium_venue_access)s,
            %(created_at)s)
    ON CONFLICT ON CONSTRAINT subscriptions_never_overlap DO NOTHING
"""

SUBSCRIPTIONS_OF_COMPANY: Final[LiteralString] = """
    SELECT id, corporate_id AS company, tier, covered_employees, credits_per_employee,
           jsonb_build_object('minor', monthly_cost_minor, 'currency', currency) AS monthly_cost,
           billing_cycle_day AS billing_day, start_date, end_date, premium_venue_access, created_at
      FROM corporate_subscriptions
     WHERE corporate_id = %(company)s
     ORDER BY start_date
"""

LOCK_SUBSCRIPTION: Final[LiteralString] = """
    SELECT FROM corporate_subscriptions WHERE id = %(subscription)s FOR NO KEY UPDATE
"""

PAGE_OF_SUBSCRIPTIONS: Final[LiteralString] = """
    SELECT s.id, s.corporate_id AS company, c.company_name, s.tier, s.covered_employees,
           s.credits_per_employee,
           jsonb_build_object('minor', s.monthly_cost_minor, 'currency', s.currency) AS monthly_cost,
           s.billing_cycle_day AS billing_day, s.start_date, s.end_date, s.premium_venue_access,
           s.allocated_period, s.created_at
      FROM corporate_subscriptions s
      JOIN corporates c ON c.id = s.corporate_id
     WHERE (%(company)s::uuid IS NULL OR s.corporate_id = %(company)s::uuid)
       AND (%(start_date)s::date IS NULL OR (s.start_date, s.id) < (%(start_date)s::date, %(id)s::uuid))
     ORDER BY s.start_date DESC, s.id DESC
     LIMIT %(limit)s
"""

PAGE_OF_EMPLOYEES: Final[LiteralString] = """
    SELECT u.id, u.first_name, u.last_name, u.email, u.department, u.is_active, u.joined_at, u.left_at,
           b.credits_allocated
      FROM users u
      LEFT JOIN user_credit_balances b
        ON b.user_id = u.id AND b.opens_at <= %(at)s AND b.closes_at > %(at)s
     WHERE u.corporate_id = %(company)s
       AND (%(last_name)s::text IS NULL
            OR (lower(u.last_name) COLLATE "C", lower(u.first_name) COLLATE "C", u.id)
             > (lower(%(last_name)s::text), lower(%(first_name)s::text), %(id)s::uuid))
     ORDER BY lower(u.last_name) COLLATE "C", lower(u.first_name) COLLATE "C", u.id
     LIMIT %(limit)s
"""

LOCK_EMPLOYEE: Final[LiteralString] = """
    SELECT u.id, u.first_name, u.last_name, u.email, u.department, u.is_active, u.joined_at, u.left_at,
           b.credits_allocated
      FROM users u
      LEFT JOIN user_credit_balances b
        ON b.user_id = u.id AND b.opens_at <= %(at)s AND b.closes_at > %(at)s
     WHERE u.id = %(employee)s AND u.corporate_id = %(company)s
       FOR NO KEY UPDATE OF u
"""

LEAVE: Final[LiteralString] = "UPDATE users SET left_at = %(left_at)s WHERE id = %(employee)s"

TOTAL_CREDITS: Final[LiteralString] = """
    SELECT coalesce(sum(credits_allocated), 0)::bigint AS allocated,
           coalesce(sum(credits_used - credits_refunded), 0)::bigint AS used,
           coalesce(sum(credits_expired), 0)::bigint AS expired,
           count(*) FILTER (WHERE credits_used > 0 OR credits_refunded > 0) AS families_using,
           count(*) FILTER (WHERE credits_expired > 0) AS families_expiring,
           count(*) FILTER (WHERE credits_available > 0) AS families_left
      FROM credit_periods p
      JOIN user_credit_balances b USING (corporate_id, billing_period_start)
     WHERE p.corporate_id = %(company)s
       AND p.opens_at <= %(at)s
       AND p.closes_at > %(at)s
"""

COUNT_BOOKINGS_BY_CATEGORY: Final[LiteralString] = """
    SELECT a.category, count(*), array_agg(DISTINCT b.booked_by)
      FROM bookings b
      JOIN activity_sessions s ON s.id = b.session_id
      JOIN activities a ON a.id = s.activity_id
     WHERE b.corporate_id = %(company)s
       AND b.booked_at >= %(since)s
       AND b.booked_at < %(until)s
       AND b.status NOT IN ('cancelled_parent', 'cancelled_venue')
     GROUP BY a.category
"""


class PostgresCompanies:
    """The table ``corporates``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, company: Company) -> None:
        self._connection.execute(
            ADD_COMPANY,
            {
                "id": company.id,
                "name": company.name,
                "time_zone": company.time_zone,
                "industry": company.industry,
                "employee_count": company.employee_count,
                "contact_name": company.contact_name,
                "contact_email": company.contact_email,
                "payment_terms_days": company.payment_terms_days,
                "contract_start": company.contract_start,
                "contract_end": company.contract_end,
                "is_active": company.is_active,
                "created_at": company.created_at,
            },
        )

    def get(self, company: CompanyId) -> Company | None:
        with self._connection.cursor(row_factory=as_object(Company)) as cursor:
            return cursor.execute(FIND_COMPANY, {"company": company}).fetchone()

    def page(self, *, after: tuple[str, UUID] | None, limit: int) -> Sequence[CompanyView]:
        name, last = after or (None, None)
        with self._connection.cursor(row_factory=as_object(CompanyView)) as cursor:
            return cursor.execute(PAGE_OF_COMPANIES, {"name": name, "id": last, "limit": limit}).fetchall()


class PostgresSubscriptions:
    """The table ``corporate_subscriptions``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, subscription: Subscription) -> None:
        added = self._connection.execute(
            ADD_SUBSCRIPTION,
            {
                "id": subscription.id,
                "company": subscription.company,
                "tier": subscription.tier.value,
                "covered_employees": subscription.covered_employees,
                "credits_per_employee": subscription.credits_per_employee,
                "minor": subscription.monthly_cost.minor,
                "currency": subscription.monthly_cost.currency,
                "billing_day": subscription.billing_day,
                "start_date": subscription.start_date,
                "end_date": subscription.end_date,
                "premium_venue_access": subscription.premium_venue_access,
                "created_at": subscription.created_at,
            },
        )
        if not added.rowcount:
            raise SubscriptionsOverlap

    def of(self, company: CompanyId) -> Sequence[Subscription]:
        with self._connection.cursor(row_factory=as_object(Subscription)) as cursor:
            return cursor.execute(SUBSCRIPTIONS_OF_COMPANY, {"company": company}).fetchall()

    def lock(self, subscription: SubscriptionId) -> None:
        self._connection.execute(LOCK_SUBSCRIPTION, {"subscription": subscription})

    def page(
        self, *, company: CompanyId | None, after: tuple[date, UUID] | None, limit: int
    ) -> Sequence[SubscriptionView]:
        start, last = after or (None, None)
        names = {"company": company, "start_date": start, "id": last, "limit": limit}
        with self._connection.cursor(row_factory=as_object(SubscriptionView)) as cursor:
            return cursor.execute(PAGE_OF_SUBSCRIPTIONS, names).fetchall()


class PostgresStaff:
    """What HR may see of ``users``, ``user_credit_balances`` and ``bookings``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def employees(
        self, company: CompanyId, *, at: datetime, after: tuple[str, str, UUID] | None, limit: int
    ) -> Sequence[Employee]:
        last_name, first_name, last = after or (None, None, None)
        names = {
            "company": company,
            "at": at,
            "last_name": last_name,
            "first_name": first_name,
            "id": last,
            "limit": limit,
        }
        with self._connection.cursor(row_factory=as_object(Employee)) as cursor:
            return cursor.execute(PAGE_OF_EMPLOYEES, names).fetchall()

    def lock(self, employee: UserId, *, company: CompanyId, at: datetime) -> Employee | None:
        names = {"employee": employee, "company": company, "at": at}
        with self._connection.cursor(row_factory=as_object(Employee)) as cursor:
            return cursor.execute(LOCK_EMPLOYEE, names).fetchone()

    def leave(self, employee: UserId, *, left_at: datetime) -> None:
        self._connection.execute(LEAVE, {"employee": employee, "left_at": left_at})

    def credit_totals(self, company: CompanyId, *, at: datetime) -> CreditTotals:
        with self._connection.cursor(row_factory=as_object(CreditTotals)) as cursor:
            found = cursor.execute(TOTAL_CREDITS, {"company": company, "at": at}).fetchone()
        return found or CreditTotals(
            allocated=0, used=0, expired=0, families_using=0, families_expiring=0, families_left=0
        )

    def bookings_by_category(
        self, company: CompanyId, *, since: datetime, until: datetime
    ) -> Mapping[str, Use]:
        names = {"company": company, "since": since, "until": until}
        rows = self._connection.execute(COUNT_BOOKINGS_BY_CATEGORY, names).fetchall()
        return {category: Use(bookings, frozenset(families)) for category, bookings, families in rows}
