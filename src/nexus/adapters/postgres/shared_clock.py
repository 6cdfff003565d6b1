"""A clock that all processes of a development installation share and that can be moved ahead."""

from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import sleep
from types import TracebackType
from typing import Final, LiteralString, Self

import psycopg

from nexus.adapters.postgres.pool import Pool
from nexus.adapters.postgres.whom import PLATFORM

READ_AHEAD: Final[LiteralString] = "SELECT ahead FROM development_clock"

ADVANCE: Final[LiteralString] = """
    INSERT INTO development_clock AS c (ahead) VALUES (%(by)s)
    ON CONFLICT (only_row) DO UPDATE SET ahead = c.ahead + excluded.ahead
    RETURNING ahead
"""

RESET: Final[LiteralString] = "DELETE FROM development_clock"

EVERY: Final = 0.2
"""Seconds after which a process has noticed that the clock was moved."""


class SharedClock:
    """
    The real time plus what ``nexus clock advance`` added, for development only.

    While it is open a thread keeps reading how far ahead the clock is; reading
    the time itself costs no query.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._ahead = timedelta(0)
        self._stop = Event()
        self._thread = Thread(target=self._follow, name="shared-clock", daemon=True)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def __enter__(self) -> Self:
        self._read()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def ahead(self) -> timedelta:
        """How far it is ahead of the real time."""
        return self._ahead

    def advance(self, by: timedelta) -> datetime:
        """Move the clock ahead; returns the new time once every process has noticed."""
        with self._pool.connection() as connection, connection.acting_for(PLATFORM):
            connection.execute(ADVANCE, {"by": by})
        return self._noticed()

    def reset(self) -> datetime:
        """Show the real time again; returns it once every process has noticed."""
        with self._pool.connection() as connection, connection.acting_for(PLATFORM):
            connection.execute(RESET)
        return self._noticed()

    def _noticed(self) -> datetime:
        sleep(2 * EVERY)
        self._read()
        return self()

    def _read(self) -> None:
        with self._pool.connection() as connection, connection.acting_for(PLATFORM):
            row = connection.execute(READ_AHEAD).fetchone()
        self._ahead = row[0] if row else timedelta(0)

    def _follow(self) -> None:
        while not self._stop.wait(EVERY):
            try:
                self._read()
            except psycopg.Error:
                continue  # the database is away for the moment: the clock goes on from where it is
