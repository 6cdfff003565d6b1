"""Whether the database can be worked with."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Final, LiteralString

import psycopg
from psycopg_pool import PoolTimeout, TooManyRequests

from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.migrate import MigrationChanged, pending
from nexus.adapters.postgres.pool import UNAVAILABLE, Pool, configure
from nexus.adapters.postgres.whom import PLATFORM
from nexus.application.platform.condition import Database

# By the database's clock, as the entries.
HAS_MONTHS: Final[LiteralString] = """
    SELECT count(*) FILTER (WHERE c.relname = 'audit_logs_' || to_char(this.month, 'YYYY_MM')) = 1,
           count(*) FILTER (
               WHERE c.relname = 'audit_logs_' || to_char(this.month + interval '1 month', 'YYYY_MM')) = 1
      FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AS month) this
      LEFT JOIN pg_inherits i ON i.inhparent = 'audit_logs'::regclass
      LEFT JOIN pg_class c ON c.oid = i.inhrelid
"""

OLDEST_UNSENT: Final[LiteralString] = """
    SELECT %(at)s - occurred_at
      FROM outbox
     WHERE handled_at IS NULL AND parked_at IS NULL AND sent_at IS NULL
     ORDER BY position
     LIMIT 1
"""


@contextmanager
def looking(pool: Pool, *, patience: float = 0.3) -> Iterator[WalledConnection]:
    """
    A connection for looking at the database: of the pool, or when that is exhausted one of its own.

    How busy this process is says nothing about the database.
    """
    with ExitStack() as stack:
        connection: WalledConnection | None = None
        if not _is_exhausted(pool):  # who waited and gave up would still be counted as waiting
            with suppress(PoolTimeout, TooManyRequests):
                connection = stack.enter_context(pool.connection(timeout=patience))
        if connection is None:
            where = pool.conninfo if isinstance(pool.conninfo, str) else pool.conninfo()
            connection = stack.enter_context(WalledConnection.connect(where, connect_timeout=2))
            configure(connection)
        with connection.acting_for(PLATFORM):
            yield connection


def _is_exhausted(pool: Pool) -> bool:
    stated = pool.get_stats()
    return not stated.get("pool_available") and stated["pool_size"] >= stated["pool_max"]


def look(pool: Pool, *, at: datetime) -> Database:
    """What can be said of the database; may take as long as the database takes."""
    waiting = pool.get_stats().get("requests_waiting", 0)
    try:
        with looking(pool) as connection:
            if missing := len(pending(connection)):
                return Database(missing_migrations=missing)
            this_month, next_month = connection.execute(HAS_MONTHS).fetchone() or (False, False)
            unsent = connection.execute(OLDEST_UNSENT, {"at": at}).fetchone()
    except UNAVAILABLE:
        return Database(fault="the database does not answer")
    except MigrationChanged as changed:
        return Database(fault=f"migration {changed} was edited after it had run")
    except psycopg.Error as error:
        return Database(fault=f"the database refuses: {type(error).__name__}")
    return Database(
        has_this_month=this_month,
        has_next_month=next_month,
        oldest_unsent=unsent[0] if unsent else None,
        is_crowded=waiting > 0,
    )
