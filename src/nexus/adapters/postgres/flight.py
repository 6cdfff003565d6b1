"""One round trip: what several statements say goes out as one message, and then their results are read."""

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
