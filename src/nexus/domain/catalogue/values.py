"""Checks that several of the catalogue's entities share."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, time
from typing import Any
from uuid import UUID

from nexus.domain.kernel.errors import InvalidValue
from nexus.domain.kernel.time import zone

Validator = Callable[[Any, Any, Any], None]


def text(*, most: int, least: int = 0) -> Validator:
    """A text of so many characters, white space at its ends not counted; ``None`` passes."""

    def check(_self: Any, attribute: Any, value: str | None) -> None:
        if value is None:
            return
        if len(value.strip()) < least:
            raise InvalidValue(attribute.name, "must not be empty")
        if len(value) > most:
            raise InvalidValue(attribute.name, f"must have at most {most} characters")

    return check


def between(least: float, most: float) -> Validator:
    """A number within both bounds; ``None`` passes."""

    def check(_self: Any, attribute: Any, value: float | None) -> None:
        if value is not None and not least <= value <= most:
            raise InvalidValue(attribute.name, f"must be between {least} and {most}")

    return check


def wall_clock(_self: Any, attribute: Any, value: time) -> None:
    """A local time: what a clock on the wall shows, without an offset."""
    if value.tzinfo is not None:
        raise InvalidValue(attribute.name, "must be a local time, without an offset")


def words(values: Iterable[str]) -> frozenset[str]:
    return frozenset(values)


def dates(values: Iterable[date]) -> frozenset[date]:
    return frozenset(values)


def known_zone(_self: Any, _attribute: Any, name: str) -> None:
    """An IANA time zone."""
    zone(name)


def slug(name: str, key: UUID) -> str:
    """A name for addresses: what is ASCII in *name*, and the end of *key* to tell namesakes apart."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", ascii_name.lower().replace("'", ""))
    return "-".join([*words, key.hex[-8:]])
