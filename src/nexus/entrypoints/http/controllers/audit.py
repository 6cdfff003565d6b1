"""The audit log, for the platform's administration."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from attrs import field, frozen
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.compliance.ports import AuditFilter
from nexus.application.compliance.read_audit import (
    CannotBeOpened,
    NothingIsSealed,
    OpenAuditEntry,
    SearchAudit,
    ShowAuditEntry,
)
from nexus.application.compliance.views import AuditEntry
from nexus.application.kernel.audit import Cause
from nexus.domain.compliance.audit import Category, EntityType, Severity
from nexus.domain.identity.people import Role
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import CompanyId, UserId, VenueId
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import SENSITIVE, Policy, allow

_BY_TIME: Final = Keyset("audit", datetime, UUID)


@frozen(kw_only=True)
class AuditEntryView:
    """Who did what to what, when and from where."""

    id: UUID
    at: datetime = field(metadata={"description": "By the database's own clock."})
    action: str = field(metadata={"examples": ["venue.approved"]})
    category: Category
    severity: Severity
    entity_type: EntityType
    entity_id: UUID | None
    cause: Cause = field(
        metadata={"description": "Whether a person, an API key, the platform or nobody known."}
    )
    user_id: UserId | None
    role: Role | None
    api_key_id: UUID | None
    session_id: str | None = field(metadata={"description": "The sign-in that proved who it was."})
    company_id: CompanyId | None
    venue_id: VenueId | None
    address: str | None = field(
        metadata={"description": "The client's IP address.", "examples": ["203.0.113.7"]}
    )
    request_id: str | None
    old_values: dict[str, Any] | None = field(metadata={"description": "What changed, as it was."})
    new_values: dict[str, Any] | None = field(metadata={"description": "What changed, as it is."})
    is_sealed: bool = field(
        metadata={"description": "There are values about a child, which are not shown here."}
    )

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditEntryView":
        return cls(
            id=entry.id,
            at=entry.at,
            action=entry.action,
            category=entry.category,
            severity=entry.severity,
            entity_type=entry.entity_type,
            entity_id=entry.entity,
            cause=entry.cause,
            user_id=entry.user,
            role=entry.role,
            api_key_id=entry.api_key,
            session_id=entry.session,
            company_id=entry.company,
            venue_id=entry.venue,
            address=entry.address,
            request_id=entry.request_id,
            old_values=entry.old,
            new_values=entry.new,
            is_sealed=entry.is_sealed,
        )


@frozen(kw_only=True)
class Opening:
    """Why sealed values are to be opened."""

    reason: str = field(
        metadata={
            "description": "10 to 500 characters; it is recorded with your name.",
            "examples": ["The parent asks who changed the allergy notes (ticket 4711)"],
        }
    )


@frozen(kw_only=True)
class OpenedEntryView:
    """An entry, and what it says of a child."""

    entry: AuditEntryView
    opened_old_values: dict[str, Any] | None = field(repr=False)
    opened_new_values: dict[str, Any] | None = field(repr=False)


Text = Annotated[str | None, QueryParameter(max_length=100)]
Since = Annotated[datetime | None, QueryParameter(name="from", description="Not before this instant.")]
Until = Annotated[datetime | None, QueryParameter(name="to", description="Before this instant.")]


class AuditController(Controller):
    """What everybody did. Whoever reads here is recorded too."""

    path = "/api/v1/admin/audit"
    opt = allow(Policy.ADMIN) | SENSITIVE
    tags = ("Administration",)

    @get("/", sync_to_thread=True)
    def search(
        self,
        *,
        search_audit: NamedDependency[SkipValidation[SearchAudit]],
        user_id: FromQuery[UUID | None] = None,
        action: Text = None,
        category: FromQuery[Category | None] = None,
        severity: FromQuery[Severity | None] = None,
        cause: FromQuery[Cause | None] = None,
        entity_type: FromQuery[EntityType | None] = None,
        entity_id: FromQuery[UUID | None] = None,
        company_id: FromQuery[UUID | None] = None,
        venue_id: FromQuery[UUID | None] = None,
        request_id: Text = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[AuditEntryView]:
        """
        Search the audit log, the newest entries first.

        The narrower *from* and *to*, the faster: the log is kept by months. What was
        asked is recorded with every page.
        """
        wanted = AuditFilter(
            user=None if user_id is None else UserId(user_id),
            action=action,
            category=category,
            severity=severity,
            cause=cause,
            entity_type=entity_type,
            entity=entity_id,
            company=None if company_id is None else CompanyId(company_id),
            venue=None if venue_id is None else VenueId(venue_id),
            request_id=request_id,
            since=since,
            until=until,
        )
        found = search_audit(wanted, after=_BY_TIME.after(cursor), limit=limit + 1)
        return _BY_TIME.page(found, limit, lambda entry: (entry.at, entry.id), AuditEntryView.of)

    @get("/{entry_id:uuid}", sync_to_thread=True, responses=problem_responses(NoSuchThing))
    def show(
        self, *, entry_id: FromPath[UUID], show_audit_entry: NamedDependency[SkipValidation[ShowAuditEntry]]
    ) -> AuditEntryView:
        """Show one entry; that it was looked at is recorded."""
        return AuditEntryView.of(show_audit_entry(entry_id))

    @post(
        "/{entry_id:uuid}/open",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, NothingIsSealed, CannotBeOpened, InvalidValue),
    )
    def open(
        self,
        *,
        entry_id: FromPath[UUID],
        data: JSONBody[Opening],
        open_audit_entry: NamedDependency[SkipValidation[OpenAuditEntry]],
    ) -> OpenedEntryView:
        """
        Open what an entry says of a child; the reason is recorded with whoever asks.

        Every opening counts, so that no Idempotency-Key is taken and no answer kept.
        """
        opened = open_audit_entry(entry_id, reason=data.reason)
        return OpenedEntryView(
            entry=AuditEntryView.of(opened.entry),
            opened_old_values=opened.old,
            opened_new_values=opened.new,
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [AuditController]
