"""One unit of work, with every repository that takes part in it."""

from functools import cached_property
from threading import get_ident

from nexus.adapters.postgres.api_keys import PostgresApiKeys
from nexus.adapters.postgres.audit import PostgresAudit, PostgresAuditMonths
from nexus.adapters.postgres.beginnings import PostgresBeginnings
from nexus.adapters.postgres.booking_views import PostgresBookingViews
from nexus.adapters.postgres.browse import PostgresBrowsing
from nexus.adapters.postgres.catalogue import PostgresActivities, PostgresVenues
from nexus.adapters.postgres.commands import PostgresCommands
from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.credits import PostgresCredits
from nexus.adapters.postgres.departures import PostgresDepartures
from nexus.adapters.postgres.families import PostgresChildKeys, PostgresChildren, PostgresConsents
from nexus.adapters.postgres.identity import PostgresAccounts
from nexus.adapters.postgres.imports import PostgresImports
from nexus.adapters.postgres.inbox import PostgresInbox, PostgresJobRuns, PostgresLeftovers
from nexus.adapters.postgres.lines import PostgresLines
from nexus.adapters.postgres.mail_tokens import PostgresMailTokens
from nexus.adapters.postgres.notifications import PostgresNotifications
from nexus.adapters.postgres.outbox import PostgresOutbox
from nexus.adapters.postgres.parked import PostgresParkedEvents
from nexus.adapters.postgres.payments import PostgresPayments
from nexus.adapters.postgres.places import PostgresPlaces
from nexus.adapters.postgres.planning import PostgresSchedules, PostgresSessions
from nexus.adapters.postgres.plans import PostgresPlans
from nexus.adapters.postgres.sealed import PostgresSealedValues
from nexus.adapters.postgres.second_factors import PostgresChallenges, PostgresSecondFactors
from nexus.adapters.postgres.settings import PostgresSettings
from nexus.adapters.postgres.sign_ins import PostgresSignIns
from nexus.adapters.postgres.tenants import PostgresCompanies, PostgresStaff, PostgresSubscriptions
from nexus.adapters.postgres.verifications import PostgresVerifications


class PostgresWork:
    """
    An open transaction; satisfies the ``Work`` protocol of every use case.

    A repository is made when it is first asked for: one per context, its SQL
    beside it.
    """

    def __init__(self, connection: WalledConnection) -> None:
        self.connection = connection
        self.thread = get_ident()

    @cached_property
    def beginnings(self) -> PostgresBeginnings:
        return PostgresBeginnings(self.connection)

    @cached_property
    def outbox(self) -> PostgresOutbox:
        return PostgresOutbox(self.connection)

    @cached_property
    def audit(self) -> PostgresAudit:
        return PostgresAudit(self.connection)

    @cached_property
    def audit_months(self) -> PostgresAuditMonths:
        return PostgresAuditMonths(self.connection)

    @cached_property
    def commands(self) -> PostgresCommands:
        return PostgresCommands(self.connection)

    @cached_property
    def places(self) -> PostgresPlaces:
        return PostgresPlaces(self.connection, self.settings)

    @cached_property
    def departures(self) -> PostgresDepartures:
        return PostgresDepartures(self.connection, self.settings)

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

    @cached_property
    def inbox(self) -> PostgresInbox:
        return PostgresInbox(self.connection)

    @cached_property
    def job_runs(self) -> PostgresJobRuns:
        return PostgresJobRuns(self.connection)

    @cached_property
    def parked(self) -> PostgresParkedEvents:
        return PostgresParkedEvents(self.connection)

    @cached_property
    def verifications(self) -> PostgresVerifications:
        return PostgresVerifications(self.connection)

    @cached_property
    def leftovers(self) -> PostgresLeftovers:
        return PostgresLeftovers(self.connection)

    @cached_property
    def notifications(self) -> PostgresNotifications:
        return PostgresNotifications(self.connection)

    @cached_property
    def accounts(self) -> PostgresAccounts:
        return PostgresAccounts(self.connection)

    @cached_property
    def mail_tokens(self) -> PostgresMailTokens:
        return PostgresMailTokens(self.connection)

    @cached_property
    def sign_ins(self) -> PostgresSignIns:
        return PostgresSignIns(self.connection)

    @cached_property
    def second_factors(self) -> PostgresSecondFactors:
        return PostgresSecondFactors(self.connection)

    @cached_property
    def challenges(self) -> PostgresChallenges:
        return PostgresChallenges(self.connection)

    @cached_property
    def companies(self) -> PostgresCompanies:
        return PostgresCompanies(self.connection)

    @cached_property
    def subscriptions(self) -> PostgresSubscriptions:
        return PostgresSubscriptions(self.connection)

    @cached_property
    def staff(self) -> PostgresStaff:
        return PostgresStaff(self.connection)

    @cached_property
    def children(self) -> PostgresChildren:
        return PostgresChildren(self.connection)

    @cached_property
    def child_keys(self) -> PostgresChildKeys:
        return PostgresChildKeys(self.connection)

    @cached_property
    def sealed_values(self) -> PostgresSealedValues:
        return PostgresSealedValues(self.connection)

    @cached_property
    def consents(self) -> PostgresConsents:
        return PostgresConsents(self.connection)

    @cached_property
    def credits(self) -> PostgresCredits:
        return PostgresCredits(self.connection)

    @cached_property
    def api_keys(self) -> PostgresApiKeys:
        return PostgresApiKeys(self.connection)

    @cached_property
    def settings(self) -> PostgresSettings:
        return PostgresSettings(self.connection)

    @cached_property
    def imports(self) -> PostgresImports:
        return PostgresImports(self.connection)

    @cached_property
    def venues(self) -> PostgresVenues:
        return PostgresVenues(self.connection)

    @cached_property
    def activities(self) -> PostgresActivities:
        return PostgresActivities(self.connection)

    @cached_property
    def schedules(self) -> PostgresSchedules:
        return PostgresSchedules(self.connection)

    @cached_property
    def sessions(self) -> PostgresSessions:
        return PostgresSessions(self.connection)

    @cached_property
    def browsing(self) -> PostgresBrowsing:
        return PostgresBrowsing(self.connection)
