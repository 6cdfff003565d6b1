"""Whether the database can be worked with."""

from typing import Final, LiteralString

import psycopg

from nexus.adapters.postgres.migrate import MigrationChanged, pending
from nexus.adapters.postgres.pool import UNAVAILABLE, Pool

# By the database's clock, as the entries.
HAS_THIS_MONTH: Final[LiteralString] = """
    SELECT EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                    WHERE i.inhparent = 'audit_logs'::regclass
                      AND c.relname = 'audit_logs_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM'))
"""


def what_is_missing(pool: Pool, *, patience: float = 2.0) -> str | None:
    """Why the database cannot be worked with; None when it can."""
    try:
        with pool.connection(timeout=patience) as connection:
            missing = len(pending(connection))
            has_month = bool(missing) or connection.execute(HAS_THIS_MONTH).fetchone() == (True,)
    except UNAVAILABLE:
        return "the database does not answer"
    except MigrationChanged as changed:
        return f"migration {changed} was edited after it had run"
    except psycopg.Error as error:
        return f"the database refuses: {type(error).__name__}"
    if missing:
        return f"migrations that have not run: {missing} (nexus migrate)"
    return None if has_month else "the audit log has no place for this month (nexus migrate)"
