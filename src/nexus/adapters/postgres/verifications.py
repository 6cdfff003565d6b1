"""The checks of the data, run in the background, and what they found."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import perf_counter
from typing import Final, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.invariants import check
from nexus.adapters.postgres.pool import Pool
from nexus.adapters.postgres.rows import as_object
from nexus.adapters.postgres.whom import PLATFORM
from nexus.application.platform.verify_data import Verification

# Released with the transaction; a booking takes no advisory lock.
ONLY_ONE: Final[LiteralString] = "SELECT pg_try_advisory_xact_lock(7020650412053297)"

ADD_RUN: Final[LiteralString] = """
    INSERT INTO verifications (id, at, seconds, findings)
    VALUES (%(id)s, %(at)s, %(seconds)s, %(findings)s)
"""

FORGET_RUNS: Final[LiteralString] = "DELETE FROM verifications WHERE at < %(before)s"

PAGE_OF_RUNS: Final[LiteralString] = """
    SELECT id, at, seconds, findings
      FROM verifications
     WHERE %(after_at)s::timestamptz IS NULL OR (at, id) < (%(after_at)s, %(after_id)s::uuid)
     ORDER BY at DESC, id DESC
     LIMIT %(limit)s
"""


def check_all(pool: Pool, at: datetime, last_offer: timedelta) -> tuple[float, Mapping[str, int]] | None:
    """Seconds, and the number of offending rows for each promise; None when another process is at it."""
    begun = perf_counter()
    with pool.connection() as connection, _closed_by_failure(connection), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with connection.acting_for(PLATFORM):
            if connection.execute(ONLY_ONE).fetchone() != (True,):
                return None
            found = {
                finding.invariant.number: len(finding.rows)
                for finding in check(connection, at=at, last_offer=last_offer)
            }
    return perf_counter() - begun, found


@contextmanager
def _closed_by_failure(connection: WalledConnection) -> Iterator[None]:
    """The driver forgets with a rollback what was prepared, on which whoever has the connection next relies."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


class PostgresVerifications:
    """The table ``verifications``."""

    def __init__(self, connection: WalledConnection) -> None:
        self._connection = connection

    def add(self, run: Verification) -> None:
        values = {"id": run.id, "at": run.at, "seconds": run.seconds, "findings": Jsonb(dict(run.findings))}
        self._connection.execute(ADD_RUN, values)

    def forget(self, *, before: datetime) -> None:
        self._connection.execute(FORGET_RUNS, {"before": before})

    def page(self, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[Verification]:
        after_at, after_id = after or (None, None)
        values = {"after_at": after_at, "after_id": after_id, "limit": limit}
        with self._connection.cursor(row_factory=as_object(Verification)) as cursor:
            return cursor.execute(PAGE_OF_RUNS, values).fetchall()
