"""What is kept of who did what."""

from functools import cached_property

from nexus.application.compliance.keep_audit import KeepAudit
from nexus.application.compliance.read_audit import OpenAuditEntry, SearchAudit, ShowAuditEntry
from nexus.application.compliance.record_refusal import RecordRefusal
from nexus.entrypoints.wiring.means import Means


class Compliance(Means):
    """The audit log."""

    @cached_property
    def search_audit(self) -> SearchAudit:
        return SearchAudit(self.begin)

    @cached_property
    def show_audit_entry(self) -> ShowAuditEntry:
        return ShowAuditEntry(self.begin)

    @cached_property
    def open_audit_entry(self) -> OpenAuditEntry:
        return OpenAuditEntry(self.begin, self.now, self._vault)

    @cached_property
    def record_refusal(self) -> RecordRefusal:
        return RecordRefusal(self.begin)

    @cached_property
    def keep_audit(self) -> KeepAudit:
        return KeepAudit(self.begin, self.now)
