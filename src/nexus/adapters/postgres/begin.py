"""The unit of work over PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import get_ident
from time import monotonic
from typing import Final

from psycopg import DatabaseError

from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.pool import LONGEST_STATEMENT, Pool
from nexus.adapters.postgres.whom import PLATFORM, Whom
from nexus.adapters.postgres.work import PostgresWork
from nexus.application.booking.ports import Overtaken
from nexus.application.kernel.caller import NobodyWaits, caller

OVERTAKEN: Final = "NX001"
"""With this state the function of that name fails a statement whose guard does not hold."""


class PostgresBegin:
    """
    Opens units of work on connections of a pool, on behalf of whoever is asking.

    Inside an open one (same thread or task) it opens a savepoint on the same
    connection, as :class:`nexus.application.kernel.ports.Begin` promises.

    :attr:`reading` opens units of work whose statements stand alone: they change nothing, or
    each is complete by itself. READ COMMITTED gives each statement the state of its own moment
    in any case, so that a transaction around reads would cost two round trips and promise nothing.

    :attr:`as_platform` and :attr:`reading_as_platform` are the same on behalf of the
    platform, for what happens before it is known who asks: row-level security does
    not hold anything back from them.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._current: ContextVar[PostgresWork | None] = ContextVar("work", default=None)

    @contextmanager
    def __call__(self) -> Iterator[PostgresWork]:
        with self._unit(Whom.of(caller.get())) as work:
            yield work

    @contextmanager
    def as_platform(self) -> Iterator[PostgresWork]:
        """A unit of work of the platform's own."""
        with self._unit(PLATFORM) as work:
            yield work

    @contextmanager
    def reading(self) -> Iterator[PostgresWork]:
        """A unit of work whose statements stand alone; inside an open one, that one."""
        with self._reading(Whom.of(caller.get())) as work:
            yield work

    @contextmanager
    def reading_as_platform(self) -> Iterator[PostgresWork]:
        """A unit of work of the platform's own whose statements stand alone."""
        with self._reading(PLATFORM) as work:
            yield work

    def _open(self) -> PostgresWork | None:
        outer = self._current.get()
        if outer is not None and outer.thread != get_ident():
            raise RuntimeError(
                "a unit of work is its thread's own: another one opens its own in a fresh context"
            )
        return outer

    @contextmanager
    def _unit(self, whom: Whom) -> Iterator[PostgresWork]:
        outer = self._open()
        if outer is not None:
            with _or_overtaken(), outer.connection.savepoint(), outer.connection.acting_for(whom):
                yield outer
            return
        with _or_overtaken(), self._pool.connection() as connection, connection.unit(whom):
            work = PostgresWork(connection)
            token = self._current.set(work)
            try:
                yield work
            finally:
                self._current.reset(token)
            _refuse_if_too_late(connection)

    @contextmanager
    def _reading(self, whom: Whom) -> Iterator[PostgresWork]:
        outer = self._open()
        if outer is not None:
            with outer.connection.acting_for(whom):
                yield outer
            return
        with self._pool.connection() as connection, connection.acting_for(whom):
            yield PostgresWork(connection)


def _refuse_if_too_late(connection: WalledConnection) -> None:
    """Who was told that it failed must not find it done."""
    gives_up_at = caller.get().gives_up_at
    if gives_up_at is None:
        return
    if connection.has_more_to_say and gives_up_at - monotonic() < LONGEST_STATEMENT:
        with connection.said_first():  # what would go out with the commit may itself take too long
            pass
    if monotonic() > gives_up_at:
        raise NobodyWaits


@contextmanager
def _or_overtaken() -> Iterator[None]:
    """A statement whose guard does not hold may fail only now, with what it was sent with or with the commit."""
    try:
        yield
    except DatabaseError as refused:
        if refused.sqlstate == OVERTAKEN:
            raise Overtaken from refused
        raise
