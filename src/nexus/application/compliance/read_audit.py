"""Search the audit log, look at an entry, open what is sealed in it. Each look is an entry of its own."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from attrs import asdict, frozen

from nexus.application.compliance.ports import AuditFilter, AuditLog, AuditReadWork
from nexus.application.compliance.views import AuditEntry, OpenedEntry, SealedEntry
from nexus.application.kernel.ports import Begin, Clock
from nexus.application.kernel.vault import ChildKeys, SealBroken, Seals, Vault, place, place_of_key
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.errors import Conflict, InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import ChildId
from nexus.domain.kernel.texts import short_text

SHORTEST_REASON: Final = 10


@frozen
class NothingIsSealed(Conflict):
    """All that this entry says is shown with it."""


@frozen
class CannotBeOpened(Conflict):
    """The key that this entry was sealed with was destroyed, or the entry was tampered with."""


class AuditOpenWork(Protocol):
    """What opening sealed values needs."""

    @property
    def audit(self) -> AuditLog: ...
    @property
    def child_keys(self) -> ChildKeys: ...


@frozen
class SearchAudit:
    """Find entries, the newest first by (time, id). What was asked is recorded, page by page."""

    begin: Begin[AuditReadWork]

    def __call__(
        self, wanted: AuditFilter, *, after: tuple[datetime, UUID] | None = None, limit: int = 50
    ) -> Sequence[AuditEntry]:
        asked = {name: value for name, value in asdict(wanted).items() if value is not None}
        with self.begin() as work:
            found = work.audit.page(wanted, after=after, limit=limit)
            work.audit.add(Deed(Action.AUDIT_SEARCHED, new={"asked": asked}))
        return found


@frozen
class ShowAuditEntry:
    """One entry; of what is sealed only that there is something."""

    begin: Begin[AuditReadWork]

    def __call__(self, entry: UUID) -> AuditEntry:
        """
        Raises:
            NoSuchThing: There is no such entry, or not any more.
        """
        with self.begin() as work:
            found = _found(work.audit, entry)
            work.audit.add(Deed(Action.AUDIT_ENTRY_SHOWN, entry))
        return found.entry


@frozen
class OpenAuditEntry:
    """Open what an entry says of a child, for a reason that is recorded."""

    begin: Begin[AuditOpenWork]
    now: Clock
    vault: Vault

    def __call__(self, entry: UUID, *, reason: str) -> OpenedEntry:
        """
        Raises:
            InvalidValue: No reason.
            NoSuchThing: There is no such entry, or not any more.
            NothingIsSealed: There is nothing to open.
            CannotBeOpened: Nobody can read it any more.
        """
        why = short_text("reason", reason, at_most=500)
        if len(why) < SHORTEST_REASON:
            raise InvalidValue("reason", f"must have at least {SHORTEST_REASON} characters")
        with self.begin() as work:
            found = _found(work.audit, entry)
            if not found.entry.is_sealed or found.entry.entity is None:
                raise NothingIsSealed
            child = ChildId(found.entry.entity)
            context = place_of_key(child)
            try:
                key = work.child_keys.give(child, self.vault.new_key(context=context), at=self.now())
                own = self.vault.under(key, context=context)
                old = _opened(found.old_sealed, own, "old_sealed", entry)
                new = _opened(found.new_sealed, own, "new_sealed", entry)
            except SealBroken as broken:
                raise CannotBeOpened from broken
            work.audit.add(Deed(Action.AUDIT_ENTRY_OPENED, entry, new={"reason": why, "child": child}))
        return OpenedEntry(entry=found.entry, old=old, new=new)


def _found(log: AuditLog, entry: UUID) -> SealedEntry:
    found = log.get(entry)
    if found is None:
        raise NoSuchThing("audit entry")
    return found


def _opened(sealed: bytes | None, seals: Seals, column: str, entry: UUID) -> dict[str, Any] | None:
    if sealed is None:
        return None
    values: dict[str, Any] = json.loads(seals.open(sealed, context=place("audit_logs", column, entry)))
    return values
