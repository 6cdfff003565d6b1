"""
Query parameters that Litestar would let through and that nothing behind could use.

It reads ``nan`` as a number, an instant without its offset, whole numbers of any
size and texts with NUL; the first two have no meaning, the others fit no column.
It takes the word ``null`` for a parameter that was left out, and of a wrong choice
it does not say what there is to choose from.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import Enum
from functools import partial
from math import isfinite
from typing import Any
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.params import ParameterKwarg, PathParameter
from litestar.typing import FieldDefinition

from nexus.entrypoints.http import scalars
from nexus.entrypoints.http.faults import Fault, Malformed

Check = Callable[[str], object]


def _said(text: str) -> None:
    if text.lower() == "null":
        raise ValueError("must have a value, or be left out")


def _finite(text: str) -> None:
    _said(text)
    if not isfinite(float(text)):
        raise ValueError("must be a finite number")


def _in_range(text: str) -> None:
    _said(text)
    if text.lstrip("+-").isdecimal():
        scalars.integer(int(text[:30]))


_CHECKS: dict[Any, Check] = {
    int: _in_range,
    float: _finite,
    bool: _said,
    UUID: scalars.uuid,
    datetime: scalars.instant,
    str: scalars.text,
}


def _check(kind: Any) -> Check | None:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return partial(scalars.choice, of=kind)
    return _CHECKS.get(kind)


def _types(definition: FieldDefinition) -> Iterable[Any]:
    yield definition.annotation
    for inner in definition.inner_types:
        yield from _types(inner)


def _checks(handler: BaseRouteHandler) -> dict[str, Check]:
    found: dict[str, Check] = {}
    for name, definition in handler.parsed_fn_signature.parameters.items():
        stated = definition.kwarg_definition
        if isinstance(stated, ParameterKwarg) and not isinstance(stated, PathParameter):
            for kind in _types(definition):
                if check := _check(kind):
                    found[stated.name or name] = check
    return found


_known: dict[str, dict[str, Check]] = {}


async def check_query(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """
    A guard: what a query says must be usable.

    Raises:
        Malformed: Some of it is not; all such parameters, by name.
    """
    handler = connection.route_handler
    checks = _known.get(handler.handler_id)
    if checks is None:
        checks = _known[handler.handler_id] = _checks(handler)
    faults = []
    for name, check in checks.items():
        for text in connection.query_params.getall(name, []):
            try:
                check(text)
            except ValueError as error:
                if check is not _finite or str(error).startswith("must"):
                    faults.append(Fault(f"query.{name}", str(error)))
    if faults:
        raise Malformed("; ".join(f"{f.path} {f.message}" for f in faults), faults)
