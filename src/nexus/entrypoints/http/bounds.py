"""``from`` and ``to`` of a list: local dates, or instants."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Final

from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import QueryParameter

from nexus.entrypoints.http import scalars
from nexus.entrypoints.http.faults import Fault, Malformed

Bound = date | datetime

_SHAPE: Final[dict[str, Any]] = {
    "any_of": [
        Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE, pattern=scalars.DATE_PATTERN),
        Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE_TIME, pattern=scalars.INSTANT_PATTERN),
    ],
    "examples": ["2026-03-31", "2026-03-31T16:30:00Z"],
}

FromText = Annotated[
    str | None,
    QueryParameter(
        name="from",
        description="Sessions on this local date or later, or that start at this instant or later.",
        schema_extra=_SHAPE,
    ),
]
"""``starts_from: FromText = None``"""

ToText = Annotated[
    str | None,
    QueryParameter(
        name="to",
        description="Sessions on this local date or earlier, or that start before this instant.",
        schema_extra=_SHAPE,
    ),
]
"""``starts_until: ToText = None``"""


def read_bound(text: str) -> Bound:
    """
    A local date, or an instant.

    Raises:
        ValueError: It is neither.
    """
    if ":" not in text:
        try:
            return scalars.day(text)
        except ValueError as error:
            raise ValueError(
                "must be a date such as 2026-03-31, or an instant such as 2026-03-31T16:30:00Z"
            ) from error
    return scalars.instant(text)


def read_bounds(starts_from: str | None, starts_until: str | None) -> tuple[Bound | None, Bound | None]:
    """
    Both bounds of a list.

    Raises:
        Malformed: One or both cannot be read.
    """
    found: list[Bound | None] = []
    faults: list[Fault] = []
    for name, text in (("from", starts_from), ("to", starts_until)):
        try:
            found.append(None if text is None else read_bound(text))
        except ValueError as error:
            faults.append(Fault(f"query.{name}", str(error)))
    refuse(faults)
    return found[0], found[1]


def refuse(faults: Iterable[Fault]) -> None:
    """
    Go on only if there is no fault.

    Raises:
        Malformed: There is; all of them.
    """
    stated = list(faults)
    if stated:
        raise Malformed("; ".join(f"{f.path} {f.message}" for f in stated), stated)
