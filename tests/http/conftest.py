"""The routes of the product over a real database."""

from collections.abc import Iterator

import psycopg
import pytest
from litestar.testing import TestClient
from psycopg_pool import ConnectionPool

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.entrypoints.wiring import Nexus
from tests.support.front import Door, Front, People, Setting, booking_app
from tests.support.town import NOON, Town


@pytest.fixture(scope="session")
def door(pool: ConnectionPool) -> Iterator[Door]:
    """The application, started once for all tests."""
    clock, people = Setting(), People()
    nexus = Nexus(pool, now=clock, secret_key=bytes(range(32)))
    with TestClient(booking_app(nexus, people), raise_server_exceptions=False) as client:
        yield Door(client, nexus, clock, people)


@pytest.fixture
def front(door: Door, begin: PostgresBegin, owner: psycopg.Connection) -> Front:
    """An empty town at noon, and its routes."""
    door.clock.at = NOON
    return Front(door.client, door.nexus, door.clock, door.people, Town(owner))
