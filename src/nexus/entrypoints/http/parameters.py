"""
Query parameters that Litestar would let through and that nothing behind could use.

It reads ``nan`` as a number, an instant without its offset, whole numbers of any
size and texts with NUL; the first two have no meaning, the others fit no column.
It lets names pass that mean nothing here, so that a mistyped filter filters nothing.
It takes the word ``null`` for a parameter that was left out, and of a wrong choice
it does not say what there is to choose from.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import Enum
from functools import partial
from math import isfinite
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from litestar.constants import RESERVED_KWARGS
from litestar.datastructures import MultiDict
from litestar.handlers.base import BaseRouteHandler
from litestar.params import BodyKwarg, CookieParameter, HeaderParameter, ParameterKwarg, PathParameter
from litestar.typing import FieldDefinition

from nexus.entrypoints.http import scalars
from nexus.entrypoints.http.faults import MOST, Fault, Malformed, below

Check = Callable[[str], object]

_NOT_QUERIED: Final = (BodyKwarg, CookieParameter, HeaderParameter, PathParameter)


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


def _names(handler: BaseRouteHandler) -> frozenset[str]:
    """What a query may say: what the handler, or something that it is given, asks for."""
    given = handler.resolve_dependencies()
    signatures = [handler.parsed_fn_signature, *(provider.parsed_fn_signature for provider in given.values())]
    return frozenset(
        getattr(definition.kwarg_definition, "name", None) or name
        for signature in signatures
        for name, definition in signature.parameters.items()
        if name not in given
        and name not in RESERVED_KWARGS
        and not isinstance(definition.kwarg_definition, _NOT_QUERIED)
    )


@frozen
class Query:
    """What the query of a route may say."""

    names: frozenset[str]
    checks: dict[str, Check]
    may_say_more: bool
    """Pages are linked to from elsewhere, with whatever others add to links."""

    @classmethod
    def of(cls, handler: BaseRouteHandler) -> "Query":
        is_page = not getattr(handler, "include_in_schema", True)
        return cls(_names(handler), _checks(handler), is_page)

    def check(self, query: MultiDict[Any]) -> None:
        """
        What a query says must be usable.

        Raises:
            Malformed: Some of it is not; all such parameters, by name.
        """
        faults = []
        if not self.may_say_more:
            unknown = sorted(set(query) - self.names)[:MOST]
            faults += [Fault(below("query", name), "is not a known parameter") for name in unknown]
        for name, check in self.checks.items():
            for text in query.getall(name, []):
                try:
                    check(text)
                except ValueError as error:
                    if check is not _finite or str(error).startswith("must"):
                        faults.append(Fault(f"query.{name}", str(error)))
        if faults:
            raise Malformed("; ".join(f"{f.path} {f.message}" for f in faults), faults)
