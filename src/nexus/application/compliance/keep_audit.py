"""Keep the months of the audit log: those to come are there, those past their time are not."""

from datetime import timedelta

from attrs import frozen

from nexus.application.compliance.ports import AuditKeepWork
from nexus.application.kernel.ports import Begin, Clock
from nexus.domain.compliance.audit import Action, Deed


@frozen
class KeepAudit:
    """
    Make the log's coming months and drop those that are older than the setting says.

    A year of months is there ahead, so that entries have their place however late this
    runs. Never before two years have passed is anything dropped, whatever the setting.
    """

    begin: Begin[AuditKeepWork]
    now: Clock

    def __call__(self) -> int:
        """How many months were added or dropped."""
        with self.begin() as work:
            days = work.settings.at(self.now()).audit_retention_days
            changed = work.audit_months.keep(timedelta(days=days))
            if changed:
                told = [f"{change} {month}" for change, month in changed]
                work.audit.add(Deed(Action.AUDIT_MONTHS_KEPT, new={"months": told}))
        return len(changed)
