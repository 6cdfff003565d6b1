"""A small town in the database: one company, one venue, as many families and sessions as a test asks for."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from attrs import define, field

from nexus.domain.kernel.ids import ActivityId, ChildId, CompanyId, SessionId, UserId, VenueId

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""A Monday: the present of tests that do not choose another."""


@define
class Family:
    """A parent with children, and credits open around the present."""

    parent: UserId
    children: list[ChildId]


@define
class Town:
    """
    Rows written straight into PostgreSQL as their owner.

    For tests that are about what happens to seats and credits, not about how a
    company or venue came to be.
    """

    owner: psycopg.Connection
    now: datetime = NOON
    new_id: Callable[[], UUID] = uuid4
    company: CompanyId = field(init=False)
    subscription: UUID = field(init=False)
    venue: VenueId = field(init=False)
    activity: ActivityId = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.company = CompanyId(self.new_id())
        self.subscription, self.venue, self.activity = (
            self.new_id(),
            VenueId(self.new_id()),
            ActivityId(self.new_id()),
        )
        self._insert(
            "corporates",
            id=self.company,
            company_name="Acme",
            timezone="America/Chicago",
            primary_contact_name="Ann",
            primary_contact_email="ann@acme.example",
            contract_start_date=date(2026, 1, 1),
            created_at=self.now,
        )
        self._insert(
            "corporate_subscriptions",
            id=self.subscription,
            corporate_id=self.company,
            tier="standard",
            covered_employees=100_000,
            credits_per_employee=10,
            monthly_cost_minor=0,
            billing_cycle_day=1,
            start_date=date(2026, 1, 1),
            created_at=self.now,
        )
        self._insert(
            "venues",
            id=self.venue,
            name="The Barn",
            slug=f"barn-{self.venue}",
            status="active",
            timezone="America/Chicago",
            address_line1="1 Main St",
            city="Chicago",
            state="IL",
            postal_code="60601",
            latitude=41.88,
            longitude=-87.63,
            insurance_coverage_minor=100_000_000,
            insurance_expiry_date=date(2027, 1, 1),
            created_at=self.now,
        )
        self._insert(
            "activities",
            id=self.activity,
            venue_id=self.venue,
            name="Clay",
            slug="clay",
            category="arts_crafts",
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
        """A session of the activity, by default a week ahead."""
        starts_at = starts_at or self.now + timedelta(days=7)
        session = SessionId(self.new_id())
        self._insert(
            "activity_sessions",
            **{
                "id": session,
                "activity_id": self.activity,
                "venue_id": self.venue,
                "session_date": starts_at.date(),
                "start_time": time(9),
                "end_time": time(10),
                "timezone": "America/Chicago",
                "time_of_day": "morning",
                "starts_at": starts_at,
                "ends_at": starts_at + length,
                "credits_required": price,
                "total_capacity": seats,
                "sellable": seats,
                "releases_at": releases_at,
                "created_at": self.now,
            }
            | columns,
        )
        return session

    def family(self, *, children: int = 1, credits: int = 10) -> Family:
        """A parent whose children may be booked, with so many credits (0: no balance)."""
        parent = UserId(self.new_id())
        self._insert(
            "users",
            id=parent,
            email=f"{parent}@acme.example",
            role="parent",
            first_name="Pat",
            last_name="Doe",
            corporate_id=self.company,
            timezone="America/Chicago",
            joined_at=self.now,
        )
        family = Family(parent, [ChildId(self.new_id()) for _ in range(children)])
        for child in family.children:
            self._insert(
                "children",
                id=child,
                parent_id=parent,
                corporate_id=self.company,
                first_name="Kim",
                date_of_birth=date(2019, 1, 1),
                status="active",
                consents=["activity_booking", "data_collection"],
                created_at=self.now,
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
        """Credits for a period, by default open from a day ago for 27 days."""
        opens_at = opens_at or self.now - timedelta(days=1)
        closes_at = closes_at or opens_at + timedelta(days=28)
        period = {
            "corporate_id": self.company,
            "subscription_id": self.subscription,
            "billing_period_start": opens_at.date(),
            "billing_period_end": closes_at.date(),
            "opens_at": opens_at,
            "closes_at": closes_at,
        }
        known = self.owner.execute(
            "SELECT FROM credit_periods WHERE corporate_id = %s AND opens_at = %s", [self.company, opens_at]
        ).fetchone()
        if known is None:
            self._insert("credit_periods", **period)
        balance = self.new_id()
        self._insert(
            "user_credit_balances",
            id=balance,
            user_id=parent,
            **period,
            credits_allocated=credits,
            credits_available=credits,
            last_sequence=1,
        )
        self._insert(
            "credit_ledger",
            id=self.new_id(),
            balance_id=balance,
            user_id=parent,
            sequence=1,
            transaction_type="allocation",
            amount=credits,
            balance_after=credits,
            occurred_at=opens_at,
        )
        return balance

    def seats(self, session: SessionId) -> tuple[int, int, int, int]:
        """Sellable, booked, held, and how many entries wait."""
        row = self.owner.execute(
            "SELECT sellable, booked_count, held_count, waiting_count FROM activity_sessions WHERE id = %s",
            [session],
        ).fetchone()
        assert row is not None
        return row[0], row[1], row[2], row[3]

    def status(self, session: SessionId) -> str:
        """How the session stands."""
        return str(self.one("SELECT status FROM activity_sessions WHERE id = %s", session))

    def purse(self, balance: UUID) -> dict[str, int]:
        """The counters of a balance."""
        names = ("available", "used", "refunded", "forfeited", "expired")
        row = self.owner.execute(
            "SELECT credits_available, credits_used, credits_refunded, credits_forfeited, credits_expired"
            "  FROM user_credit_balances WHERE id = %s",
            [balance],
        ).fetchone()
        assert row is not None
        return dict(zip(names, row, strict=True))

    def ledger(self, balance: UUID) -> list[tuple[str, int, int]]:
        """Type, amount and what it left of each line, in order."""
        return self.owner.execute(
            "SELECT transaction_type, amount, balance_after FROM credit_ledger WHERE balance_id = %s ORDER BY sequence",
            [balance],
        ).fetchall()

    def events(self) -> list[str]:
        """The names of what has happened, in order."""
        return [row[0] for row in self.owner.execute("SELECT type FROM outbox ORDER BY position").fetchall()]

    def withdraw_consent(self, child: ChildId) -> None:
        """The parent takes back the consent to book, and nothing else happens."""
        self.owner.execute("UPDATE children SET consents = '{data_collection}' WHERE id = %s", [child])

    def at_the_venue(self, *, requires_confirmation: bool, confirmation_hours: int = 24) -> None:
        """Whether the venue confirms bookings itself."""
        self.owner.execute(
            "UPDATE venues SET requires_confirmation = %s, confirmation_hours = %s WHERE id = %s",
            [requires_confirmation, confirmation_hours, self.venue],
        )

    def one(self, statement: str, *values: Any) -> Any:
        """The first column of the first row."""
        row = self.owner.execute(statement, values).fetchone()
        return row and row[0]

    def _insert(self, table: str, **columns: Any) -> None:
        names = ", ".join(columns)
        marks = ", ".join(f"%({name})s" for name in columns)
        self.owner.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", columns)
