"""One round trip: what several statements say goes out as one message, and then their results are read."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from psycopg import Pipeline
from psycopg.abc import PQGen
from psycopg.generators import send

LONGEST: Final = 256
"""Statements that are kept back at most."""


class Flight(Pipeline):
    """
    A pipeline that waits with sending until it ends, or until a result is asked for.

    psycopg's own sends each statement when it is executed, for streams that are longer than a
    buffer. Then the server is woken for each, and every thread of the process may fight for the
    interpreter in between; a few statements of a request are better said in one breath.
    """

    def say(self, command: bytes) -> None:
        """A command whose result is that it succeeded."""
        self._add(partial(self.pgconn.send_query_params, command, None))

    def prepare(self, name: bytes, statement: str) -> None:
        """Have the server know a statement by this name from now on."""
        self._add(partial(self.pgconn.send_prepare, name, statement.encode()))

    def say_prepared(self, name: bytes, values: Iterable[str]) -> None:
        """
        A prepared statement whose result is that it succeeded.

        The way through a cursor would cost more than such a statement.
        """
        self._add(partial(self.pgconn.send_query_prepared, name, [each.encode() for each in values]))

    def _add(self, send: Callable[[], None]) -> None:
        self.command_queue.append(send)
        self.result_queue.append(None)

    def _communicate_gen(self) -> PQGen[None]:
        """Nothing is sent yet, unless it becomes a stream after all."""
        if len(self.command_queue) >= LONGEST:
            yield from super()._communicate_gen()

    def _fetch_gen(self, *, flush: bool) -> PQGen[None]:
        self._say()
        yield from super()._fetch_gen(flush=flush)

    def _exit_gen(self) -> PQGen[None]:
        self._enqueue_sync()
        self._say()
        yield from send(self.pgconn)
        yield from super()._fetch_gen(flush=False)

    def _sync_gen(self) -> PQGen[None]:
        yield from self._exit_gen()

    def _say(self) -> None:
        while self.command_queue:
            self.command_queue.popleft()()  # into libpq's buffer
