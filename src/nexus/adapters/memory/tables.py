"""Dictionaries that remember what they were, so that undoing costs what was done and not what is kept."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")

ABSENT: Final = object()
"""What a row was before it was added."""

Change = tuple["Table[Any, Any]", Any, Any]
"""A table, a key, and the row that was there before."""


class Table(dict[K, V]):
    """
    One table: a dictionary that notes each change in a list shared by all tables.

    Only item by item and ``|=``: that is how the twins write, and each way to
    write is one that must be undone.
    """

    __slots__ = ("_changes", "name")

    def __init__(self, name: str, rows: Mapping[K, V], changes: list[Change]) -> None:
        super().__init__(rows)
        self.name = name
        self._changes = changes

    def __setitem__(self, key: K, row: V) -> None:
        self._changes.append((self, key, self.get(key, ABSENT)))
        super().__setitem__(key, row)

    def __delitem__(self, key: K) -> None:
        self._changes.append((self, key, self[key]))
        super().__delitem__(key)

    def __ior__(self, rows: Mapping[K, V] | Iterable[tuple[K, V]], /) -> Self:  # type: ignore[override, misc]
        for key, row in dict(rows).items():
            self[key] = row
        return self

    def restore(self, key: K, row: Any) -> None:
        """Put one row back as it was, without noting it."""
        if row is ABSENT:
            super().__delitem__(key)
        else:
            super().__setitem__(key, row)
