"""Events in trouble, for people to look after."""

from collections.abc import Sequence
from typing import Final, LiteralString

from psycopg import Connection

from nexus.adapters.postgres.rows import as_object
from nexus.application.platform.parked import TroubledEvent
from nexus.domain.kernel.ids import EventId

TROUBLED: Final[LiteralString] = """
    SELECT id, type, occurred_at, attempts, parked_at, last_error
      FROM outbox
     WHERE handled_at IS NULL AND (parked_at IS NOT NULL OR last_error IS NOT NULL)
     ORDER BY parked_at NULLS LAST, position
     LIMIT %(limit)s
"""

RELEASE: Final[LiteralString] = """
    UPDATE outbox
       SET parked_at = NULL, sent_at = NULL, attempts = 0
     WHERE handled_at IS NULL AND parked_at IS NOT NULL AND (%(event)s::uuid IS NULL OR id = %(event)s)
    RETURNING id
"""


class PostgresParkedEvents:
    """The table ``outbox``, as people see it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def troubled(self, *, limit: int) -> Sequence[TroubledEvent]:
        with self._connection.cursor(row_factory=as_object(TroubledEvent)) as cursor:
            return cursor.execute(TROUBLED, {"limit": limit}).fetchall()

    def release(self, event: EventId | None) -> Sequence[EventId]:
        return [EventId(one) for (one,) in self._connection.execute(RELEASE, {"event": event})]
