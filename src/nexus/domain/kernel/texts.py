"""Short texts that people type: names, reasons, answers."""

import unicodedata
from collections.abc import Iterable

from nexus.domain.kernel.errors import InvalidValue


def short_text(field: str, text: str, *, at_most: int) -> str:
    """
    The text without white space around it, composed (NFC), one character at least.

    Raises:
        InvalidValue: It is empty, too long, or has control characters in it.
    """
    composed = unicodedata.normalize("NFC", text).strip()
    if not composed:
        raise InvalidValue(field, "must not be empty")
    if len(composed) > at_most:
        raise InvalidValue(field, f"must have {at_most} characters at most")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in composed):
        raise InvalidValue(field, "must not contain control characters")
    return composed


def answers(field: str, texts: Iterable[str], *, at_most: int = 30) -> tuple[str, ...]:
    """
    Short texts in the order given, each once.

    Raises:
        InvalidValue: One is unusable, or there are too many.
    """
    unique = tuple(dict.fromkeys(short_text(field, text, at_most=60) for text in texts))
    if len(unique) > at_most:
        raise InvalidValue(field, f"must have {at_most} entries at most")
    return unique
