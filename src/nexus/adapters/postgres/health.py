"""Whether the database can be worked with."""

import psycopg

from nexus.adapters.postgres.migrate import MigrationChanged, pending
from nexus.adapters.postgres.pool import UNAVAILABLE, Pool


def what_is_missing(pool: Pool, *, patience: float = 2.0) -> str | None:
    """Why the database cannot be worked with; None when it can."""
    try:
        with pool.connection(timeout=patience) as connection:
            missing = len(pending(connection))
    except UNAVAILABLE:
        return "the database does not answer"
    except MigrationChanged as changed:
        return f"migration {changed} was edited after it had run"
    except psycopg.Error as error:
        return f"the database refuses: {type(error).__name__}"
    return f"migrations that have not run: {missing} (nexus migrate)" if missing else None
