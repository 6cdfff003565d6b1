"""Companies: they buy the pass for their people."""

from datetime import date, datetime
from typing import Any, Final

from attrs import field, frozen

from nexus.domain.identity.people import email_address
from nexus.domain.kernel.errors import Conflict, InvalidValue
from nexus.domain.kernel.ids import CompanyId
from nexus.domain.kernel.texts import short_text
from nexus.domain.kernel.time import zone

MOST_PEOPLE: Final = 10_000_000
LONGEST_TERM: Final = 365


@frozen
class NoSeatsLeft(Conflict):
    """Every seat that the company's subscription covers is taken."""

    covered: int


def _name(text: str) -> str:
    return short_text("name", text, at_most=255)


def _contact(text: str) -> str:
    return short_text("contact_name", text, at_most=255)


@frozen(kw_only=True)
class Company:
    """
    A company whose people have the pass.

    Its time zone decides when its credit periods begin and end. The contract
    runs from its first day up to, not including, its end.
    """

    id: CompanyId
    name: str = field(converter=_name)
    time_zone: str = field()
    contact_name: str = field(converter=_contact)
    contact_email: str = field(converter=email_address)
    industry: str | None = None
    employee_count: int | None = field(default=None)
    payment_terms_days: int = field(default=30)
    contract_start: date
    contract_end: date | None = None
    is_active: bool = True
    created_at: datetime

    @time_zone.validator
    def _is_a_zone(self, _attribute: Any, name: str) -> None:
        zone(name)

    @employee_count.validator
    def _has_people(self, _attribute: Any, count: int | None) -> None:
        if count is not None and not 0 < count <= MOST_PEOPLE:
            raise InvalidValue("employee_count", f"must be between 1 and {MOST_PEOPLE}")

    @payment_terms_days.validator
    def _is_a_term(self, _attribute: Any, days: int) -> None:
        if not 0 <= days <= LONGEST_TERM:
            raise InvalidValue("payment_terms_days", f"must be between 0 and {LONGEST_TERM}")

    def __attrs_post_init__(self) -> None:
        if self.contract_end is not None and self.contract_end <= self.contract_start:
            raise InvalidValue("contract_end", "must be after the contract's start")
