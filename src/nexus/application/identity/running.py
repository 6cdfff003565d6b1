"""A company's subscriptions as the plans that credits are given by, and which of them runs at an instant."""

from datetime import date, datetime

from nexus.application.credits.ports import Plan
from nexus.application.identity.ports import CompanyWork
from nexus.domain.billing.subscriptions import Subscription
from nexus.domain.credits.periods import Period
from nexus.domain.identity.tenants import Company


def plan_of(bought: Subscription, company: Company, *, allocated_period: date | None = None) -> Plan:
    """What a subscription gives to the people of its company, and when."""
    return Plan(
        subscription=bought.id,
        company=company.id,
        covered_employees=bought.covered_employees,
        credits_per_employee=bought.credits_per_employee,
        billing_day=bought.billing_day,
        start_date=bought.start_date,
        end_date=bought.end_date,
        time_zone=company.time_zone,
        allocated_period=allocated_period,
    )


def running(work: CompanyWork, company: Company, *, at: datetime) -> tuple[Plan, Period] | None:
    """The plan that runs and its period that contains the instant, in the company's time zone."""
    for bought in work.subscriptions.of(company.id):
        plan = plan_of(bought, company)
        period = plan.calendar.period_at(at)
        if period is not None:
            return plan, period
    return None
