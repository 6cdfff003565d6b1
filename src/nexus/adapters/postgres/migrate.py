"""
Numbered, forward-only migrations: ``migrations/NNNN_name.sql``.

Each file runs once, in one transaction of its own, in the order of its number.
"""

import hashlib
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Final, LiteralString

import psycopg
from attrs import frozen

_LOCK: Final = 0x6E65787573  # any number, the same in every process

_JOURNAL: Final[LiteralString] = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        number     integer     PRIMARY KEY,
        name       text        NOT NULL,
        checksum   text        NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


class MigrationChanged(Exception):
    """A migration that has run was edited afterwards; write a new one instead."""


@frozen
class Migration:
    """One file of DDL."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Every migration that the package ships, in order."""
    folder = files("nexus.adapters.postgres").joinpath("migrations")
    found = [
        Migration(int(match[1]), match[2], file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if (match := re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name))
    ]
    return sorted(found, key=lambda migration: migration.number)


def pending(connection: psycopg.Connection) -> list[Migration]:
    """
    The migrations that this database has not run yet.

    Raises:
        MigrationChanged: One that it has run reads differently now.
    """
    if connection.execute("SELECT to_regclass('public.schema_migrations')").fetchone() == (None,):
        return migrations()
    journal = connection.execute("SELECT number, checksum FROM public.schema_migrations").fetchall()
    applied: dict[int, str] = dict(journal)
    for migration in migrations():
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise MigrationChanged(f"{migration.number:04}_{migration.name}")
    return [migration for migration in migrations() if migration.number not in applied]


def missing(database_url: str) -> list[Migration]:
    """
    The migrations that the database at this address has not run yet.

    Raises:
        MigrationChanged: One that it has run reads differently now.
        psycopg.OperationalError: It does not answer.
    """
    with psycopg.connect(database_url, autocommit=True) as connection:
        return pending(connection)


def migrate(database_url: str, *, progress: Callable[[str], None] = lambda _: None) -> int:
    """
    Bring the database up to date; returns how many migrations ran.

    Several at once wait for each other. One that cannot get its lock within five
    seconds fails and leaves nothing behind: run it again.

    Raises:
        MigrationChanged: A migration that has run was edited afterwards.
        psycopg.Error: A migration failed; those before it stay applied.
    """
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        # Row-level security holds for the owner of the tables too.
        connection.execute("SELECT set_config('nexus.scope', 'platform', false)")
        connection.execute(_JOURNAL)
        todo = pending(connection)
        for migration in todo:
            progress(f"{migration.number:04} {migration.name}")
            with connection.transaction():
                connection.execute("SET LOCAL lock_timeout = '5s'")
                connection.execute(migration.sql.encode())
                connection.execute(
                    "INSERT INTO public.schema_migrations (number, name, checksum) VALUES (%s, %s, %s)",
                    [migration.number, migration.name, migration.checksum],
                )
        return len(todo)
