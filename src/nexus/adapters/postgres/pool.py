"""Connections as the application uses them: never as the owner, always READ COMMITTED, in UTC."""

import select
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from time import monotonic, sleep
from typing import Any, Final, LiteralString, Self

import psycopg
from psycopg.errors import IdleInTransactionSessionTimeout
from psycopg_pool import ConnectionPool, PoolTimeout, TooManyRequests

from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.fibers import fiber

# Nothing here runs long enough to be worth compiling, and a walk looks dear to PostgreSQL before 18.
_CONFIGURE: Final[LiteralString] = """
    SELECT set_config('role', 'nexus_app', false),
           set_config('timezone', 'UTC', false),
           set_config('statement_timeout', '15s', false),
           set_config('lock_timeout', '5s', false),
           set_config('idle_in_transaction_session_timeout', '30s', false),
           set_config('default_transaction_isolation', 'read committed', false),
           set_config('jit', 'off', false)
"""

LONGEST_STATEMENT: Final = 15.0
"""Seconds after which the server ends a statement, as above."""

AT_ONCE: Final = 0.001
"""Seconds within which a connection that is there can be taken."""

_NOTICE_SILENCE: Final = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""
How libpq notices within half a minute that the server's machine has gone without a word.

Left to the kernel it takes a quarter of an hour, or two hours where nothing was sent.
"""

Pool = ConnectionPool[WalledConnection]
"""Connections, as those who do not speak PostgreSQL pass them on."""

UNAVAILABLE: Final = (
    PoolTimeout,
    TooManyRequests,
    psycopg.OperationalError,
    IdleInTransactionSessionTimeout,
)
"""
What is raised while the database cannot serve: worth another try a little later.

Of PostgreSQL's own words that is everything operational: it was shut down, its disk is full,
a statement or a lock took too long, a deadlock was broken.
"""

RECONNECT_WITHIN: Final = 3.0
"""Seconds for which one attempt to connect is repeated."""


class PatientConnection(WalledConnection):
    """
    One that is sought again and again for a moment when the server is not there.

    The pool itself tries again after one second, then two, four and so on: a server
    that was restarted in half a second would be missed for longer than it was away, and
    one that was away for a while for a minute more.
    """

    @classmethod
    def connect(cls, conninfo: str = "", **more: Any) -> Self:
        deadline = monotonic() + RECONNECT_WITHIN
        while True:
            try:
                return super().connect(conninfo, **more)
            except psycopg.OperationalError:
                if monotonic() > deadline:
                    raise
                sleep(0.05)


class SharedPool(ConnectionPool[WalledConnection]):
    """One from which fibers can take connections: who has to wait for one holds up nobody else."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        # For all who may wait: who waits for a thread first has their time-out begin only then.
        self._waiters = ThreadPoolExecutor(self.max_waiting, "waits_for_connection")

    def close(self, timeout: float = 5.0) -> None:
        super().close(timeout)
        self._waiters.shutdown(wait=False)

    def getconn(self, timeout: float | None = None) -> WalledConnection:
        waiting = fiber()
        if waiting is None:
            return super().getconn(timeout)
        if self.get_stats()["pool_available"]:
            with suppress(PoolTimeout):  # somebody was faster, or its server had ended it
                return super().getconn(AT_ONCE)
        return waiting.aside(partial(super().getconn, timeout), self._waiters)


def configure(connection: psycopg.Connection) -> None:
    """Make a fresh connection one of the application's."""
    connection.autocommit = True
    # Unprepared statements cost two fifths of the throughput.
    connection.prepare_threshold = 0
    connection.execute(_CONFIGURE)


def check(connection: psycopg.Connection) -> None:
    """
    Refuse a connection that its server has ended; ask the server only when there is a reason to.

    An idle connection has nothing to read. The end of it, or a word of the server,
    can be seen without a round trip, which would cost more than many a statement.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        ConnectionPool.check_connection(connection)


def open_pool(database_url: str, *, size: int, patience: float = 5.0, queue: int = 64) -> Pool:
    """
    A pool of *size* connections, opened.

    A caller waits for *patience* seconds at most; when *queue* callers wait
    already, the next one is refused at once.
    """
    return SharedPool(
        database_url,
        connection_class=PatientConnection,
        kwargs={"connect_timeout": 5} | _NOTICE_SILENCE,
        min_size=min(2, size),
        max_size=size,
        timeout=patience,
        max_waiting=queue,
        # Then whoever asks for a connection begins the search anew.
        reconnect_timeout=1.0,
        configure=configure,
        check=check,
        open=True,
    )
