"""
What can be told about an error without repeating anything that somebody entered.

The message of an error may quote values: a database names the row that is there
already, a parser shows what it could not read. Kinds, codes and places in the
program are ours, and enough to find the cause.
"""

from collections.abc import Iterator
from traceback import walk_tb
from typing import Final

_DEEPEST: Final = 10
_MOST_FRAMES: Final = 60


def kind(error: BaseException) -> str:
    """
    The error's type; of a database's error also its code and the constraint that it names.

    And the message of an error whose class says that it :attr:`is_impersonal`.
    """
    cls = type(error)
    name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    diagnosis = getattr(error, "diag", None)
    told = (getattr(error, "sqlstate", None), getattr(diagnosis, "constraint_name", None))
    said = str(error) if getattr(cls, "is_impersonal", False) else None
    return " ".join([name, *(text for text in (*told, said) if isinstance(text, str) and text)])


def trace(error: BaseException) -> str:
    """The kinds of the error and of its causes, each with the places it came through."""
    return "\n".join(_lines(error, _DEEPEST))


def _lines(error: BaseException, deepest: int) -> Iterator[str]:
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None and deepest:
        yield from _lines(earlier, deepest - 1)
        yield "which led to"
    yield kind(error)
    frames = list(walk_tb(error.__traceback__))[-_MOST_FRAMES:]
    for frame, line in frames:
        yield f"  {frame.f_code.co_filename}:{line} in {frame.f_code.co_qualname}"
    if isinstance(error, BaseExceptionGroup) and deepest:
        for inner in error.exceptions:
            yield "holding"
            yield from _lines(inner, deepest - 1)
