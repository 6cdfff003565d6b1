"""Whether a database is still unused, for whoever wants to be the first to fill it."""

from typing import Final, LiteralString

from psycopg import Connection

_LOCK: Final = 0x64656D6F  # any number that nothing else locks

HOLD: Final[LiteralString] = "SELECT pg_advisory_xact_lock(%(lock)s)"

IS_UNUSED: Final[LiteralString] = """
    SELECT NOT EXISTS (SELECT FROM users)
       AND NOT EXISTS (SELECT FROM corporates)
       AND NOT EXISTS (SELECT FROM venues)
"""


class PostgresBeginnings:
    """The first moment of a database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self) -> bool:
        """
        Whether nobody and nothing is here yet.

        Until the transaction ends, everybody else who asks waits for its outcome.
        """
        self._connection.execute(HOLD, {"lock": _LOCK})
        row = self._connection.execute(IS_UNUSED).fetchone()
        return bool(row and row[0])
