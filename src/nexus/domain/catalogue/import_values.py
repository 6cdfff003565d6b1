"""Dates, times and numbers as other people's files write them; what cannot be read is ``None``."""

import re
from datetime import date, time
from typing import Final

_ISO: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)")
_NUMERIC: Final = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?!\d)")
_MONTH_FIRST: Final = re.compile(
    r"(?:[a-z]+,\s*)?([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})", re.IGNORECASE
)
_DAY_FIRST: Final = re.compile(
    r"(?:[a-z]+,\s*)?(\d{1,2})(?:st|nd|rd|th)?[\s-]+([a-z]{3,9})\.?,?[\s-]+(\d{4})", re.IGNORECASE
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK: Final = re.compile(
    r"(\d{1,2})(?:[:.h](\d{2})(?::(\d{2})(?:\.\d+)?)?)?\s*(?:([ap])\.?\s*m?\.?)?(?:z|[+-]00:?00)?",
    re.IGNORECASE,
)
_AFTER_A_DATE: Final = re.compile(r"\d[T ]\s*(\d{1,2}:\d{2}.*)$", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[+-]?\d{1,12}(?:\.\d*)?|[+-]?\.\d+")
_WEEKDAYS: Final = ("mo", "tu", "we", "th", "fr", "sa", "su")
_CENTURY: Final = 2000
_NOON: Final = 12


def number(value: str) -> float | None:
    """A decimal number; thousands separators, a currency sign and a ``+`` behind it are overlooked."""
    bare = value.strip().removesuffix("+").lstrip("$€£ ").replace(",", "").strip()
    return float(bare) if _NUMBER.fullmatch(bare) and bare.isascii() else None


def whole(value: str) -> int | None:
    """A number without what is behind its point (``25.0`` is 25)."""
    read = number(value)
    return None if read is None else int(read // 1)


def _date(year: str, month: str | int, day: str) -> date | None:
    try:
        return date(int(year) + (_CENTURY if len(year) == 2 else 0), int(month), int(day))  # noqa: PLR2004
    except ValueError:
        return None


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1 if name[:3].lower() in _MONTHS else 0


def calendar_date(value: str, *, day_first: bool = False) -> date | None:
    """
    A date: ISO, ``6/28/2021`` (or the day first), ``June 28, 2021``, ``28 June 2021``.

    A time behind it is overlooked.
    """
    text = value.strip()
    if not text.isascii():
        return None
    if found := _ISO.match(text) or _COMPACT.match(text):
        return _date(*found.groups())
    if found := _NUMERIC.match(text):
        first, second, year = found.groups()
        return _date(year, second, first) if day_first else _date(year, first, second)
    if found := _MONTH_FIRST.match(text):
        return _date(found[3], _month(found[1]), found[2])
    if found := _DAY_FIRST.match(text):
        return _date(found[3], _month(found[2]), found[1])
    return None


def wall_time(value: str) -> time | None:
    """
    A local time: ``09:00``, ``09:00:00``, ``9:00 AM``, ``9am``; with or without a date before it.

    A bare ``9`` could be either half of the day and is not read.
    """
    text = value.strip()
    if behind := _AFTER_A_DATE.search(text):
        text = behind[1].strip()
    found = _CLOCK.fullmatch(text)
    if not found or not text.isascii() or (found[2] is None and found[4] is None):
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if half := (found[4] or "").lower():
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    try:
        return time(hour, minute)
    except ValueError:
        return None


def has_time(value: str) -> bool:
    """Whether a date carries a time of day as well (midnight means that it does not)."""
    behind = _AFTER_A_DATE.search(value.strip())
    return behind is not None and wall_time(value) not in {None, time(0)}


def weekdays(value: str) -> frozenset[int] | None:
    """ISO numbers of the days named, in full or shortened, whatever stands between them."""
    names = re.findall(r"[a-z]+", value.lower())
    if any(name[:2] not in _WEEKDAYS for name in names):
        return None
    return frozenset(_WEEKDAYS.index(name[:2]) + 1 for name in names)


def degrees(value: str, most: float) -> float | None:
    """A latitude or longitude; exactly nought means that nobody filled it in."""
    bare = value.strip()
    try:
        read = float(bare)
    except ValueError:
        return None
    return read if 0 < abs(read) <= most else None
