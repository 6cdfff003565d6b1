"""What tests stand on: real servers, a migrated database, and the in-memory twin."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from nexus.adapters.embedded.postgres import EmbeddedPostgres
from nexus.adapters.embedded.valkey import EmbeddedValkey
from nexus.adapters.memory.begin import MemoryBegin
from nexus.adapters.memory.world import World
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.migrate import migrate
from nexus.adapters.postgres.pool import open_pool

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""A Monday, 2 March 2026, 12:00 UTC: the present of tests that do not choose another."""

ON_POSTGRES = {"postgres_server", "any_begin"}


def pytest_configure() -> None:
    """A shell's background jobs are begun deaf to Ctrl-C, and what a test begins would be deaf like them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands on PostgreSQL, so that `-m postgres` repeats exactly that on another version."""
    for item in items:
        if ON_POSTGRES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("postgres")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL for all tests, forgetful and fast; NEXUS_PG_BIN chooses another version."""
    with EmbeddedPostgres(durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[EmbeddedValkey]:
    """One Valkey for all tests."""
    with EmbeddedValkey(durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def database_url(postgres_server: EmbeddedPostgres) -> str:
    """A migrated database, as its owner; see ``begin`` for the application's own access."""
    migrate(postgres_server.database_url)
    return postgres_server.database_url


@pytest.fixture(scope="session")
def pool(database_url: str) -> Iterator[ConnectionPool]:
    with open_pool(database_url, size=8) as connections:
        yield connections


@pytest.fixture(scope="session")
def owner(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection as the owner of the tables: may do what the application may not."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def empty(owner: psycopg.Connection) -> None:
    """Delete every row, in one round trip; append-only tables let only their owner do that."""
    tables = owner.execute(
        """
        SELECT c.relname, array_agg(t.tgname) FILTER (WHERE t.tgenabled = 'A')
          FROM pg_class c
          LEFT JOIN pg_trigger t ON t.tgrelid = c.oid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'schema_migrations'
         GROUP BY c.relname
        """
    ).fetchall()
    guards = [(table, trigger) for table, triggers in tables for trigger in triggers or ()]
    statements = [
        "SET LOCAL session_replication_role = replica",
        *(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}" for table, trigger in guards),
        *(f"DELETE FROM {table}" for table, _ in tables),
        *(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}" for table, trigger in guards),
    ]
    with owner.transaction():
        owner.execute("; ".join(statements))


@pytest.fixture
def begin(pool: ConnectionPool, owner: psycopg.Connection) -> PostgresBegin:
    """Units of work on an empty database, as the application."""
    empty(owner)
    return PostgresBegin(pool)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def memory_begin(world: World) -> MemoryBegin:
    """Units of work on an empty in-memory world."""
    return MemoryBegin(world)


@pytest.fixture(params=["postgres", "memory"])
def any_begin(request: pytest.FixtureRequest) -> PostgresBegin | MemoryBegin:
    """Units of work on either store: what holds on one holds on the other."""
    chosen: PostgresBegin | MemoryBegin = request.getfixturevalue(
        "begin" if request.param == "postgres" else "memory_begin"
    )
    return chosen
