"""The unit of work over PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from psycopg_pool import ConnectionPool

from nexus.adapters.postgres.work import PostgresWork


class PostgresBegin:
    """
    Opens units of work on connections of a pool.

    Inside an open one (same thread or task) it opens a savepoint on the same
    connection, as :class:`nexus.application.kernel.ports.Begin` promises.

    :attr:`reading` opens units of work that change nothing. READ COMMITTED gives
    each statement the state of its own moment in any case, so that a transaction
    around reads would cost two round trips and promise nothing.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._current: ContextVar[PostgresWork | None] = ContextVar("work", default=None)

    @contextmanager
    def reading(self) -> Iterator[PostgresWork]:
        """A unit of work whose statements only read; inside an open one, that one."""
        outer = self._current.get()
        if outer is not None:
            yield outer
            return
        with self._pool.connection() as connection:
            yield PostgresWork(connection)

    @contextmanager
    def __call__(self) -> Iterator[PostgresWork]:
        outer = self._current.get()
        if outer is not None:
            with outer.connection.transaction():
                yield outer
            return
        with self._pool.connection() as connection, connection.transaction():
            work = PostgresWork(connection)
            token = self._current.set(work)
            try:
                yield work
            finally:
                self._current.reset(token)
