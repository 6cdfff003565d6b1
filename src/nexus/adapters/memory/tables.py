"""
Dictionaries that remember what they were, so that undoing costs what was done and not what is kept.

An index finds rows by a value of theirs, so that looking for a few rows does not cost what is kept either.
"""

from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from itertools import repeat
from operator import attrgetter, call
from typing import Any, Final, Generic, Self, TypeVar

from attrs import fields

K = TypeVar("K")
R = TypeVar("R")
V = TypeVar("V")

ABSENT: Final = object()
"""What a row was before it was added."""

Change = tuple["Table[Any, Any]", Any, Any]
"""A table, a key, and the row that was there before."""


_put: Final = dict.__setitem__  # called for every row that is written, and found faster so
_Setter = Callable[[Any, Any], None]
_COLUMNS: Final[
    dict[type, tuple[Callable[[Any], Iterable[Any]], tuple[_Setter, ...], dict[str, _Setter]]]
] = {}


def updated(row: R, **values: Any) -> R:
    """
    The row with other values: ``evolve`` that does not judge anew what stays as it is.

    Writing a row again is most of what the twins do, and validating each of its columns
    was most of that. A row is a frozen attrs class with slots and no hooks after it is made.
    """
    cls: type[R] = type(row)
    columns = _COLUMNS.get(cls)
    if columns is None:
        names = [a.name for a in fields(cls)]  # type: ignore[arg-type]
        setters: dict[str, _Setter] = {name: getattr(cls, name).__set__ for name in names}
        columns = _COLUMNS[cls] = attrgetter(*names), tuple(setters.values()), setters
    values_of, setters_in_order, by_name = columns
    new = object.__new__(cls)
    deque(map(call, setters_in_order, repeat(new), values_of(row)), maxlen=0)  # a loop that runs in C
    for name, value in values.items():
        by_name[name](new, value)
    return new


class Index(Generic[V]):
    """
    The rows of one table by a value of theirs; rows without one (None) are left out.

    Whoever asks gets what is there now: looking through it and writing to its table
    are two steps.
    """

    __slots__ = ("_groups", "_value")

    def __init__(self, value: Callable[[V], Hashable | None]) -> None:
        self._value = value
        self._groups: dict[Hashable, dict[Any, V]] = {}

    def of(self, value: Hashable) -> Collection[V]:
        """The rows with that value."""
        group = self._groups.get(value)
        return () if group is None else group.values()

    def values(self) -> Collection[Hashable]:
        """Every value that a row has."""
        return self._groups.keys()

    def rows(self) -> Iterable[V]:
        """Every row that has one."""
        return (row for group in self._groups.values() for row in group.values())

    def follow(self, key: Any, old: Any, new: Any) -> None:
        """A row was *old* and is *new*; :data:`ABSENT` when there is none."""
        was = None if old is ABSENT else self._value(old)
        value = None if new is ABSENT else self._value(new)
        if was is not None and was == value:
            self._groups[value][key] = new
            return
        if was is not None:
            group = self._groups[was]
            del group[key]
            if not group:
                del self._groups[was]
        if value is not None:
            self._groups.setdefault(value, {})[key] = new


class Table(dict[K, V]):
    """
    One table: a dictionary that notes each change in a list shared by all tables.

    Only item by item and ``|=``: that is how the twins write, and each way to
    write is one that must be undone.
    """

    __slots__ = ("_changes", "_indexes", "name")

    def __init__(
        self, name: str, rows: Mapping[K, V], changes: list[Change], indexes: Iterable[Index[V]] = ()
    ) -> None:
        super().__init__(rows)
        self.name = name
        self._changes = changes
        self._indexes = tuple(indexes)
        for key, row in self.items():
            self._follow(key, ABSENT, row)

    def __setitem__(self, key: K, row: V) -> None:
        old = self.get(key, ABSENT)
        self._changes.append((self, key, old))
        _put(self, key, row)
        for index in self._indexes:
            index.follow(key, old, row)

    def __delitem__(self, key: K) -> None:
        old = self[key]
        self._changes.append((self, key, old))
        super().__delitem__(key)
        self._follow(key, old, ABSENT)

    def _follow(self, key: K, old: Any, new: Any) -> None:
        for index in self._indexes:
            index.follow(key, old, new)

    def __ior__(self, rows: Mapping[K, V] | Iterable[tuple[K, V]], /) -> Self:  # type: ignore[override, misc]
        for key, row in dict(rows).items():
            self[key] = row
        return self

    def restore(self, key: K, row: Any) -> None:
        """Put one row back as it was, without noting it."""
        self._follow(key, self.get(key, ABSENT), row)
        if row is ABSENT:
            super().__delitem__(key)
        else:
            super().__setitem__(key, row)
