"""What use cases about people and families ask of stores and of the machine."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from attrs import field, frozen

from nexus.application.credits.ports import Credits
from nexus.application.identity.views import CompanyView, Employee, Me, SubscriptionView
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.audit import AuditWork
from nexus.application.kernel.ports import Outbox
from nexus.application.kernel.vault import ChildKeys
from nexus.application.platform.ports import Settings
from nexus.domain.billing.subscriptions import Subscription
from nexus.domain.compliance.consent import ConsentRecord
from nexus.domain.identity.families import ChildStatus, EnergyLevel, SocialPreference
from nexus.domain.identity.people import Person
from nexus.domain.identity.sessions import SignedIn
from nexus.domain.identity.suppression import Use
from nexus.domain.identity.tenants import Company
from nexus.domain.kernel.ids import ChildId, CompanyId, SubscriptionId, UserId, VenueId

NewToken = Callable[[], str]
"""A fresh token of 256 random bits, as text."""


class Passwords(Protocol):
    """Slow hashes of passwords."""

    @property
    def common(self) -> frozenset[str]:
        """Folded passwords that guessing begins with: nobody may choose one."""
        ...

    def hash(self, password: str) -> str:
        """What to store instead of the password; different each time."""
        ...

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the hash was made of this password; takes as long if there is no hash."""
        ...

    def needs_rehash(self, hashed: str) -> bool:
        """Whether the hash was made with weaker parameters than are used now."""
        ...


@frozen
class Credentials:
    """What a sign-in is checked against."""

    user: UserId
    password_hash: str | None = field(repr=False)
    is_active: bool


@frozen(kw_only=True)
class StoredChild:
    """
    A child as it is stored: its medical notes are sealed under its own key, and that key is sealed.

    It has none until something is sealed for it, and when it was destroyed.
    """

    id: ChildId
    parent: UserId
    company: CompanyId
    first_name: str
    date_of_birth: date
    energy_level: EnergyLevel | None
    social_preference: SocialPreference | None
    interests: tuple[str, ...]
    activities_to_avoid: tuple[str, ...]
    accessibility_needs: tuple[str, ...]
    medical_notes: bytes | None
    key: bytes | None = field(default=None, repr=False)
    status: ChildStatus
    consents: frozenset[str]
    created_at: datetime
    version: int


@frozen(kw_only=True)
class CreditTotals:
    """A company's credits in its open balances, with how many families use, lose and still have some."""

    allocated: int
    used: int
    expired: int
    families_using: int
    families_expiring: int
    families_left: int


class Accounts(Protocol):
    """People's accounts."""

    def credentials(self, email: str) -> Credentials | None:
        """Whose address it is; upper and lower case are the same."""
        ...

    def me(self, user: UserId) -> Me | None: ...

    def add(
        self, person: Person, *, password_hash: str | None, department: str | None, phone: str | None
    ) -> None:
        """
        Store a new account.

        Raises:
            EmailTaken: The address belongs to another one.
        """
        ...

    def rehash(self, user: UserId, password_hash: str) -> None: ...

    def lock(self, user: UserId) -> Person | None:
        """Somebody, and nobody else changes the account until the transaction ends."""
        ...

    def hold(self, user: UserId, password_hash: str) -> bool:
        """Whether the account is open and its password is still this one; both stay so as with :meth:`lock`."""
        ...

    def disable(self, user: UserId, *, reason: str, at: datetime) -> None: ...

    def enable(self, user: UserId) -> None: ...

    def has_venue(self, venue: VenueId) -> bool: ...

    def seats_taken(self, company: CompanyId, *, at: datetime) -> int:
        """How many employees are active and have not left."""
        ...


@frozen(kw_only=True)
class SignInEntry:
    """One of somebody's present sign-ins, as its owner sees it."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    is_remembered: bool
    has_second_factor: bool
    address: str | None
    device: str | None


class SignIns(Protocol):
    """Who is signed in, by the hash of the token."""

    def add(self, token_hash: bytes, signed_in: SignedIn) -> None: ...

    def recognise(self, token_hash: bytes, *, at: datetime) -> Actor | None:
        """
        Whose token it is, unless it ended, was not used for too long, or the account is disabled.

        Restricted where the role must have a second factor at that moment and the
        sign-in was made without. HR people who have left are parents.

        Once in ``SEEN_EVERY`` it is noted that the sign-in is in use; of many requests at
        once one notes it.
        """
        ...

    def get(self, sign_in: str, *, user: UserId) -> SignedIn | None:
        """One of somebody's sign-ins, ended or not."""
        ...

    def of(self, user: UserId, *, at: datetime) -> Sequence[SignInEntry]:
        """Those that somebody could use at that moment, the latest first."""
        ...

    def end(self, sign_in: str, user: UserId, *, at: datetime) -> None: ...

    def end_all(self, user: UserId, *, at: datetime, but: str | None = None) -> frozenset[str]:
        """End all of somebody's sign-ins, perhaps but one; the ids of those that this ended."""
        ...


class Companies(Protocol):
    """The companies."""

    def add(self, company: Company) -> None: ...

    def get(self, company: CompanyId) -> Company | None: ...

    def page(self, *, after: tuple[str, UUID] | None, limit: int) -> Sequence[CompanyView]:
        """By (name, id), upper and lower case apart."""
        ...


class Subscriptions(Protocol):
    """What the companies bought."""

    def add(self, subscription: Subscription) -> None:
        """
        Store a subscription.

        Raises:
            SubscriptionsOverlap: The company has another one in that time.
        """
        ...

    def of(self, company: CompanyId) -> Sequence[Subscription]: ...

    def lock(self, subscription: SubscriptionId) -> None:
        """Until the transaction ends nobody else counts seats or allocates by it."""
        ...

    def page(
        self, *, company: CompanyId | None, after: tuple[date, UUID] | None, limit: int
    ) -> Sequence[SubscriptionView]:
        """The latest start first, by (start_date, id)."""
        ...


class Staff(Protocol):
    """A company's people and their use of the pass, as HR may see it."""

    def employees(
        self, company: CompanyId, *, at: datetime, after: tuple[str, str, UUID] | None, limit: int
    ) -> Sequence[Employee]:
        """By (last name, first name, id)."""
        ...

    def lock(self, employee: UserId, *, company: CompanyId, at: datetime) -> Employee | None:
        """One of the company's people, locked; None when there is none of that id."""
        ...

    def leave(self, employee: UserId, *, left_at: datetime) -> None:
        """Nothing is allocated to that person from then on."""
        ...

    def credit_totals(self, company: CompanyId, *, at: datetime) -> CreditTotals: ...

    def bookings_by_category(
        self, company: CompanyId, *, since: datetime, until: datetime
    ) -> Mapping[str, Use]:
        """Bookings made in [since, until) that were not cancelled, with the families behind them."""
        ...


class Children(Protocol):
    """Children, each with its parent; their keys come along and are never changed here."""

    def add(self, child: StoredChild) -> None: ...

    def of(self, parent: UserId) -> Sequence[StoredChild]:
        """Those of a parent, the first registered first."""
        ...

    def get(self, child: ChildId, *, parent: UserId) -> StoredChild | None: ...

    def lock(self, child: ChildId, *, parent: UserId) -> StoredChild | None:
        """The same, and nobody else changes it or books for it until the transaction ends."""
        ...

    def save(self, child: StoredChild) -> None: ...


class ConsentHistory(Protocol):
    """Decisions about children, never changed."""

    def append(self, records: Sequence[ConsentRecord]) -> None: ...

    def of(self, child: ChildId, *, parent: UserId) -> Sequence[ConsentRecord]:
        """The history, oldest first."""
        ...


class StandDown(Protocol):
    """Takes a child out of every future booking and queue, inside the caller's transaction."""

    def __call__(self, work: Any, child: ChildId, *, parent: UserId, reason: str, at: datetime) -> None: ...


class SignInWork(AuditWork, Protocol):
    """A unit of work that knows accounts and sign-ins."""

    @property
    def accounts(self) -> Accounts: ...

    @property
    def sign_ins(self) -> SignIns: ...

    @property
    def settings(self) -> Settings: ...


class CompanyWork(AuditWork, Protocol):
    """A unit of work that knows companies and what they bought."""

    @property
    def companies(self) -> Companies: ...

    @property
    def subscriptions(self) -> Subscriptions: ...


class HrWork(CompanyWork, Protocol):
    """A unit of work that knows what HR may see."""

    @property
    def accounts(self) -> Accounts: ...

    @property
    def staff(self) -> Staff: ...


class AccountWork(CompanyWork, Protocol):
    """A unit of work that opens accounts and gives them their credits."""

    @property
    def accounts(self) -> Accounts: ...

    @property
    def credits(self) -> Credits: ...

    @property
    def outbox(self) -> Outbox: ...


class FamilyWork(AuditWork, Protocol):
    """A unit of work that knows children and the consents given for them."""

    @property
    def accounts(self) -> Accounts: ...

    @property
    def children(self) -> Children: ...

    @property
    def child_keys(self) -> ChildKeys: ...

    @property
    def consents(self) -> ConsentHistory: ...

    @property
    def outbox(self) -> Outbox: ...
