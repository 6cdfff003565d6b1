"""
Every refusal and every failure as a problem document (RFC 9457).

A `Refusal` of the domain becomes ``/problems/<slug>`` with its title, its figures
as members and the status of its kind. What HTTP itself refuses has its own few
types, listed in `HTTP_PROBLEMS`. Whatever nobody expected is a 500 that names
the request and nothing else.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from inspect import cleandoc
from typing import Any, Final

import structlog
from attrs import field, fields, frozen, has
from litestar import Request, Response
from litestar.exceptions import HTTPException, NotAuthorizedException, ValidationException
from litestar.types import ExceptionHandlersMap

from nexus.application.kernel.caller import NobodyWaits
from nexus.application.kernel.mishap import kind, trace
from nexus.domain.kernel import errors
from nexus.domain.kernel.errors import Refusal
from nexus.entrypoints.http.context import here
from nexus.entrypoints.http.faults import Fault, InvalidBody, Malformed, NotJson, UnreadableBody
from nexus.entrypoints.http.unset import UNSET, Unset
from nexus.entrypoints.http.views import encode
from nexus.entrypoints.http.waiting import BodyTooSlow

MEDIA_TYPE: Final = "application/problem+json"

STATUS_OF_KIND: Final[Mapping[type[Refusal], int]] = {
    errors.Invalid: 422,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Stale: 412,
    errors.Throttled: 429,
}

RESERVED: Final = frozenset({"type", "title", "status", "detail", "instance", "request_id", "errors"})
"""Members that every problem has; a refusal's field of that name is written with ``_`` behind."""

RetryAfter = Callable[[Exception], int]
"""In how many seconds it may be worth asking again."""

_log = structlog.get_logger("nexus.http")


@frozen(kw_only=True)
class Problem:
    """What went wrong (RFC 9457); further members carry the figures of its type."""

    type: str = field(metadata={"description": "Which rule was broken; this address describes it."})
    title: str
    status: int
    detail: str | Unset = UNSET
    instance: str | Unset = field(default=UNSET, metadata={"description": "What was asked for."})
    request_id: str | Unset = field(default=UNSET, metadata={"description": "Quote it to ask for help."})
    errors: list[Fault] | Unset = field(default=UNSET, metadata={"description": "All faults, with paths."})


@frozen
class ProblemType:
    """A kind of problem: what it means, and which members it adds."""

    type: str
    slug: str
    title: str
    status: int
    description: str
    members: list[str]


def address(slug: str) -> str:
    """The ``type`` of a problem, relative to this server."""
    return f"/problems/{slug}"


HTTP_PROBLEMS: Final[Mapping[str, tuple[int, str]]] = {
    "bad-request": (400, "The request cannot be understood."),
    Malformed.slug: (Malformed.status_code, Malformed.title),
    UnreadableBody.slug: (UnreadableBody.status_code, UnreadableBody.title),
    "no-such-page": (404, "There is nothing at this address."),
    "method-not-allowed": (405, "This address does not answer to this method."),
    BodyTooSlow.slug: (BodyTooSlow.status_code, BodyTooSlow.title),
    "request-too-large": (413, "The request is too large."),
    "address-too-long": (414, "The address is too long."),
    NotJson.slug: (NotJson.status_code, NotJson.title),
    InvalidBody.slug: (InvalidBody.status_code, InvalidBody.title),
    "internal-error": (500, "Something went wrong on our side."),
    "unavailable": (503, "Not available right now; try again soon."),
    "took-too-long": (504, "It took too long and was given up."),
}

_SLUG_OF_STATUS: Final = {
    400: "bad-request",
    404: "no-such-page",
    405: "method-not-allowed",
    413: "request-too-large",
    415: "unsupported-media-type",
    422: "invalid-body",
    500: "internal-error",
    503: "unavailable",
}


def status_of(refusal: Refusal | type[Refusal]) -> int:
    """The HTTP status of a refusal: that of its kind."""
    cls = refusal if isinstance(refusal, type) else type(refusal)
    return next((status for kind, status in STATUS_OF_KIND.items() if issubclass(cls, kind)), 422)


def refusals() -> dict[str, type[Refusal]]:
    """Every concrete refusal that is loaded, by slug."""
    return {cls.slug(): cls for cls in sorted(_below(Refusal), key=lambda c: (c.slug(), c.__module__))}


def _below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for cls in kind.__subclasses__():
        if cls not in STATUS_OF_KIND and _is_current(cls):
            yield cls
        yield from _below(cls)


def _is_current(cls: type) -> bool:
    """Not the shadow that attrs leaves behind when it builds a slotted class anew."""
    found: Any = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is cls


def catalogue() -> list[ProblemType]:
    """Every problem type this server can answer with, by slug."""
    known = [
        ProblemType(address(slug), slug, title, status, title, [])
        for slug, (status, title) in HTTP_PROBLEMS.items()
    ]
    for slug, cls in refusals().items():
        described = cleandoc(cls.__doc__ or cls.title())
        names = [_member(a.name) for a in fields(cls)] if has(cls) else []
        known.append(ProblemType(address(slug), slug, cls.title(), status_of(cls), described, names))
    return sorted(known, key=lambda problem: problem.slug)


def _member(name: str) -> str:
    return f"{name}_" if name in RESERVED else name


def document(refusal: Refusal, *, with_request: bool = True) -> bytes:
    """A refusal's problem document; *with_request* adds the id of this very request."""
    now = here.get()
    stated: dict[str, Any] = {
        "type": address(refusal.slug()),
        "title": refusal.title(),
        "status": status_of(refusal),
        "detail": str(refusal),
    }
    if now is not None:
        stated["instance"] = now.path
        if with_request:
            stated["request_id"] = now.request_id
    stated |= {_member(name): _figure(value) for name, value in refusal.members().items()}
    return encode(stated)


def _figure(value: Any) -> Any:
    """A local time that names no instant is written as it stands on the clock."""
    return value.isoformat() if isinstance(value, datetime) and value.tzinfo is None else value


def http_document(
    slug: str, detail: str | None = None, faults: Iterable[Fault] = (), status: int = 0
) -> bytes:
    """The problem document of what HTTP itself refuses."""
    own_status, title = HTTP_PROBLEMS[slug]
    now = here.get()
    problem = Problem(
        type=address(slug),
        title=title,
        status=status or own_status,
        detail=detail if detail is not None else UNSET,
        instance=now.path if now else UNSET,
        request_id=now.request_id if now else UNSET,
        errors=list(faults) or UNSET,
    )
    return encode(problem, Problem)


def answer(body: bytes, status: int, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """A problem document as a response."""
    stated = {"cache-control": "no-store", **(headers or {})}
    if status == HTTPStatus.UNAUTHORIZED:
        stated.setdefault("www-authenticate", "Bearer")
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=stated)


def _refused(_: Request[Any, Any, Any], error: Refusal) -> Response[bytes]:
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, errors.Throttled) else None
    return answer(document(error), status_of(error), headers)


def _malformed(_: Request[Any, Any, Any], error: Malformed) -> Response[bytes]:
    return answer(http_document(error.slug, error.detail, error.faults), error.status_code)


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if isinstance(error, ValidationException):
        faults = list(_parameter_faults(error))
        detail = "; ".join(f"{f.path} {f.message}" for f in faults) or error.detail.partition(" for path ")[0]
        return answer(http_document(Malformed.slug, detail, faults), 400)
    if isinstance(error, NotAuthorizedException):
        return answer(http_document("bad-request", error.detail, status=401), 401, error.headers)
    if error.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unexpected(request, error)
    slug = _SLUG_OF_STATUS.get(error.status_code, "bad-request")
    stated: str | None = None if error.status_code in (404, 405, 503) else error.detail
    return answer(http_document(slug, stated, status=error.status_code), error.status_code, error.headers)


def _parameter_faults(error: ValidationException) -> Iterator[Fault]:
    """Litestar's messages about query, path and header parameters, as faults with their paths."""
    extra = error.extra if isinstance(error.extra, list) else []
    for said in extra:
        key, source = str(said.get("key", "")), str(said.get("source", "query"))
        message = str(said.get("message", "is not acceptable"))
        if source == "body" and key in ("data", ""):
            yield Fault("body", "is missing")
        else:
            yield Fault(f"{source.removeprefix('ParamType.').lower()}.{key}", _lowered(message))
    if not extra and error.detail.startswith("Missing required"):
        words = error.detail.split()
        yield Fault(f"{words[2]}.{words[4].strip(chr(39))}", "is missing")


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:200]


def _unexpected(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    now = here.get()
    _log.error(
        "request failed",
        request_id=now.request_id if now else None,
        error=kind(error),
        trace=trace(error),  # not exc_info: the message of an error may quote what somebody entered
    )
    return answer(http_document("internal-error"), 500)


def _unavailable(retry_after: RetryAfter) -> Callable[[Request[Any, Any, Any], Exception], Response[bytes]]:
    def handle(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        _log.warning("unavailable", error=type(error).__name__)
        return answer(http_document("unavailable"), 503, {"retry-after": str(max(1, retry_after(error)))})

    return handle


def _too_late(_: Request[Any, Any, Any], error: NobodyWaits) -> Response[bytes]:
    _log.warning("given up", error=type(error).__name__)
    return answer(http_document("took-too-long"), 504)


def exception_handlers(unavailable: Mapping[type[Exception], RetryAfter]) -> ExceptionHandlersMap:
    """One mapping for all refusals, one for HTTP's own, one for outages, one for the unexpected."""
    handlers: dict[int | type[Exception], Any] = {
        Refusal: _refused,
        Malformed: _malformed,
        HTTPException: _http,
        NobodyWaits: _too_late,
        Exception: _unexpected,
    }
    handlers |= {kind: _unavailable(retry_after) for kind, retry_after in unavailable.items()}
    return handlers
