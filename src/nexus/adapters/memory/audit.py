"""The audit log: the twin of its table."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from attrs import asdict

from nexus.adapters.memory.audit_rows import AuditRow
from nexus.adapters.memory.world import World
from nexus.application.compliance.ports import AuditFilter
from nexus.application.compliance.views import AuditEntry, SealedEntry
from nexus.application.kernel.audit import Doer
from nexus.application.kernel.caller import caller
from nexus.domain.compliance.audit import Deed

_MICROSECOND: Final = timedelta(microseconds=1)


class MemoryAudit:
    """Keeps the promises of ``PostgresAudit``, for callers who may read it."""

    def __init__(self, world: World, new_id: Callable[[], UUID] = uuid4) -> None:
        self._world, self._new_id = world, new_id

    def add(self, *deeds: Deed) -> None:
        by = caller.get()
        for deed in deeds:
            entry = self._new_id() if deed.sealed is None else deed.sealed.entry
            self._world.audit[entry] = AuditRow(entry, self._later(), deed, by)

    def page(
        self, wanted: AuditFilter, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[AuditEntry]:
        stated = {name: value for name, value in asdict(wanted).items() if value is not None}
        since, until = stated.pop("since", None), stated.pop("until", None)
        found = [
            entry
            for entry in (_read(row).entry for row in self._world.audit.values())
            if all(getattr(entry, name) == value for name, value in stated.items())
            and (since is None or entry.at >= since)
            and (until is None or entry.at < until)
            and (after is None or (entry.at, entry.id) < after)
        ]
        return sorted(found, key=lambda entry: (entry.at, entry.id), reverse=True)[:limit]

    def get(self, entry: UUID) -> SealedEntry | None:
        row = self._world.audit.get(entry)
        return None if row is None else _read(row)

    def _later(self) -> datetime:
        """The store's own clock; no two entries of one process at one instant."""
        at = datetime.now(UTC)
        for row in reversed(self._world.audit.values()):
            return max(at, row.at + _MICROSECOND)
        return at


def _read(row: AuditRow) -> SealedEntry:
    deed, doer, sealed = row.deed, Doer.of(row.caller), row.deed.sealed
    return SealedEntry(
        entry=AuditEntry(
            id=row.id,
            at=row.at,
            action=deed.action.label,
            category=deed.action.category,
            severity=deed.action.severity,
            entity_type=deed.action.entity,
            entity=deed.entity,
            cause=doer.cause,
            user=deed.by or doer.user,
            role=doer.role,
            api_key=doer.key,
            session=doer.session,
            company=deed.company or doer.company,
            venue=deed.venue or doer.venue,
            address=doer.address,
            request_id=doer.request_id,
            old=deed.old,
            new=deed.new,
            is_sealed=sealed is not None and (sealed.old or sealed.new) is not None,
        ),
        old_sealed=None if sealed is None else sealed.old,
        new_sealed=None if sealed is None else sealed.new,
    )
