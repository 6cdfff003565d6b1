"""People, companies and a clock, as tests of several contexts need them."""

from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

from attrs import define, field

from nexus.adapters.vault.aesgcm import AesGcmVault
from nexus.application.identity.companies import (
    CreateCompany,
    CreateSubscription,
    NewCompany,
    NewSubscription,
)
from nexus.application.identity.create_user import CreateUser, NewUser
from nexus.application.kernel.actor import Actor
from nexus.domain.billing.subscriptions import Tier
from nexus.domain.identity.people import Role
from nexus.domain.kernel.money import Money

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


class PlainPasswords:
    """Fast and worthless, but keeps the port's promises."""

    common = frozenset({"password1"})

    def __init__(self, scheme="new"):
        self.scheme = scheme
        self.verified = []
        self.hashed = []

    def hash(self, password):
        self.hashed.append(password)
        return f"{self.scheme}:{password}"

    def verify(self, password, hashed):
        self.verified.append(hashed)
        return hashed is not None and hashed.partition(":")[2] == password

    def needs_rehash(self, hashed):
        return not hashed.startswith(f"{self.scheme}:")


@define
class StandsDown:
    """Notes who was taken out of bookings and queues."""

    children: list = field(factory=list)

    def __call__(self, work, child, *, parent, reason, at):
        self.children.append(child)


@define
class Stage:
    """A store, a clock that tests set, ids in sequence, and short ways to people."""

    begin: object
    at: datetime = MONDAY
    passwords: PlainPasswords = field(factory=PlainPasswords)
    vault: AesGcmVault = field(factory=lambda: AesGcmVault(bytes(32)))
    stands_down: StandsDown = field(factory=StandsDown)
    numbers: object = field(factory=lambda: count(1))

    def now(self):
        return self.at

    def new_id(self):
        return UUID(int=next(self.numbers))

    @contextmanager
    def work(self):
        with self.begin() as work:
            yield work

    def company(self, name="Acme", time_zone="America/New_York"):
        create = CreateCompany(self.begin, self.now, self.new_id)
        return create(
            NewCompany(
                name=name,
                time_zone=time_zone,
                contact_name="Kim",
                contact_email="kim@example.com",
                contract_start=date(2026, 1, 1),
            )
        )

    def subscription(
        self, company, *, covered=10, credits_each=8, start=date(2026, 1, 1), end=None, billing_day=1
    ):
        create = CreateSubscription(self.begin, self.now, self.new_id)
        return create(
            NewSubscription(
                company=company.id,
                tier=Tier.STANDARD,
                covered_employees=covered,
                credits_per_employee=credits_each,
                monthly_cost=Money(100_00),
                billing_day=billing_day,
                start_date=start,
                end_date=end,
            )
        )

    def user(self, role=Role.PARENT, company=None, email=None, **more):
        create = CreateUser(self.begin, self.now, self.new_id, self.passwords)
        me = create(
            NewUser(
                email=email or f"p{next(self.numbers)}@example.com",
                role=role,
                first_name=more.pop("first_name", "Ada"),
                last_name=more.pop("last_name", "Lind"),
                company=company.id if company else None,
                **more,
            )
        )
        return Actor(user=me.id, role=me.role, company=me.company, venue=me.venue)
