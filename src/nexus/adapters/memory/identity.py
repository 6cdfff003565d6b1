"""Accounts, sign-ins, companies, children: the twin of the tables about people."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from attrs import asdict, evolve

from nexus.adapters.memory.account_rows import SubscriptionRow, UserRow
from nexus.adapters.memory.world import World
from nexus.application.identity.ports import Credentials, CreditTotals, StoredChild
from nexus.application.identity.views import CompanyView, Employee, Me, SubscriptionView
from nexus.application.kernel.vault import SealBroken
from nexus.domain.billing.subscriptions import Subscription, SubscriptionsOverlap
from nexus.domain.compliance.consent import ConsentRecord
from nexus.domain.identity.people import EmailTaken, Person
from nexus.domain.identity.suppression import Use
from nexus.domain.identity.tenants import Company
from nexus.domain.kernel.ids import ChildId, CompanyId, SubscriptionId, UserId, VenueId


class MemoryAccounts:
    """The twin of ``users``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def credentials(self, email: str) -> Credentials | None:
        row = self._owner(email)
        return None if row is None else Credentials(row.person.id, row.password_hash, row.person.is_active)

    def me(self, user: UserId) -> Me | None:
        row = self._world.users.get(user)
        if row is None:
            return None
        person = row.person
        company = self._world.companies.get(person.company) if person.company else None
        venue = self._world.venues.get(person.venue) if person.venue else None
        return Me(
            id=person.id,
            email=person.email,
            role=person.role,
            first_name=person.first_name,
            last_name=person.last_name,
            company=person.company,
            company_name=company.name if company else None,
            venue=person.venue,
            venue_name=venue.name if venue else None,
            time_zone=person.time_zone,
            joined_at=person.joined_at,
            email_verified_at=self._world.verified.get(person.id),
        )

    def add(
        self, person: Person, *, password_hash: str | None, department: str | None, phone: str | None
    ) -> None:
        if self._owner(person.email) is not None:
            raise EmailTaken
        self._world.users[person.id] = UserRow(person, password_hash, department, phone)

    def rehash(self, user: UserId, password_hash: str) -> None:
        self._world.users[user] = evolve(self._world.users[user], password_hash=password_hash)

    def lock(self, user: UserId) -> Person | None:
        row = self._world.users.get(user)
        return None if row is None else row.person

    def hold(self, user: UserId, password_hash: str) -> bool:
        row = self._world.users.get(user)
        return row is not None and row.person.is_active and row.password_hash == password_hash

    def disable(self, user: UserId, *, reason: str, at: datetime) -> None:  # noqa: ARG002 - no twin tells why
        row = self._world.users[user]
        self._world.users[user] = evolve(row, person=evolve(row.person, is_active=False))

    def enable(self, user: UserId) -> None:
        row = self._world.users[user]
        self._world.users[user] = evolve(row, person=evolve(row.person, is_active=True))

    def has_venue(self, venue: VenueId) -> bool:
        return venue in self._world.venues

    def seats_taken(self, company: CompanyId, *, at: datetime) -> int:
        people = (row.person for row in self._world.users.values())
        return sum(person.company == company and person.is_covered(at=at) for person in people)

    def _owner(self, email: str) -> UserRow | None:
        rows = self._world.users.values()
        return next((row for row in rows if row.person.email.lower() == email.lower()), None)


class MemoryCompanies:
    """The twin of ``corporates``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, company: Company) -> None:
        self._world.companies[company.id] = company

    def get(self, company: CompanyId) -> Company | None:
        return self._world.companies.get(company)

    def page(self, *, after: tuple[str, UUID] | None, limit: int) -> Sequence[CompanyView]:
        keyed = sorted(((each.name.lower(), each.id), each) for each in self._world.companies.values())
        start = after and (after[0].lower(), after[1])
        found = [each for key, each in keyed if start is None or key > start]
        return [CompanyView(**asdict(each, recurse=False)) for each in found[:limit]]


class MemorySubscriptions:
    """The twin of ``corporate_subscriptions``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, subscription: Subscription) -> None:
        if any(subscription.overlaps(other) for other in self.of(subscription.company)):
            raise SubscriptionsOverlap
        self._world.subscriptions[subscription.id] = SubscriptionRow(subscription)

    def of(self, company: CompanyId) -> Sequence[Subscription]:
        mine = (row.subscription for row in self._world.subscriptions.values())
        return sorted((each for each in mine if each.company == company), key=lambda each: each.start_date)

    def lock(self, subscription: SubscriptionId) -> None:
        """Units of work on a world run one at a time anyway."""

    def page(
        self, *, company: CompanyId | None, after: tuple[date, UUID] | None, limit: int
    ) -> Sequence[SubscriptionView]:
        rows = sorted(
            self._world.subscriptions.values(),
            key=lambda row: (row.subscription.start_date, row.subscription.id),
            reverse=True,
        )
        return [
            SubscriptionView(
                **asdict(row.subscription, recurse=False),
                company_name=self._world.companies[row.subscription.company].name,
                allocated_period=row.allocated_period,
            )
            for row in rows
            if company in {None, row.subscription.company}
            and (after is None or (row.subscription.start_date, row.subscription.id) < after)
        ][:limit]


class MemoryStaff:
    """The twin of what HR may see."""

    def __init__(self, world: World) -> None:
        self._world = world

    def employees(
        self, company: CompanyId, *, at: datetime, after: tuple[str, str, UUID] | None, limit: int
    ) -> Sequence[Employee]:
        start = after and (after[0].lower(), after[1].lower(), after[2])
        keyed = sorted(
            (
                ((row.person.last_name.lower(), row.person.first_name.lower(), row.person.id), row)
                for row in self._world.users.values()
                if row.person.company == company
            ),
            key=lambda each: each[0],
        )
        return [self._employee(row, at) for key, row in keyed if start is None or key > start][:limit]

    def _employee(self, row: UserRow, at: datetime) -> Employee:
        person = row.person
        given = (
            balance.allocated
            for balance in self._world.balances.values()
            if balance.user == person.id and balance.opens_at <= at < balance.closes_at
        )
        return Employee(
            id=person.id,
            first_name=person.first_name,
            last_name=person.last_name,
            email=person.email,
            department=row.department,
            is_active=person.is_active,
            joined_at=person.joined_at,
            left_at=person.left_at,
            credits_allocated=next(given, None),
        )

    def lock(self, employee: UserId, *, company: CompanyId, at: datetime) -> Employee | None:
        row = self._world.users.get(employee)
        return self._employee(row, at) if row is not None and row.person.company == company else None

    def leave(self, employee: UserId, *, left_at: datetime) -> None:
        row = self._world.users[employee]
        self._world.users[employee] = evolve(row, person=evolve(row.person, left_at=left_at))

    def credit_totals(self, company: CompanyId, *, at: datetime) -> CreditTotals:
        mine = [
            balance
            for balance in self._world.balances.values()
            if balance.company == company and balance.opens_at <= at < balance.closes_at
        ]
        return CreditTotals(
            allocated=sum(balance.allocated for balance in mine),
            used=sum(balance.used - balance.refunded for balance in mine),
            expired=sum(balance.expired for balance in mine),
            families_using=sum(balance.used > 0 or balance.refunded > 0 for balance in mine),
            families_expiring=sum(balance.expired > 0 for balance in mine),
            families_left=sum(balance.available > 0 for balance in mine),
        )

    def bookings_by_category(
        self, company: CompanyId, *, since: datetime, until: datetime
    ) -> Mapping[str, Use]:
        use: dict[str, Use] = {}
        for row in self._world.bookings.values():
            made = row.booking
            person = self._world.users[made.parent].person
            cancelled = made.status.value.startswith("cancelled")
            if person.company != company or not since <= row.booked_at < until or cancelled:
                continue
            category = self._world.activities[self._world.sessions[made.session].activity].category
            earlier = use.get(category, Use())
            use[category] = Use(earlier.figure + 1, frozenset({*earlier.families, made.parent}))
        return use


class MemoryChildren:
    """The twin of ``children``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, child: StoredChild) -> None:
        self._world.children[child.id] = child

    def of(self, parent: UserId) -> Sequence[StoredChild]:
        mine = [self._with_key(child) for child in self._world.children.values() if child.parent == parent]
        return sorted(mine, key=lambda child: (child.created_at, child.id))

    def get(self, child: ChildId, *, parent: UserId) -> StoredChild | None:
        found = self._world.children.get(child)
        return self._with_key(found) if found is not None and found.parent == parent else None

    def lock(self, child: ChildId, *, parent: UserId) -> StoredChild | None:
        return self.get(child, parent=parent)

    def save(self, child: StoredChild) -> None:
        self._world.children[child.id] = child

    def _with_key(self, child: StoredChild) -> StoredChild:
        return evolve(child, key=self._world.child_keys.get(child.id))


class MemoryChildKeys:
    """The twin of ``child_keys``; of a destroyed key None is left."""

    def __init__(self, world: World) -> None:
        self._world = world

    def give(self, child: ChildId, key: bytes, *, at: datetime) -> bytes:  # noqa: ARG002 - no twin tells when
        if child not in self._world.child_keys:
            self._world.child_keys[child] = key
        standing = self._world.child_keys[child]
        if standing is None:
            raise SealBroken
        return standing


class MemoryConsents:
    """The twin of ``parental_consent_records``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def append(self, records: Iterable[ConsentRecord]) -> None:
        self._world.consents |= {record.id: record for record in records}

    def of(self, child: ChildId, *, parent: UserId) -> Sequence[ConsentRecord]:
        records = self._world.consents.values()
        return [record for record in records if record.child == child and record.parent == parent]
