"""One unit of work, with every repository that takes part in it."""

from functools import cached_property

from psycopg import Connection

from nexus.adapters.postgres.booking_views import PostgresBookingViews
from nexus.adapters.postgres.commands import PostgresCommands
from nexus.adapters.postgres.lines import PostgresLines
from nexus.adapters.postgres.outbox import PostgresOutbox
from nexus.adapters.postgres.payments import PostgresPayments
from nexus.adapters.postgres.places import PostgresPlaces
from nexus.adapters.postgres.plans import PostgresPlans


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

    @cached_property
    def places(self) -> PostgresPlaces:
        return PostgresPlaces(self.connection)

    @cached_property
    def lines(self) -> PostgresLines:
        return PostgresLines(self.connection)

    @cached_property
    def payments(self) -> PostgresPayments:
        return PostgresPayments(self.connection)

    @cached_property
    def plans(self) -> PostgresPlans:
        return PostgresPlans(self.connection)

    @cached_property
    def booking_views(self) -> PostgresBookingViews:
        return PostgresBookingViews(self.connection)
