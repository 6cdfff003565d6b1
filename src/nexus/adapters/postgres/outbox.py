"""Events, stored with the change that made them true."""

from typing import Final, LiteralString

from psycopg.types.json import Jsonb

from nexus.adapters.postgres.connection import WalledConnection
from nexus.application.kernel.event_codec import encode
from nexus.application.kernel.origin import origin
from nexus.domain.kernel.events import Event

ADD_EVENT: Final[LiteralString] = """
    INSERT INTO outbox (id, type, payload, occurred_at)
    VALUES (%(id)s, %(type)s, %(payload)s, %(at)s)
"""

ORIGIN: Final = "traceparent"
"""Beside the fields of an event: the trace to which what caused it belongs, where somebody traces."""


class PostgresOutbox:
    """The table ``outbox``, as use cases write to it; a row goes out with the next statement or the commit."""

    def __init__(self, connection: WalledConnection) -> None:
        self._connection = connection

    def add(self, *events: Event) -> None:
        trace = origin.get()
        for event in events:
            stated = encode(event)
            if trace is not None:
                stated[ORIGIN] = trace
            values = {
                "id": event.id,
                "type": type(event).__name__,
                "payload": Jsonb(stated),
                "at": event.at,
            }
            self._connection.later(ADD_EVENT, values)
