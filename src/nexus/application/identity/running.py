"""Which of a company's subscriptions runs at an instant, as the plan it gives credits by."""

from datetime import datetime

from nexus.application.credits.ports import Plan
from nexus.application.identity.ports import CompanyWork
from nexus.domain.credits.periods import Period
from nexus.domain.identity.tenants import Company


def running(work: CompanyWork, company: Company, *, at: datetime) -> tuple[Plan, Period] | None:
    """The plan that runs and its period that contains the instant, in the company's time zone."""
    for bought in work.subscriptions.of(company.id):
        plan = Plan(
            subscription=bought.id,
            company=company.id,
            covered_employees=bought.covered_employees,
            credits_per_employee=bought.credits_per_employee,
            billing_day=bought.billing_day,
            start_date=bought.start_date,
            end_date=bought.end_date,
            time_zone=company.time_zone,
            allocated_period=None,
        )
        period = plan.calendar.period_at(at)
        if period is not None:
            return plan, period
    return None
