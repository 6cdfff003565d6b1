"""What administrators see of the audit log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import field, frozen

from nexus.application.kernel.audit import Cause
from nexus.domain.compliance.audit import Category, EntityType, Severity
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import CompanyId, UserId, VenueId


@frozen(kw_only=True)
class AuditEntry:
    """
    One entry: who did what to what, when, from where.

    Values that tell of a child are sealed: here it is only said that there are some.
    """

    id: UUID
    at: datetime
    action: str
    category: Category
    severity: Severity
    entity_type: EntityType
    entity: UUID | None
    cause: Cause
    user: UserId | None
    role: Role | None
    api_key: UUID | None
    session: str | None
    company: CompanyId | None
    venue: VenueId | None
    address: str | None
    request_id: str | None
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    is_sealed: bool


@frozen(kw_only=True)
class SealedEntry:
    """An entry with its sealed values as they are stored."""

    entry: AuditEntry
    old_sealed: bytes | None = field(repr=False)
    new_sealed: bytes | None = field(repr=False)


@frozen(kw_only=True)
class OpenedEntry:
    """An entry with its sealed values in clear."""

    entry: AuditEntry
    old: dict[str, Any] | None = field(repr=False)
    new: dict[str, Any] | None = field(repr=False)
