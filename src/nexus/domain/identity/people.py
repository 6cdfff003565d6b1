"""People and the four roles they take part in."""

import re
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from attrs import field, frozen

from nexus.domain.kernel.errors import Conflict, Invalid, InvalidValue
from nexus.domain.kernel.ids import CompanyId, UserId, VenueId
from nexus.domain.kernel.time import local_date, start_of_day, zone


class Role(StrEnum):
    """What somebody is on the pass; it decides which tenant they belong to."""

    PARENT = "parent"
    HR_ADMIN = "hr_admin"
    VENUE_ADMIN = "venue_admin"
    PLATFORM_ADMIN = "platform_admin"

    @property
    def is_employee(self) -> bool:
        """Employees have credits, children and bookings; HR people are employees too."""
        return self in (Role.PARENT, Role.HR_ADMIN)


@frozen
class MalformedEmail(Invalid):
    """That is not an e-mail address."""

    email: str


@frozen
class EmailTaken(Conflict):
    """Somebody already signs in with this e-mail address."""


@frozen
class MisplacedRole(Invalid):
    """Employees belong to a company, venue admins to a venue, platform admins to neither."""

    role: Role


@frozen
class OwnAccount(Conflict):
    """Nobody shuts their own account."""


@frozen
class DisabledAlready(Conflict):
    """This account is shut already."""


@frozen
class EnabledAlready(Conflict):
    """This account is open already."""


LONGEST_ADDRESS: Final = 254
"""Characters that an address may have (RFC 5321, less the angle brackets)."""


@frozen
class LeftAlready(Conflict):
    """This person has left the company already."""

    left_at: datetime


# One @, something on both sides, a dot in the domain, no white space or control
# characters: a message that arrives is the only real proof of an address.
_ADDRESS = re.compile(r"[^\s@\x00-\x1f]{1,64}@(?:[^\s@.\x00-\x1f]+\.)+[^\s@.\x00-\x1f]{2,}")


def email_address(text: str) -> str:
    """
    A usable e-mail address, white space around it removed; case is kept and never compared.

    Raises:
        MalformedEmail: It cannot be one.
    """
    address = text.strip()
    if len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise MalformedEmail(text)
    return address


def _valid_zone(_self: Any, _attribute: Any, name: str) -> None:
    zone(name)


@frozen(kw_only=True)
class Person:
    """
    Somebody with an account.

    ``monthly_credits`` replaces the subscription's amount where an invitation set
    another one. Accounts are deactivated, never deleted; who has left the company
    keeps future bookings but gets no more credits.
    """

    id: UserId
    email: str = field(converter=email_address)
    role: Role
    first_name: str
    last_name: str
    company: CompanyId | None = None
    venue: VenueId | None = None
    time_zone: str = field(default="America/New_York", validator=_valid_zone)
    monthly_credits: int | None = None
    joined_at: datetime
    left_at: datetime | None = None
    is_active: bool = True

    def __attrs_post_init__(self) -> None:
        placed = (self.company is not None, self.venue is not None)
        if placed != (self.role.is_employee, self.role is Role.VENUE_ADMIN):
            raise MisplacedRole(self.role)

    def is_covered(self, *, at: datetime) -> bool:
        """Whether the company's pass gives this person credits at that moment."""
        return self.is_active and self.role.is_employee and (self.left_at is None or at < self.left_at)


def departure(
    last_day: date | None, *, joined_at: datetime, left_at: datetime | None, time_zone: str, at: datetime
) -> datetime:
    """
    When somebody who leaves a company stops getting credits: after *last_day*, or now.

    Days are those of the company's *time_zone*; a departure that lies ahead can be
    moved, one that has happened cannot.

    Raises:
        LeftAlready: It has happened.
        InvalidValue: The last day lies before the first.
    """
    if left_at is not None and left_at <= at:
        raise LeftAlready(left_at)
    if last_day is None:
        return at
    if last_day < local_date(joined_at, time_zone):
        raise InvalidValue("last_day", "must not be before the person joined")
    return start_of_day(last_day + timedelta(days=1), time_zone)
