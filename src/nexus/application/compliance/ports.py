"""What reading and keeping the audit log asks of a store."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from attrs import frozen

from nexus.application.compliance.views import AuditEntry, SealedEntry
from nexus.application.kernel.audit import Audit, Cause
from nexus.application.platform.ports import SettingsWork
from nexus.domain.compliance.audit import Category, EntityType, Severity
from nexus.domain.kernel.ids import CompanyId, UserId, VenueId


@frozen(kw_only=True)
class AuditFilter:
    """Which entries: those for which everything holds that is said. *since* counts, *until* does not."""

    user: UserId | None = None
    action: str | None = None
    category: Category | None = None
    severity: Severity | None = None
    cause: Cause | None = None
    entity_type: EntityType | None = None
    entity: UUID | None = None
    company: CompanyId | None = None
    venue: VenueId | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditLog(Audit, Protocol):
    """The log, as those see it who may read it."""

    def page(
        self, wanted: AuditFilter, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[AuditEntry]:
        """Entries, the newest first by (time, id), from behind *after*."""
        ...

    def get(self, entry: UUID) -> SealedEntry | None:
        """One entry, with what is sealed of it."""
        ...


class AuditMonths(Protocol):
    """The months that the log consists of."""

    def keep(self, retention: timedelta) -> Sequence[tuple[str, str]]:
        """
        Have the months to come, and lose those that are older than *retention*.

        What was changed, as (``added`` or ``dropped``, the month's name).
        """
        ...


class AuditReadWork(Protocol):
    """What reading the log needs."""

    @property
    def audit(self) -> AuditLog: ...


class AuditKeepWork(SettingsWork, Protocol):
    """What keeping the log's months needs."""

    @property
    def audit_months(self) -> AuditMonths: ...
