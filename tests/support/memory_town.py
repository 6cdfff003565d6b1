"""The twin of the town in the database: the same town in memory."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from attrs import define, evolve, field

from nexus.adapters.memory.account_rows import BalanceRow, LineRow, SubscriptionRow, UserRow
from nexus.adapters.memory.rows import SessionRow
from nexus.adapters.memory.world import World
from nexus.application.credits.views import LineView
from nexus.application.identity.ports import StoredChild
from nexus.domain.billing.subscriptions import Subscription, Tier
from nexus.domain.catalogue.activities import Activity, Category
from nexus.domain.catalogue.places import Place
from nexus.domain.catalogue.venues import Insurance, Venue, VenueStatus
from nexus.domain.credits.ledger import Movement
from nexus.domain.identity.families import ChildStatus
from nexus.domain.identity.people import Person, Role
from nexus.domain.identity.tenants import Company
from nexus.domain.kernel.ids import (
    ActivityId,
    BalanceId,
    ChildId,
    CompanyId,
    LineId,
    SessionId,
    SubscriptionId,
    UserId,
    VenueId,
)
from nexus.domain.kernel.money import Money
from tests.support.town import NOON, Family

COLUMNS = {"timezone": "time_zone", "sellable": "seats"}


@define
class MemoryTown:
    """Has the methods of ``Town``; see there."""

    world: World
    now: datetime = NOON
    new_id: Callable[[], UUID] = uuid4
    company: CompanyId = field(init=False)
    subscription: SubscriptionId = field(init=False)
    venue: VenueId = field(init=False)
    activity: ActivityId = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.company, self.subscription = CompanyId(self.new_id()), SubscriptionId(self.new_id())
        self.venue, self.activity = VenueId(self.new_id()), ActivityId(self.new_id())
        world = self.world
        world.companies[self.company] = Company(
            id=self.company,
            name="Acme",
            time_zone="America/Chicago",
            contact_name="Ann",
            contact_email="ann@acme.example",
            contract_start=date(2026, 1, 1),
            created_at=self.now,
        )
        world.subscriptions[self.subscription] = SubscriptionRow(
            Subscription(
                id=self.subscription,
                company=self.company,
                tier=Tier.STANDARD,
                covered_employees=100_000,
                credits_per_employee=10,
                monthly_cost=Money(0),
                billing_day=1,
                start_date=date(2026, 1, 1),
                created_at=self.now,
            )
        )
        world.venues[self.venue] = Venue(
            id=self.venue,
            name="The Barn",
            slug="barn",
            place=Place(
                address_line1="1 Main St",
                city="Chicago",
                state="IL",
                postal_code="60601",
                latitude=41.88,
                longitude=-87.63,
            ),
            time_zone="America/Chicago",
            status=VenueStatus.ACTIVE,
            insurance=Insurance(100_000_000, date(2027, 1, 1)),
            created_at=self.now,
        )
        world.activities[self.activity] = Activity(
            id=self.activity,
            venue=self.venue,
            name="Clay",
            slug="clay",
            category=Category.ARTS_CRAFTS,
            min_age=4,
            max_age=12,
            duration_minutes=60,
            credits_required=2,
            capacity_per_session=20,
            is_published=True,
            created_at=self.now,
        )

    def session(
        self,
        *,
        seats: int = 20,
        price: int = 2,
        starts_at: datetime | None = None,
        length: timedelta = timedelta(hours=1),
        releases_at: datetime | None = None,
        **columns: Any,
    ) -> SessionId:
        starts_at = starts_at or self.now + timedelta(days=7)
        id_ = SessionId(self.new_id())
        values: dict[str, Any] = {
            "id": id_,
            "activity": self.activity,
            "venue": self.venue,
            "session_date": starts_at.date(),
            "start_time": time(9),
            "end_time": time(10),
            "time_zone": "America/Chicago",
            "starts_at": starts_at,
            "ends_at": starts_at + length,
            "credits_required": price,
            "total_capacity": seats,
            "seats": seats,
            "releases_at": releases_at,
            "created_at": self.now,
        }
        values |= {COLUMNS.get(name, name): value for name, value in columns.items() if name != "time_of_day"}
        self.world.sessions[id_] = SessionRow(**values)
        return id_

    def family(self, *, children: int = 1, credits: int = 10) -> Family:
        parent = UserId(self.new_id())
        self.world.users[parent] = UserRow(
            Person(
                id=parent,
                email=f"{parent}@acme.example",
                role=Role.PARENT,
                first_name="Pat",
                last_name="Doe",
                company=self.company,
                time_zone="America/Chicago",
                joined_at=self.now,
            ),
            None,
            None,
            None,
        )
        family = Family(parent, [ChildId(self.new_id()) for _ in range(children)])
        for child in family.children:
            self.world.children[child] = StoredChild(
                id=child,
                parent=parent,
                company=self.company,
                first_name="Kim",
                date_of_birth=date(2019, 1, 1),
                energy_level=None,
                social_preference=None,
                interests=(),
                activities_to_avoid=(),
                accessibility_needs=(),
                medical_notes=None,
                status=ChildStatus.ACTIVE,
                consents=frozenset({"activity_booking", "data_collection"}),
                created_at=self.now,
                version=1,
            )
        if credits:
            self.balance(parent, credits=credits)
        return family

    def balance(
        self,
        parent: UserId,
        *,
        credits: int,
        opens_at: datetime | None = None,
        closes_at: datetime | None = None,
    ) -> UUID:
        opens_at = opens_at or self.now - timedelta(days=1)
        closes_at = closes_at or opens_at + timedelta(days=28)
        balance, line = BalanceId(self.new_id()), LineId(self.new_id())
        self.world.balances[balance] = BalanceRow(
            id=balance,
            user=parent,
            company=self.company,
            subscription=self.subscription,
            period_start=opens_at.date(),
            period_end=closes_at.date(),
            opens_at=opens_at,
            closes_at=closes_at,
            allocated=credits,
            available=credits,
        )
        self.world.lines[line] = LineRow(
            user=parent,
            view=LineView(
                id=line,
                balance=balance,
                sequence=1,
                movement=Movement.ALLOCATION,
                amount=credits,
                balance_after=credits,
                booking=None,
                reason=None,
                occurred_at=opens_at,
            ),
        )
        return balance

    def seats(self, session: SessionId) -> tuple[int, int, int, int]:
        row = self.world.sessions[session]
        return row.seats, row.booked_count, row.held_count, row.waiting_count

    def status(self, session: SessionId) -> str:
        return self.world.sessions[session].status

    def purse(self, balance: UUID) -> dict[str, int]:
        row = self.world.balances[balance]
        names = ("available", "used", "refunded", "forfeited", "expired")
        return {name: getattr(row, name) for name in names}

    def ledger(self, balance: UUID) -> list[tuple[str, int, int]]:
        lines = (row.view for row in self.world.lines.values() if row.view.balance == balance)
        return [
            (str(line.movement), line.amount, line.balance_after)
            for line in sorted(lines, key=lambda line: line.sequence)
        ]

    def events(self) -> list[str]:
        return [type(event).__name__ for event in self.world.events.values()]

    def withdraw_consent(self, child: ChildId) -> None:
        row = self.world.children[child]
        self.world.children[child] = evolve(row, consents=frozenset({"data_collection"}))

    def at_the_venue(self, **columns: Any) -> None:
        self.world.venues[self.venue] = evolve(self.world.venues[self.venue], **columns)
