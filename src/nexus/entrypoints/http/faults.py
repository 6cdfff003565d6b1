"""A fault says where in the request something is wrong and what; all of them are reported at once."""

import re
from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen
from cattrs import BaseValidationError, ClassValidationError, ForbiddenExtraKeysError, IterableValidationError
from litestar.exceptions import HTTPException

from nexus.domain.kernel.errors import InvalidValue, Refusal

MOST: Final = 100
"""More faults than this in one request are not listed."""

LONGEST: Final = 200
"""Characters of a message; validators like to repeat what they were given."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")


@frozen
class Fault:
    """What is wrong, and where: a path such as ``body.lines[1].quantity``."""

    path: str
    message: str


class Malformed(HTTPException):
    """What was sent cannot be read as what is expected here."""

    status_code = 400
    slug = "invalid-parameters"
    title = "A parameter of the request is not acceptable."

    def __init__(self, detail: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail=detail)
        self.faults = tuple(faults)


class UnreadableBody(Malformed):
    """The body is not JSON."""

    slug = "malformed-json"
    title = "The request's body is not well-formed JSON."


class InvalidBody(Malformed):
    """The body is JSON, but not the JSON that is expected here."""

    status_code = 422
    slug = "invalid-body"
    title = "The request's body is not acceptable."


class NotJson(Malformed):
    """The body says that it is something else than JSON."""

    status_code = 415
    slug = "unsupported-media-type"
    title = "The request's body must be application/json."


def parameter_fault(path: str, message: str) -> Malformed:
    """The refusal of one query, path or header parameter: ``query.cursor``, ``header.If-Match``."""
    return Malformed(f"{path} {message}", [Fault(path, message)])


def below(path: str, key: str | int) -> str:
    """The path one step further down."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if _PLAIN.match(key):
        return f"{path}.{key}"
    shown = key[:64].encode("utf-8", "backslashreplace").decode()
    shown = shown.replace("\x00", "\\u0000").replace('"', '\\"')
    return f'{path}["{shown}"]'


def faults_of(error: Exception, path: str) -> list[Fault]:
    """Every fault inside what cattrs raised, with its path below *path*."""
    if isinstance(error, IterableValidationError | ClassValidationError):
        noted, others = error.group_exceptions()
        steps: list[tuple[Exception, Any]] = [
            (e, note.name if hasattr(note, "name") else note.index) for e, note in noted
        ]
        found = [fault for e, key in steps for fault in faults_of(_unmissed(e, key), below(path, key))]
        return found + [fault for e in others for fault in faults_of(e, path)]
    if isinstance(error, BaseValidationError):
        return [fault for e in error.exceptions for fault in faults_of(e, path)]
    if isinstance(error, ForbiddenExtraKeysError):
        return [Fault(below(path, key), "is not a known field") for key in sorted(error.extra_fields)]
    if isinstance(error, InvalidValue):
        return [Fault(below(path, error.field), error.reason)]
    if isinstance(error, Refusal):
        return [Fault(path, error.title())]
    return [Fault(path, _sentence(error))]


def _unmissed(error: Exception, key: str | int) -> Exception:
    if isinstance(error, KeyError) and error.args == (key,):
        return ValueError("is missing")
    return error


def _sentence(error: Exception) -> str:
    """What an attrs validator or a reader says, without the field's name in front."""
    if not isinstance(error, ValueError | TypeError) or not error.args:
        return "is not acceptable"
    said = str(error.args[0]).replace("\x00", "\\u0000")
    said = re.sub(r"^'\w+' ", "", said)
    said = re.sub(r"^Length of '\w+' must be ([<>]=?) (\d+): \d+$", r"must have a length \1 \2", said)
    said = re.sub(r"(?s)^(must (?:be [<>]=?|match regex|be in) .*?)(?:: .*| \(.*\))$", r"\1", said)
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"
