"""Events, stored with the change that made them true."""

from typing import Final, LiteralString

from psycopg import Connection
from psycopg.types.json import Jsonb

from nexus.application.kernel.event_codec import encode
from nexus.domain.kernel.events import Event

ADD_EVENT: Final[LiteralString] = """
    INSERT INTO outbox (id, type, payload, occurred_at)
    VALUES (%(id)s, %(type)s, %(payload)s, %(at)s)
"""


class PostgresOutbox:
    """The table ``outbox``, as use cases write to it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, *events: Event) -> None:
        rows = [
            {"id": event.id, "type": type(event).__name__, "payload": Jsonb(encode(event)), "at": event.at}
            for event in events
        ]
        with self._connection.cursor() as cursor:
            cursor.executemany(ADD_EVENT, rows)
