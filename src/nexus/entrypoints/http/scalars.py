"""
How single values are spelled in JSON, and what is refused.

Every reader takes a decoded JSON value and raises ``ValueError`` with a sentence
for the client. None of them converts between JSON types: ``"5"`` is no number,
``true`` is not 1.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Annotated, Any, Final
from uuid import UUID

from attrs import frozen

UUID_PATTERN: Final = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
DATE_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
TIME_PATTERN: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
INSTANT_PATTERN: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)


@frozen
class IntegerRange:
    """The whole numbers that a column can hold."""

    low: int
    high: int


INT8: Final = IntegerRange(-(2**63), 2**63 - 1)
INT4: Final = IntegerRange(-(2**31), 2**31 - 1)
INT2: Final = IntegerRange(-(2**15), 2**15 - 1)

Int4 = Annotated[int, INT4]
"""A whole number that fits PostgreSQL's ``integer``; a plain ``int`` fits ``bigint``."""

Int2 = Annotated[int, INT2]
"""A whole number that fits PostgreSQL's ``smallint``."""


def _kind(value: Any) -> str:
    names = {type(None): "null", bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    return names.get(type(value), "an array" if isinstance(value, list) else "an object")


def expected(what: str, value: Any) -> ValueError:
    """The fault of a value that has another JSON type."""
    return ValueError(f"must be {what}, not {_kind(value)}")


def text(value: Any) -> str:
    """A string that a database can store."""
    if type(value) is not str:
        raise expected("a string", value)
    if "\x00" in value:
        raise ValueError("must not contain the NUL character")
    if any("\ud800" <= c <= "\udfff" for c in value) if not value.isascii() else False:
        raise ValueError("must not contain unpaired surrogates")
    return value


def boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise expected("a boolean", value)
    return value


def integer(value: Any, within: IntegerRange = INT8) -> int:
    if type(value) is not int:
        fault = ValueError("must be a whole number")
        raise fault if type(value) is float else expected("a whole number", value)
    if not within.low <= value <= within.high:
        raise ValueError(f"must be between {within.low} and {within.high}")
    return value


def number(value: Any) -> float:
    if type(value) not in (int, float):
        raise expected("a number", value)
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise ValueError("is too large")
    return result


def _matching(pattern: str, what: str) -> Callable[[Any], str]:
    compiled = re.compile(pattern.removesuffix("$") + r"\Z")

    def read(value: Any) -> str:
        if type(value) is not str:
            raise expected(what, value)
        if not compiled.match(value):
            raise ValueError(f"must be {what}")
        return value

    return read


_uuid_text = _matching(UUID_PATTERN, "a UUID such as 0190163d-8694-739b-aea5-966c26f8ad91")
_date_text = _matching(DATE_PATTERN, "a date such as 2026-03-31")
_time_text = _matching(TIME_PATTERN, "a time such as 16:30")
_instant_text = _matching(INSTANT_PATTERN, "an instant with its offset, such as 2026-03-31T16:30:00Z")


def uuid(value: Any) -> UUID:
    return UUID(_uuid_text(value))


def day(value: Any) -> date:
    try:
        return date.fromisoformat(_date_text(value))
    except ValueError as error:
        raise ValueError("must be a date such as 2026-03-31") from error


def wall_time(value: Any) -> time:
    return time.fromisoformat(_time_text(value))


def instant(value: Any) -> datetime:
    """An aware datetime in UTC; a local time without its offset names no instant."""
    stated = _instant_text(value).upper()
    try:
        return datetime.fromisoformat(stated).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("is not an instant that exists") from error


def choice(value: Any, of: type[Enum]) -> Enum:
    for member in of:
        if type(value) is type(member.value) and value == member.value:
            return member
    raise ValueError("must be one of " + ", ".join(str(member.value) for member in of))


def anything(value: Any) -> Any:
    """Free JSON, as long as all of it can be stored."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [anything(v) for v in value]
    if isinstance(value, dict):
        return {text(k): anything(v) for k, v in value.items()}
    return integer(value) if type(value) is int else value
