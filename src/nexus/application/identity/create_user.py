"""Open an account for somebody."""

from typing import Protocol

from attrs import frozen

from nexus.application.credits.allocate import grant
from nexus.application.credits.ports import Covered
from nexus.application.identity.mail_ports import MailTokens
from nexus.application.identity.ports import AccountWork, Passwords
from nexus.application.identity.running import running
from nexus.application.identity.views import Me
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.identity.mail import AccountMail, AccountMailAsked
from nexus.domain.identity.passwords import chosen_password
from nexus.domain.identity.people import Person, Role
from nexus.domain.identity.tenants import NoSeatsLeft
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import CompanyId, EventId, UserId, VenueId
from nexus.domain.kernel.texts import short_text

MOST_CREDITS = 1_000_000


@frozen(kw_only=True)
class NewUser:
    """Whose account to open; without a password the person is invited by mail to choose one."""

    email: str
    role: Role
    first_name: str
    last_name: str
    company: CompanyId | None = None
    venue: VenueId | None = None
    time_zone: str | None = None
    department: str | None = None
    phone: str | None = None
    monthly_credits: int | None = None
    password: str | None = None
    is_verified: bool = False
    """Whether it is known that the address is theirs, so that no mail need prove it."""


class OpeningWork(AccountWork, Protocol):
    """A unit of work that opens accounts and writes to whom they belong."""

    @property
    def mail_tokens(self) -> MailTokens: ...


@frozen
class CreateUser:
    """
    Open an account; an employee of a company with a running subscription has credits at once.

    Joining in the middle of a period gives its full amount. A mail brings the link
    with which the person chooses a password, or proves the address.
    """

    begin: Begin[OpeningWork]
    now: Clock
    new_id: NewId
    passwords: Passwords

    def __call__(self, new: NewUser) -> Me:
        """
        Who it is now.

        Raises:
            MalformedEmail, UnacceptablePassword, InvalidValue, MisplacedRole: Something is unusable.
            GuessablePassword: The password is one of the first that somebody would guess.
            EmailTaken: Somebody has this address.
            NoSuchThing: There is no such company or venue.
            NoSeatsLeft: The subscription covers no more employees.
        """
        if new.monthly_credits is not None and not 0 < new.monthly_credits <= MOST_CREDITS:
            raise InvalidValue("monthly_credits", f"must be between 1 and {MOST_CREDITS}")
        department = short_text("department", new.department, at_most=100) if new.department else None
        phone = short_text("phone", new.phone, at_most=50) if new.phone else None
        hashed = self._hashed(new)
        at = self.now()
        with self.begin() as work:
            company = work.companies.get(new.company) if new.company is not None else None
            if new.company is not None and company is None:
                raise NoSuchThing("company")
            if new.venue is not None and not work.accounts.has_venue(new.venue):
                raise NoSuchThing("venue")
            person = Person(
                id=UserId(self.new_id()),
                email=new.email,
                role=new.role,
                first_name=short_text("first_name", new.first_name, at_most=100),
                last_name=short_text("last_name", new.last_name, at_most=100),
                company=new.company,
                venue=new.venue,
                time_zone=new.time_zone or (company.time_zone if company else "America/New_York"),
                monthly_credits=new.monthly_credits,
                joined_at=at,
            )
            plan = running(work, company, at=at) if company is not None else None
            if plan is not None:
                bought, period = plan
                # Whoever counts seats holds the subscription, so that two do not take the last one.
                work.subscriptions.lock(bought.subscription)
                if work.accounts.seats_taken(bought.company, at=at) >= bought.covered_employees:
                    raise NoSeatsLeft(bought.covered_employees)
                work.accounts.add(person, password_hash=hashed, department=department, phone=phone)
                covered = Covered(person.id, person.joined_at, person.monthly_credits)
                grant(work, [covered], bought, period, at=at, new_id=self.new_id)
            else:
                work.accounts.add(person, password_hash=hashed, department=department, phone=phone)
            work.audit.add(
                Deed(
                    Action.ACCOUNT_OPENED,
                    person.id,
                    new={"role": person.role, "has_monthly_credits": person.monthly_credits},
                    company=person.company,
                    venue=person.venue,
                )
            )
            if new.is_verified:
                work.mail_tokens.verify(person.id, person.email, at=at)
            if hashed is None or not new.is_verified:
                work.outbox.add(
                    AccountMailAsked(
                        id=EventId(self.new_id()),
                        at=at,
                        user=person.id,
                        mail=AccountMail.INVITATION if hashed is None else AccountMail.VERIFY_EMAIL,
                    )
                )
            me = work.accounts.me(person.id)
        if me is None:
            raise NoSuchThing("user")
        return me

    def _hashed(self, new: NewUser) -> str | None:
        if new.password is None:
            return None
        own = (new.email, new.first_name, new.last_name)
        return self.passwords.hash(chosen_password(new.password, own=own, common=self.passwords.common))
