"""What workers stand on: the use cases over a real database, and events that wait in it."""

from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.domain.compliance.events import ConsentChanged
from nexus.domain.kernel.ids import ChildId, EventId, UserId
from nexus.entrypoints.wiring import Nexus
from tests.support.front import Setting
from tests.support.town import NOON, Town


@pytest.fixture
def clock() -> Setting:
    return Setting()


@pytest.fixture
def nexus(begin: PostgresBegin, pool: ConnectionPool, clock: Setting) -> Nexus:
    return Nexus(pool, now=clock, secret_key=bytes(range(32)))


@pytest.fixture
def town(begin: PostgresBegin, owner: psycopg.Connection) -> Town:
    return Town(owner)


@pytest.fixture
def committed(begin: PostgresBegin) -> Callable[[], EventId]:
    """Commits a fresh event of which nobody is told, and names it."""

    def commit() -> EventId:
        event = EventId(uuid4())
        with begin() as work:
            work.outbox.add(
                ConsentChanged(
                    id=event,
                    at=NOON,
                    parent=UserId(uuid4()),
                    child=ChildId(UUID(int=1)),
                    given=(),
                    withdrawn=(),
                )
            )
        return event

    return commit
