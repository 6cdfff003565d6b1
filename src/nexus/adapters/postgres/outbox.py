"""Events, stored with the change that made them true."""

from typing import Final, LiteralString

from psycopg import Connection
from psycopg.types.json import Jsonb

from nexus.application.kernel.event_codec import encode
from nexus.domain.kernel.events import Event

ADD_EVENTS: Final[LiteralString] = """
    INSERT INTO outbox (id, type, payload, occurred_at)
    SELECT id, type, payload, occurred_at
      FROM unnest(%(ids)s::uuid[], %(types)s::text[], %(payloads)s::jsonb[], %(instants)s::timestamptz[])
           WITH ORDINALITY AS e (id, type, payload, occurred_at, ordinal)
     ORDER BY ordinal
"""


class PostgresOutbox:
    """The table ``outbox``, as use cases write to it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, *events: Event) -> None:
        if not events:
            return
        self._connection.execute(
            ADD_EVENTS,
            {
                "ids": [event.id for event in events],
                "types": [type(event).__name__ for event in events],
                "payloads": [Jsonb(encode(event)) for event in events],
                "instants": [event.at for event in events],
            },
        )
