"""Somebody leaves the company."""

from datetime import date

from attrs import evolve, frozen

from nexus.application.identity.ports import HrWork
from nexus.application.identity.views import Employee
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.identity.people import departure
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import UserId


@frozen
class RecordLeaver:
    """
    Note that an employee leaves, after a last day or at once.

    From then on no credits are allocated and the seat is free for somebody else;
    what was allocated can be used up, and future bookings stand.
    """

    begin: Begin[HrWork]
    now: Clock

    def __call__(self, employee: UserId, *, actor: Actor, last_day: date | None = None) -> Employee:
        """
        Raises:
            NoSuchThing: The company of whoever asks has no such employee.
            LeftAlready: That person has left.
            InvalidValue: The last day lies before the first.
        """
        if actor.company is None:
            raise NoSuchThing("company")
        at = self.now()
        with self.begin() as work:
            company = work.companies.get(actor.company)
            if company is None:
                raise NoSuchThing("company")
            found = work.staff.lock(employee, company=company.id, at=at)
            if found is None:
                raise NoSuchThing("employee")
            left_at = departure(
                last_day,
                joined_at=found.joined_at,
                left_at=found.left_at,
                time_zone=company.time_zone,
                at=at,
            )
            work.staff.leave(employee, left_at=left_at)
            work.audit.add(Deed(Action.LEAVER_RECORDED, employee, new={"left_at": left_at}))
        return evolve(found, left_at=left_at)
