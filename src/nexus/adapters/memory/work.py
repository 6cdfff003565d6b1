"""One unit of work over a world, with every repository that takes part in it."""

from functools import cached_property

from nexus.adapters.memory.api_keys import MemoryApiKeys
from nexus.adapters.memory.audit import MemoryAudit
from nexus.adapters.memory.booking_views import MemoryBookingViews
from nexus.adapters.memory.browse import MemoryBrowsing
from nexus.adapters.memory.catalogue import (
    MemoryActivities,
    MemorySchedules,
    MemorySessions,
    MemoryVenues,
)
from nexus.adapters.memory.credits import MemoryCredits
from nexus.adapters.memory.departures import MemoryDepartures
from nexus.adapters.memory.identity import (
    MemoryAccounts,
    MemoryChildKeys,
    MemoryChildren,
    MemoryCompanies,
    MemoryConsents,
    MemoryStaff,
    MemorySubscriptions,
)
from nexus.adapters.memory.imports import MemoryImports
from nexus.adapters.memory.lines import MemoryLines
from nexus.adapters.memory.mail_tokens import MemoryMailTokens
from nexus.adapters.memory.outbox import MemoryOutbox
from nexus.adapters.memory.payments import MemoryPayments
from nexus.adapters.memory.places import MemoryPlaces
from nexus.adapters.memory.plans import MemoryPlans
from nexus.adapters.memory.second_factors import MemoryChallenges, MemorySecondFactors
from nexus.adapters.memory.settings import MemorySettings
from nexus.adapters.memory.sign_ins import MemorySignIns
from nexus.adapters.memory.verifications import MemoryVerifications
from nexus.adapters.memory.world import World


class MemoryWork:
    """Satisfies the ``Work`` protocol of every use case, as ``PostgresWork`` does."""

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def outbox(self) -> MemoryOutbox:
        return MemoryOutbox(self.world)

    @cached_property
    def verifications(self) -> MemoryVerifications:
        return MemoryVerifications(self.world)

    @cached_property
    def audit(self) -> MemoryAudit:
        return MemoryAudit(self.world)

    @cached_property
    def imports(self) -> MemoryImports:
        return MemoryImports(self.world)

    @cached_property
    def accounts(self) -> MemoryAccounts:
        return MemoryAccounts(self.world)

    @cached_property
    def mail_tokens(self) -> MemoryMailTokens:
        return MemoryMailTokens(self.world)

    @cached_property
    def sign_ins(self) -> MemorySignIns:
        return MemorySignIns(self.world)

    @cached_property
    def second_factors(self) -> MemorySecondFactors:
        return MemorySecondFactors(self.world)

    @cached_property
    def challenges(self) -> MemoryChallenges:
        return MemoryChallenges(self.world)

    @cached_property
    def companies(self) -> MemoryCompanies:
        return MemoryCompanies(self.world)

    @cached_property
    def subscriptions(self) -> MemorySubscriptions:
        return MemorySubscriptions(self.world)

    @cached_property
    def staff(self) -> MemoryStaff:
        return MemoryStaff(self.world)

    @cached_property
    def children(self) -> MemoryChildren:
        return MemoryChildren(self.world)

    @cached_property
    def child_keys(self) -> MemoryChildKeys:
        return MemoryChildKeys(self.world)

    @cached_property
    def consents(self) -> MemoryConsents:
        return MemoryConsents(self.world)

    @cached_property
    def credits(self) -> MemoryCredits:
        return MemoryCredits(self.world)

    @cached_property
    def api_keys(self) -> MemoryApiKeys:
        return MemoryApiKeys(self.world)

    @cached_property
    def settings(self) -> MemorySettings:
        return MemorySettings(self.world)

    @cached_property
    def venues(self) -> MemoryVenues:
        return MemoryVenues(self.world)

    @cached_property
    def activities(self) -> MemoryActivities:
        return MemoryActivities(self.world)

    @cached_property
    def schedules(self) -> MemorySchedules:
        return MemorySchedules(self.world)

    @cached_property
    def sessions(self) -> MemorySessions:
        return MemorySessions(self.world)

    @cached_property
    def browsing(self) -> MemoryBrowsing:
        return MemoryBrowsing(self.world)

    @cached_property
    def booking_views(self) -> MemoryBookingViews:
        return MemoryBookingViews(self.world)

    @cached_property
    def lines(self) -> MemoryLines:
        return MemoryLines(self.world)

    @cached_property
    def payments(self) -> MemoryPayments:
        return MemoryPayments(self.world)

    @cached_property
    def places(self) -> MemoryPlaces:
        return MemoryPlaces(self.world)

    @cached_property
    def departures(self) -> MemoryDepartures:
        return MemoryDepartures(self.world, self.places)

    @cached_property
    def plans(self) -> MemoryPlans:
        return MemoryPlans(self.world)
