"""What a company's HR sees: its people, and their use of the pass in sum."""

from collections.abc import Sequence
from uuid import UUID

from attrs import frozen

from nexus.application.identity.ports import CreditTotals, HrWork
from nexus.application.identity.running import running
from nexus.application.identity.views import CategoryUse, Employee, HrOverview
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.identity.suppression import FEWEST, Use, is_telling, shown
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import CompanyId


def _company_of(actor: Actor) -> CompanyId:
    if actor.company is None:
        raise NoSuchThing("company")
    return actor.company


def _shown_of(totals: CreditTotals) -> tuple[int | None, int | None]:
    """
    The used and the expired credits, as far as they may be shown.

    What was given is shown and is what was used, expired and is left: so what is
    not shown of these three has nobody or enough families behind it.
    """
    left, expiring = totals.families_left, totals.families_expiring
    rest_tells = is_telling(max(left, expiring)) and (left or expiring)
    if is_telling(totals.families_using) or rest_tells:
        return None, None
    if is_telling(expiring) or (left and is_telling(left)):
        return totals.used, None
    return totals.used, totals.expired


@frozen
class ListEmployees:
    """
    The company's people, those who left included, by (last name, first name, id) in lower case.

    What an employee was given is the company's own decision; what they used is
    not shown, because a figure about one family tells on it.
    """

    begin: Begin[HrWork]
    now: Clock

    def __call__(
        self, *, actor: Actor, after: tuple[str, str, UUID] | None = None, limit: int = 50
    ) -> Sequence[Employee]:
        company = _company_of(actor)
        with self.begin() as work:
            work.audit.add(Deed(Action.EMPLOYEES_LISTED, company))
            return work.staff.employees(company, at=self.now(), after=after, limit=limit)


@frozen
class OverviewHr:
    """How the company uses the pass in the current period; small figures are withheld."""

    begin: Begin[HrWork]
    now: Clock
    categories: tuple[str, ...]

    def __call__(self, *, actor: Actor) -> HrOverview:
        """
        Raises:
            NoSuchThing: Whoever asks belongs to no company.
        """
        mine = _company_of(actor)
        at = self.now()
        with self.begin() as work:
            company = work.companies.get(mine)
            if company is None:
                raise NoSuchThing("company")
            work.audit.add(Deed(Action.USE_OVERVIEWED, mine))
            plan = running(work, company, at=at)
            people = work.accounts.seats_taken(company.id, at=at)
            totals = work.staff.credit_totals(company.id, at=at)
            booked = (
                work.staff.bookings_by_category(company.id, since=plan[1].opens_at, until=plan[1].closes_at)
                if plan
                else {}
            )
        use = shown({category: booked.get(category, Use()) for category in self.categories})
        used, expired = _shown_of(totals)
        return HrOverview(
            company_name=company.name,
            people=people,
            covered_seats=plan[0].covered_employees if plan else None,
            period_start=plan[1].first if plan else None,
            period_end=plan[1].until if plan else None,
            credits_allocated=totals.allocated,
            credits_used=used,
            credits_expired=expired,
            bookings=use.total,
            bookings_by_category=tuple(
                CategoryUse(category, use.parts[category]) for category in self.categories
            ),
            fewest_families=FEWEST,
        )
