"""Rows of the audit log."""

from datetime import datetime
from uuid import UUID

from attrs import frozen

from nexus.application.kernel.caller import Caller
from nexus.domain.compliance.audit import Deed


@frozen
class AuditRow:
    """A deed and who did it, as they were handed in; an entry is made of them for whoever reads it."""

    id: UUID
    at: datetime
    deed: Deed
    caller: Caller
