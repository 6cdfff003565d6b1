"""Shut somebody out, and let them in again."""

from typing import Protocol

from attrs import evolve, frozen

from nexus.application.identity.factor_ports import FactorWork
from nexus.application.identity.ports import CompanyWork
from nexus.application.identity.running import running
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.identity.people import DisabledAlready, EnabledAlready, OwnAccount, Person
from nexus.domain.identity.tenants import NoSeatsLeft
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import UserId
from nexus.domain.kernel.texts import short_text

LONGEST_REASON = 500


class AdmissionWork(FactorWork, CompanyWork, Protocol):
    """A unit of work that knows accounts, their sign-ins and the seats they take."""


@frozen
class DisableUser:
    """
    Shut an account: every sign-in of it ends with the next request, half-done ones too.

    Bookings stand, nothing is allocated any more, and the seat is free for somebody else.
    """

    begin: Begin[FactorWork]
    now: Clock

    def __call__(self, user: UserId, *, reason: str, actor: Actor) -> Person:
        """
        Raises:
            OwnAccount: Nobody shuts themselves out.
            NoSuchThing: There is no such account.
            DisabledAlready: It is shut.
            InvalidValue: The reason says nothing, or too much.
        """
        why = short_text("reason", reason, at_most=LONGEST_REASON)
        if user == actor.user:
            raise OwnAccount
        at = self.now()
        with self.begin() as work:
            person = work.accounts.lock(user)
            if person is None:
                raise NoSuchThing("user")
            if not person.is_active:
                raise DisabledAlready
            work.accounts.disable(user, reason=why, at=at)
            work.challenges.close_all(user, at=at)
            work.sign_ins.end_all(user, at=at)
            work.audit.add(Deed(Action.ACCOUNT_DISABLED, user, company=person.company, venue=person.venue))
        return evolve(person, is_active=False)


@frozen
class EnableUser:
    """
    Open a shut account again; its owner signs in anew.

    An employee takes a seat again, and is given credits with the next period.
    """

    begin: Begin[AdmissionWork]
    now: Clock

    def __call__(self, user: UserId, *, reason: str) -> Person:
        """
        Raises:
            NoSuchThing: There is no such account.
            EnabledAlready: It is open.
            NoSeatsLeft: The subscription covers no more employees.
            InvalidValue: The reason says nothing, or too much.
        """
        short_text("reason", reason, at_most=LONGEST_REASON)
        with self.begin() as work:
            person = work.accounts.lock(user)
            if person is None:
                raise NoSuchThing("user")
            if person.is_active:
                raise EnabledAlready
            self._require_seat(work, person)
            work.accounts.enable(user)
            work.audit.add(Deed(Action.ACCOUNT_ENABLED, user, company=person.company, venue=person.venue))
        return evolve(person, is_active=True)

    def _require_seat(self, work: AdmissionWork, person: Person) -> None:
        at = self.now()
        enabled = evolve(person, is_active=True)
        company = work.companies.get(person.company) if person.company else None
        plan = running(work, company, at=at) if company is not None else None
        if plan is None or not enabled.is_covered(at=at):
            return
        bought, _ = plan
        # Whoever counts seats holds the subscription, so that two do not take the last one.
        work.subscriptions.lock(bought.subscription)
        if work.accounts.seats_taken(bought.company, at=at) >= bought.covered_employees:
            raise NoSeatsLeft(bought.covered_employees)
