"""Who lives in a simulation: companies with families, venues with what they offer."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from attrs import define, evolve, field

from nexus.adapters.memory.world import World
from nexus.domain.kernel.ids import ChildId, CompanyId, SessionId, UserId
from tests.support.memory_town import MemoryTown
from tests.support.town import NOON, Town

START: Final = NOON
CHICAGO: Final = ZoneInfo("America/Chicago")
SIBLINGS: Final = (1, 2, 3, 1, 2, 1, 3, 2, 1, 2, 1, 1)
"""How many children each family has."""

COMPANIES: Final = 3
CONFIRMING: Final = 1
"""The venue that confirms bookings itself, within so many hours:"""
CONFIRMATION_HOURS: Final = 6


def numbered() -> Callable[[], UUID]:
    """Ids one after the other: the same ones in every run."""
    numbers = count(1)
    return lambda: UUID(int=next(numbers))


def plainly_numbered() -> Callable[[], Any]:
    """
    The same for a store in memory: plain numbers, which are compared several times as fast.

    The product passes ids on, compares and sorts them; whoever looked into one would fail here.
    """
    return count(1).__next__


@define
class Household:
    """A family by its number: parent, company and children."""

    parent: UserId
    company: CompanyId
    children: list[ChildId]


@define
class Village:
    """Several towns, each a company and a venue; families book at every venue."""

    towns: list[Any]
    households: list[Household] = field(factory=list)
    sessions: dict[int, SessionId] = field(factory=dict)
    numbers: dict[SessionId, int] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for number, siblings in enumerate(SIBLINGS):
            town = self.towns[number % len(self.towns)]
            found = town.family(children=siblings, credits=0)
            self.households.append(Household(found.parent, town.company, found.children))
        self.towns[CONFIRMING].at_the_venue(requires_confirmation=True, confirmation_hours=CONFIRMATION_HOURS)

    def plan(
        self,
        number: int,
        seats: int,
        price: int,
        *,
        at: datetime,
        starts_at: datetime,
        length: timedelta,
        releases_at: datetime | None,
        opens_at: datetime | None,
    ) -> SessionId:
        """A new session under that number; its venue is that number, too, modulo their count."""
        local, local_end = starts_at.astimezone(CHICAGO), (starts_at + length).astimezone(CHICAGO)
        town = self.towns[number % len(self.towns)]
        town.now = at
        session: SessionId = town.session(
            seats=seats,
            price=price,
            starts_at=starts_at,
            length=length,
            releases_at=releases_at,
            opens_at=opens_at,
            session_date=local.date(),
            start_time=local.time(),
            end_time=local_end.time(),
        )
        self.sessions[number], self.numbers[session] = session, number
        return session


def in_memory(world: World, new_id: Callable[[], UUID], *, varied: bool = True) -> Village:
    """The village in memory; *varied*: its companies bill on different days, in different zones."""
    village = Village([MemoryTown(world, START, new_id) for _ in range(COMPANIES)])
    if not varied:
        return village
    plans = ((1, 10, "America/Chicago"), (15, 6, "Pacific/Auckland"), (28, 14, "Europe/Lisbon"))
    for town, (day, credits, time_zone) in zip(village.towns, plans, strict=True):
        row = world.subscriptions[town.subscription]
        bought = evolve(row.subscription, billing_day=day, credits_per_employee=credits)
        world.subscriptions[town.subscription] = evolve(row, subscription=bought)
        world.companies[town.company] = evolve(world.companies[town.company], time_zone=time_zone)
        venue = world.venues[town.venue]
        assert venue.insurance is not None
        world.venues[town.venue] = evolve(
            venue, insurance=evolve(venue.insurance, expires_on=date(2029, 1, 1))
        )
    return village


def in_the_database(owner: Any, new_id: Callable[[], UUID]) -> Village:
    """The village in PostgreSQL, like one in memory that is not varied."""
    return Village([Town(owner, START, new_id) for _ in range(COMPANIES)])
