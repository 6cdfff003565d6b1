"""One unit of work, with every repository that takes part in it."""

from functools import cached_property

from psycopg import Connection

from nexus.adapters.postgres.commands import PostgresCommands
from nexus.adapters.postgres.outbox import PostgresOutbox


class PostgresWork:
    """
    An open transaction; satisfies the ``Work`` protocol of every use case.

    A repository is made when it is first asked for: one per context, its SQL
    beside it.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @cached_property
    def outbox(self) -> PostgresOutbox:
        return PostgresOutbox(self.connection)

    @cached_property
    def commands(self) -> PostgresCommands:
        return PostgresCommands(self.connection)
