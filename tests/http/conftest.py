"""The routes of the product over a real database."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from psycopg_pool import ConnectionPool

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.domain.identity.people import Role
from nexus.entrypoints.http.api import build
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring import Nexus
from tests.conftest import empty
from tests.matrix.judge import Judge
from tests.matrix.routes import Route, routes
from tests.matrix.wants import WANTS
from tests.matrix.world import Boundless, Snapshot, World
from tests.support.blocking import Blocking
from tests.support.front import Door, Front, People, Setting, booking_app
from tests.support.makers import Makers
from tests.support.office import Office, venue_body
from tests.support.passwords import QUICK
from tests.support.town import NOON, Town
from tests.support.truth import Document


@pytest.fixture(scope="session")
def blocking() -> Blocking:
    return Blocking()


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop(blocking: Blocking) -> Iterator[None]:
    """Handlers that are declared light wait for nothing but the database."""
    yield
    assert blocking.seen() == []


@pytest.fixture(scope="session")
def door(pool: ConnectionPool) -> Iterator[Door]:
    """The application, started once for all tests."""
    clock, people = Setting(), People()
    nexus = Nexus(pool, now=clock, secret_key=bytes(range(32)), passwords=QUICK)
    with TestClient(booking_app(nexus, people), raise_server_exceptions=False) as client:
        yield Door(client, nexus, clock, people)


@pytest.fixture
def front(door: Door, begin: PostgresBegin, owner: psycopg.Connection) -> Front:
    """An empty town at noon, and its routes."""
    door.clock.at = NOON
    return Front(door.client, door.nexus, door.clock, door.people, Town(owner))


@pytest.fixture(scope="session")
def open_door(pool: ConnectionPool) -> Iterator[Door]:
    """The application with no limit to how often somebody may ask: the matrix asks everything."""
    clock, people = Setting(), People()
    nexus = Nexus(pool, now=clock, secret_key=bytes(range(32)), passwords=QUICK, limiter=Boundless())
    nexus.authenticate = people
    with TestClient(build(nexus, Settings(pool_size=4)), raise_server_exceptions=False) as client:
        yield Door(client, nexus, clock, people)


@pytest.fixture(scope="module")
def judge(open_door: Door, owner: psycopg.Connection) -> Iterator[Judge]:
    """Two companies and two venues with everything twice, and who asks them everything."""
    empty(owner)
    world = World(open_door, owner).build()
    yield Judge(world, Snapshot(owner, besides=frozenset({"audit_logs"})), WANTS)
    owner.execute("DROP SCHEMA kept CASCADE")


@pytest.fixture(scope="session")
def api_document(open_door: Door) -> dict[str, Any]:
    found: dict[str, Any] = open_door.client.get("/schema/openapi.json").json()
    return found


@pytest.fixture(scope="session")
def all_routes(open_door: Door, api_document: dict[str, Any]) -> list[Route]:
    """What the running application serves."""
    return routes(open_door.client.app, api_document)


@pytest.fixture(scope="session")
def served(door: Door) -> Iterator[TestClient[Litestar]]:
    """The whole application, as it is served, with real sign-ins."""
    with TestClient(build(door.nexus, Settings(pool_size=4)), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def document(served: TestClient[Litestar]) -> Document:
    return Document(served.get("/schema/openapi.json").json())


@pytest.fixture
def office(
    served: TestClient[Litestar],
    document: Document,
    door: Door,
    begin: PostgresBegin,
    owner: psycopg.Connection,
) -> Office:
    """An empty platform at noon, with its first administrator signed in."""
    door.clock.at = NOON
    return Office(served, door.nexus, door.clock, owner, document)


@pytest.fixture
def makers(office: Office) -> Makers:
    company = office.company()
    venue = office.made(office.admin, "/admin/venues", venue_body())["id"]
    return Makers(
        office,
        company,
        {
            Role.HR_ADMIN: office.joins(company, "hr@acme.example", role="hr_admin"),
            Role.VENUE_ADMIN: office.joins(None, "val@barn.example", role="venue_admin", venue_id=venue),
            Role.PLATFORM_ADMIN: office.admin,
        },
    )
