"""Move everything that is sealed to the current key, while the product serves."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Protocol
from uuid import UUID

from attrs import define, field, frozen

from nexus.application.kernel.audit import AuditWork
from nexus.application.kernel.ports import Begin, Clock
from nexus.application.kernel.vault import ChildKeys, RotatingVault, SealBroken, place, place_of_key
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.ids import ChildId

BATCH: Final = 200
"""Rows of one transaction: what is lost when it is interrupted, and how long a row may be held."""

FIRST: Final = UUID(int=0)
"""Before every row."""


@frozen
class SealedColumn:
    """
    A column whose values are sealed, in a table with one UUID as its key.

    What is sealed under the children's own keys stays as it is when the
    installation's key changes: only the keys themselves are sealed anew. A log that
    nobody may change keeps nothing else.
    """

    table: str
    column: str
    row: str
    under_child_key: bool = False
    is_append_only: bool = False

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


@frozen
class SealedValue:
    """A sealed value that is to be moved, and in which row it is; the key of its child, if it is under one."""

    row: UUID
    sealed: bytes
    key: bytes | None


class SealedValues(Protocol):
    """Everything that is sealed, column by column."""

    @property
    def columns(self) -> Sequence[SealedColumn]: ...

    def without(self, mark: bytes, *, column: SealedColumn, after: UUID, limit: int) -> Sequence[SealedValue]:
        """Values that do not begin with *mark* in rows after that one, by their ids."""
        ...

    def count_without(self, mark: bytes, *, column: SealedColumn) -> int: ...

    def count_by_key(self, column: SealedColumn, *, under: bytes) -> Mapping[bytes, int]:
        """How many values begin with which mark; those that begin with *under* count as one."""
        ...

    def hold(self, column: SealedColumn, rows: Sequence[UUID]) -> AbstractSet[UUID]:
        """Lock rows until the transaction ends, but for those that somebody else has locked."""
        ...

    def replace(self, column: SealedColumn, changes: Sequence[tuple[UUID, bytes, bytes]]) -> int:
        """
        Put the new value of (row, old, new) where the old one still stands; how many were replaced.

        Rows that somebody else has locked are left out: nobody waits for anybody.
        """
        ...


class RotateWork(AuditWork, Protocol):
    """What a rotation needs."""

    @property
    def sealed_values(self) -> SealedValues: ...

    @property
    def child_keys(self) -> ChildKeys: ...


@define
class Rotation:
    """How far a rotation came: values moved in each column where there were any, and what had to stay."""

    moved: dict[str, int] = field(factory=dict)
    busy: int = 0
    """Rows that others were changing whenever they were tried; run it again."""
    unreadable: int = 0
    """Values that no key here opens."""

    @property
    def is_complete(self) -> bool:
        return not self.busy and not self.unreadable


@frozen
class RotateKeys:
    """
    Seal everything under the current key that is sealed under another one.

    Each batch is a transaction: interrupted at any moment, nothing is lost, and the
    next run goes on with what is left. A value that changes meanwhile keeps the change.
    """

    begin: Begin[RotateWork]
    now: Clock
    vault: RotatingVault
    batch: int = BATCH

    def __call__(
        self, rotation: Rotation | None = None, *, progress: Callable[[int, int], None] = lambda *_: None
    ) -> Rotation:
        """
        What was done; *rotation* is kept up to date after each batch, for whoever interrupts it.

        Parameters:
            progress: Is told how many values are moved, of how many.
        """
        done = rotation or Rotation()
        with self.begin() as work:
            columns = [column for column in work.sealed_values.columns if not column.is_append_only]
            total = sum(
                work.sealed_values.count_without(self._mark(column), column=column) for column in columns
            )
        progress(0, total)
        for column in columns:
            self._rotate(column, done, lambda: progress(sum(done.moved.values()), total))
        with self.begin() as work:
            new = {"moved": done.moved, "busy": done.busy, "unreadable": done.unreadable}
            work.audit.add(Deed(Action.SEALS_ROTATED, new=new))
        return done

    def _rotate(self, column: SealedColumn, done: Rotation, tell: Callable[[], None]) -> None:
        """Pass over the column until nothing is left, or a pass changed nothing about that."""
        before: int | None = None
        while True:
            moved, left, unreadable = self._pass(column, done, tell)
            if not left or (not moved and left == before):
                done.busy += left
                done.unreadable += unreadable
                return
            before = left

    def _pass(self, column: SealedColumn, done: Rotation, tell: Callable[[], None]) -> tuple[int, int, int]:
        moved = left = unreadable = 0
        after = FIRST
        while True:
            with self.begin() as work:
                found = work.sealed_values.without(
                    self._mark(column), column=column, after=after, limit=self.batch
                )
            if not found:
                return moved, left, unreadable
            after = found[-1].row
            replaced, broken = (self._give_keys if column.under_child_key else self._reseal)(column, found)
            if replaced:
                done.moved[str(column)] = done.moved.get(str(column), 0) + replaced
            moved, unreadable = moved + replaced, unreadable + broken
            left += len(found) - replaced - broken
            tell()

    def _reseal(self, column: SealedColumn, found: Sequence[SealedValue]) -> tuple[int, int]:
        changes = []
        for value in found:
            try:
                new = self.vault.reseal(value.sealed, context=_place(column, value.row))
            except SealBroken:
                continue
            changes.append((value.row, value.sealed, new))
        with self.begin() as work:
            return work.sealed_values.replace(column, changes), len(found) - len(changes)

    def _give_keys(self, column: SealedColumn, found: Sequence[SealedValue]) -> tuple[int, int]:
        """Move values from the installation's key to the keys of their children."""
        changes, broken = [], 0
        with self.begin() as work:
            # Making a key would wait for whoever has the child; those are left for later.
            free = work.sealed_values.hold(column, [value.row for value in found])
            for value in found:
                if value.row not in free:
                    continue
                child, context = ChildId(value.row), _place(column, value.row)
                try:
                    text = self.vault.open(value.sealed, context=context)
                    key = value.key or work.child_keys.give(
                        child, self.vault.new_key(context=place_of_key(child)), at=self.now()
                    )
                    new = self.vault.under(key, context=place_of_key(child)).seal(text, context=context)
                except SealBroken:
                    broken += 1
                else:
                    changes.append((value.row, value.sealed, new))
            return work.sealed_values.replace(column, changes), broken

    def _mark(self, column: SealedColumn) -> bytes:
        return self.vault.mark_under if column.under_child_key else self.vault.mark


def _place(column: SealedColumn, row: UUID) -> str:
    return place(column.table, column.column, row)
