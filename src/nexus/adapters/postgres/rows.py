"""Rows become attrs objects: enums, nested values and tuples included."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from cattrs import Converter
from psycopg import Cursor

T = TypeVar("T")

_converter = Converter(prefer_attrib_converters=False, detailed_validation=False)
for _kind in (date, datetime, time, timedelta, Decimal, UUID):
    _converter.register_structure_hook(_kind, lambda value, _: value)


def as_object(cls: type[T]) -> Callable[[Cursor[Any]], Callable[[Sequence[Any]], T]]:
    """A psycopg row factory: columns become the attributes of the same name."""
    structure = _converter.get_structure_hook(cls)

    def factory(cursor: Cursor[Any]) -> Callable[[Sequence[Any]], T]:
        # Not by the description, which is an object for each column.
        result = cursor.pgresult
        names = [(result.fname(n) or b"").decode() for n in range(result.nfields)] if result else []

        def make(values: Sequence[Any]) -> T:
            made: T = structure(dict(zip(names, values, strict=True)), cls)
            return made

        return make

    return factory


def to_object(values: dict[str, Any], cls: type[T]) -> T:
    """A mapping of columns (or parsed JSON of them) as an object."""
    return _converter.structure(values, cls)
