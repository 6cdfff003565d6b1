"""Rows whose columns are named like paths: ``"place.city"`` is the city of the place."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from psycopg import Cursor

from nexus.adapters.postgres.rows import to_object

T = TypeVar("T")


def as_nested(cls: type[T]) -> Callable[[Cursor[Any]], Callable[[Sequence[Any]], T]]:
    """A psycopg row factory; a part whose columns are all null is ``None``."""

    def factory(cursor: Cursor[Any]) -> Callable[[Sequence[Any]], T]:
        paths = [column.name.split(".") for column in cursor.description or ()]

        def make(values: Sequence[Any]) -> T:
            return to_object(_tree(paths, values) or {}, cls)

        return make

    return factory


def _tree(paths: Sequence[Sequence[str]], values: Sequence[Any]) -> dict[str, Any] | None:
    flat: dict[str, Any] = {}
    parts: dict[str, tuple[list[Sequence[str]], list[Any]]] = {}
    for (head, *rest), value in zip(paths, values, strict=True):
        if rest:
            deeper, theirs = parts.setdefault(head, ([], []))
            deeper.append(rest)
            theirs.append(value)
        else:
            flat[head] = value
    flat |= {head: _tree(deeper, theirs) for head, (deeper, theirs) in parts.items()}
    return flat if any(value is not None for value in flat.values()) else None
