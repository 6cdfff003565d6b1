"""
A connection that tells PostgreSQL on whose behalf each of its statements runs.

What a statement needs to have said before it is sent together with it, in one
round trip (pipeline mode): for whom it is, the savepoint that it belongs to, rows
that were to be added by the way.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, LiteralString, Self, TypeVar
from uuid import UUID

import psycopg
from psycopg.abc import Params, PQGen
from psycopg.errors import FeatureNotSupported, InFailedSqlTransaction, InvalidSqlStatementName
from psycopg.generators import execute
from psycopg.pq import ConnStatus, TransactionStatus
from psycopg.rows import Row, TupleRow

from nexus.adapters.postgres.fibers import fiber
from nexus.adapters.postgres.flight import Flight
from nexus.adapters.postgres.whom import TELL_WHOM, Whom

T = TypeVar("T")

_Unsaid = tuple[Whom | None, LiteralString | bytes, Mapping[str, Any] | None]
"""For whom, what, and with which values; commands that have none are bytes."""

_WHOM: Final = b"whom"
_WHOM_AND_HOW: Final = b"whom_and_how"

_PREPARED: Final[Mapping[bytes, LiteralString]] = {
    _WHOM: TELL_WHOM,
    _WHOM_AND_HOW: TELL_WHOM
    + ", set_config('plan_cache_mode', $6, true), set_config('enable_sort', $7, true)"
    + ", set_config('enable_incremental_sort', $8, true)",
}
"""What each connection prepares as it is made, by its name there."""

_PLANS: Final = {"tenant": "force_generic_plan"}
"""
How the statements of a unit of work are planned, by its scope; by the server's own judgement where nothing is stated.

A tenant's commands find their rows by ids, whatever the ids are: one plan is good for all. By
itself the server plans many of them anew each time, which took longer than carrying them out.
"""

_AS_USUAL: Final = ("auto", "on", "on")
"""The plans and the two sorts that the server makes when nothing is said of them."""

_BEGUN: Final[_Unsaid] = (None, b"BEGIN", None)


_FORGOTTEN: Final = (InvalidSqlStatementName, FeatureNotSupported)


def _close_if_forgotten(connection: psycopg.Connection[Any], error: psycopg.Error) -> None:
    """
    Close a connection of which what was prepared is of no use any more.

    It is not there, or a migration has changed the columns that it answers with. The pool
    replaces what is closed, and the next one prepares anew.

    Raises:
        OperationalError: It was so; it can be tried again.
    """
    if isinstance(error, InvalidSqlStatementName) or error.diag.source_function == "RevalidateCachedQuery":
        connection.close()
        raise psycopg.OperationalError("the server has forgotten what was prepared") from error


class WalledCursor(psycopg.Cursor[Row]):
    """A cursor whose statements go out behind whatever has to be said before."""

    def execute(
        self,
        query: Any,  # as psycopg.Cursor declares it, which is how everybody sees this one
        params: Params | None = None,
        *,
        prepare: bool | None = None,
        binary: bool | None = None,
    ) -> Self:
        connection = self.connection
        if isinstance(connection, WalledConnection) and connection.has_more_to_say:
            with connection.said_first():
                return super().execute(query, params, prepare=prepare, binary=binary)
        try:
            return super().execute(query, params, prepare=prepare, binary=binary)
        except _FORGOTTEN as error:
            _close_if_forgotten(connection, error)
            raise

    def executemany(self, query: Any, params_seq: Iterable[Params], *, returning: bool = False) -> None:
        connection = self.connection
        if isinstance(connection, WalledConnection) and connection.has_more_to_say:
            with connection.said_first():
                super().executemany(query, params_seq, returning=returning)
        else:
            super().executemany(query, params_seq, returning=returning)


class WalledConnection(psycopg.Connection[TupleRow]):
    """
    A connection of the application's pool.

    Outside :meth:`unit` and :meth:`acting_for` it acts for nobody, and row-level
    security shows it nothing.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.cursor_factory = WalledCursor
        self._for: Whom | None = None
        self._told: Whom | None = None
        self._unsaid: list[_Unsaid] = []
        self._depth = 0
        self._parts = 0
        self._is_incomplete = False
        self._plans = "auto"
        self._sorts = ("on", "on")
        self._flight: Flight | None = None

    @classmethod
    def connect(cls, conninfo: str = "", **more: Any) -> Self:
        connection = super().connect(conninfo, **more)
        try:
            with connection.said_first() as flight:
                for name, statement in _PREPARED.items():
                    flight.prepare(name, statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """
        Take the steps of *gen* as the server answers.

        In a fiber others go on meanwhile. *interval* lets a thread that waits be interrupted.
        """
        waiting = fiber()
        if waiting is None or timeout is not None:
            return super().wait(gen, interval, timeout)
        return waiting.wait(gen, self.pgconn)

    @property
    def has_more_to_say(self) -> bool:
        """Whether something has to be said before the next statement."""
        return bool(self._unsaid) or self._for != self._told

    @contextmanager
    def said_first(self) -> Iterator[Flight]:
        """
        What is outstanding, and what is executed inside, in one round trip.

        Each statement still begins when the one before it has ended, and sees what was
        committed by then. Its result can be fetched afterwards.
        """
        if self._flight is not None:  # it is being said already
            self._say_outstanding(self._flight)
            yield self._flight
            return
        self._flight = self._pipeline = flight = Flight(self)
        try:
            with flight:
                self._say_outstanding(flight)
                yield flight
        except _FORGOTTEN as error:
            _close_if_forgotten(self, error)
            raise
        finally:
            self._flight = self._pipeline = None
            if not self._depth:  # outside a transaction it is forgotten when the round trip ends
                self._told = None

    def _say_outstanding(self, flight: Flight) -> None:
        unsaid, self._unsaid = self._unsaid, []
        self._is_incomplete = True
        for whom, query, params in unsaid:
            self._tell(whom, flight)
            if isinstance(query, bytes):
                flight.say(query)
            else:
                psycopg.Cursor(self).execute(query, params)
        self._is_incomplete = False
        self._tell(self._for, flight)

    def _tell(self, whom: Whom | None, flight: Flight) -> None:
        if whom is not None and whom != self._told:
            how = (self._plans, *self._sorts)
            if how == _AS_USUAL:
                flight.say_prepared(_WHOM, whom.values)
            else:
                flight.say_prepared(_WHOM_AND_HOW, (*whom.values, *how))
            self._told = whom

    def later(self, query: LiteralString, params: Mapping[str, Any]) -> None:
        """
        Execute a statement whose result nobody waits for, before the next one or the commit.

        A savepoint that is rolled back takes along what was left for later inside it.
        """
        if self._depth:
            self._unsaid.append((self._for, query, params))
        else:
            self.execute(query, params)

    @contextmanager
    def acting_for(self, whom: Whom) -> Iterator[None]:
        """
        What is executed inside runs on their behalf.

        Outside :meth:`unit` each statement is by itself, and told anew for whom it is, in
        its own round trip and for as long as that lasts: nothing is left behind to be
        seen by anybody else.
        """
        before, self._for = self._for, whom
        try:
            yield
        finally:
            self._for = before

    @contextmanager
    def walking(self, *, sort_ties: bool) -> Iterator[None]:
        """
        What is executed inside, and is not part of a unit, goes along indexes in the order that it asks for.

        Left to itself the server would guess how many rows there are, and rather find and sort them
        all. The plan is one for all values.
        """
        before = self._plans, self._sorts
        self._plans, self._sorts = "force_generic_plan", ("off", "on" if sort_ties else "off")
        try:
            yield
        finally:
            self._plans, self._sorts = before

    def acts_only_for(self, people: Iterable[UUID]) -> bool:
        """Whether all of these are the one person that statements run for."""
        return self._for is not None and {str(each) for each in people} <= {self._for.user}

    @contextmanager
    def unit(self, whom: Whom) -> Iterator[None]:
        """
        A transaction on their behalf: committed by a clean exit, rolled back by an exception.

        It begins with its first statement, in the same round trip, and never if there is none.
        """
        self._unsaid.append(_BEGUN)
        self._for = whom
        self._depth = 1
        self._plans = _PLANS.get(whom.scope, "auto")
        try:
            yield
            self._commit()
        except BaseException:
            self._undo(b"ROLLBACK")
            raise
        finally:
            self._unsaid.clear()
            self._for = self._told = None
            self._depth = self._parts = 0
            self._is_incomplete = False
            self._plans = "auto"

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the unit that can fail by itself."""
        self._parts += 1  # a name of its own: an elder part may have ended and not be released yet
        name = f"part_{self._parts}"
        begun: _Unsaid = (None, f"SAVEPOINT {name}".encode(), None)
        self._unsaid.append(begun)
        self._depth += 1
        try:
            yield
            self._check_alive()
        except BaseException:
            if any(each is begun for each in self._unsaid):
                del self._unsaid[next(n for n, each in enumerate(self._unsaid) if each is begun) :]
            else:
                self._unsaid.clear()
                self._told = None
                self._undo(f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}".encode())
            raise
        else:
            self._unsaid.append((None, f"RELEASE SAVEPOINT {name}".encode(), None))
        finally:
            self._depth -= 1

    def _commit(self) -> None:
        self._check_alive()
        self._for = self._told  # a commit is nobody's
        if self._unsaid == [_BEGUN]:
            return
        with self.said_first() as flight:
            flight.say(b"COMMIT")

    @contextmanager
    def said_last(self) -> Iterator[None]:
        """
        As :meth:`said_first`, and the unit is committed in the same round trip: nothing of it follows.

        If a statement fails, nothing after it is executed, and the commit is not. A part of a
        unit does not commit it. What is said afterwards all the same is a transaction of its own.
        """
        with self.said_first() as flight:
            yield
            if self._depth == 1:
                flight.say(b"COMMIT")
        if self._depth == 1:
            self._told = None
            self._unsaid.append(_BEGUN)

    def _check_alive(self) -> None:
        if self._is_incomplete or self.pgconn.transaction_status == TransactionStatus.INERROR:
            raise InFailedSqlTransaction("a statement failed and the failure was passed over")

    def _undo(self, command: bytes) -> None:
        # Not through a cursor: psycopg would forget every prepared statement, since a rollback
        # may undo the creation of a table. The application creates none.
        if self.pgconn.status == ConnStatus.OK and self.pgconn.transaction_status != TransactionStatus.IDLE:
            with suppress(psycopg.OperationalError):  # a server that has gone has undone it
                self.wait(self._executing(command))

    def _executing(self, command: bytes) -> PQGen[None]:
        self.pgconn.send_query(command)
        yield from execute(self.pgconn)
