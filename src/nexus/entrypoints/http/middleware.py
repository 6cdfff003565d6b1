"""
What surrounds every answer, also those that no route gives.

A request id, the security headers, one line in the log without anything
personal, and the figures for monitoring.
"""

import re
from collections.abc import Mapping, MutableMapping
from time import perf_counter
from typing import Any, Final
from urllib.parse import unquote_to_bytes
from uuid import uuid4

import structlog
from attrs import define, evolve, field, frozen
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram

from nexus.application.kernel.caller import NOBODY, caller
from nexus.entrypoints.http.context import Here, here
from nexus.entrypoints.http.faults import Fault, Malformed
from nexus.entrypoints.http.problems import MEDIA_TYPE, http_document

CSP: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
PAGE_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""For pages of our own: everything from here, nothing inline."""

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "x-content-type-options": "nosniff",
    "content-security-policy": CSP,
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{7,63}\Z")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log = structlog.get_logger("nexus.http")


@frozen
class Figures:
    """Requests by method, route and status; routes are templates, so that there are few of them."""

    registry: CollectorRegistry = field(factory=CollectorRegistry)
    requests: Counter = field(init=False)
    seconds: Histogram = field(init=False)

    @requests.default
    def _requests(self) -> Counter:
        return Counter(
            "nexus_http_requests", "Answers given", ["method", "route", "status"], registry=self.registry
        )

    @seconds.default
    def _seconds(self) -> Histogram:
        return Histogram(
            "nexus_http_request_seconds", "Time to answer", ["method", "route"], registry=self.registry
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(method, route).observe(seconds)


@define
class Surroundings:
    """The outermost layer of the application."""

    app: ASGIApp
    figures: Figures
    https: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        answering = _Answering(scope, send, _request_id(scope), self.https)
        token = here.set(Here(answering.path, answering.request_id))
        client = scope["client"]
        asking = caller.set(
            evolve(NOBODY, address=client[0] if client else None, request_id=answering.request_id)
        )
        try:
            fault = _unstorable(scope)
            if fault is not None:
                await answering.refuse(fault)
            else:
                await self.app(scope, receive, answering.send_on)
        finally:
            caller.reset(asking)
            here.reset(token)
            self._note(answering)

    def _note(self, answering: "_Answering") -> None:
        seconds = perf_counter() - answering.started
        method = answering.method if answering.method in _METHODS else "OTHER"
        route = str(answering.scope.get("path_template") or "unmatched")
        self.figures.count(method, route, answering.status, seconds)
        _log.info(
            "answered",
            method=method,
            route=route,
            status=answering.status,
            milliseconds=round(seconds * 1000, 1),
            request_id=answering.request_id,
        )


@define
class _Answering:
    scope: MutableMapping[str, Any] | Any
    send: Send
    request_id: str
    https: bool
    status: int = 500
    started: float = field(factory=perf_counter)

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        stated: str = self.scope["path"]
        return stated.encode("utf-8", "replace").decode().replace("\x00", "%00")

    async def send_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", []))
            present = {name.lower() for name, _ in headers}
            for name, value in SECURITY_HEADERS.items():
                if name.encode() not in present:
                    headers.append((name.encode(), value.encode()))
            if self.https:
                headers.append((b"strict-transport-security", b"max-age=31536000"))
            headers.append((b"x-request-id", self.request_id.encode()))
            message["headers"] = headers
        await self.send(message)

    async def refuse(self, fault: Fault) -> None:
        body = http_document(Malformed.slug, f"{fault.path} {fault.message}", [fault])
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await self.send_on({"type": "http.response.start", "status": 400, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def _request_id(scope: Scope) -> str:
    stated = next((value for name, value in scope["headers"] if name.lower() == b"x-request-id"), b"")
    return stated.decode() if _REQUEST_ID.match(stated) else uuid4().hex


def _unstorable(scope: Any) -> Fault | None:
    """Text in the address that no database can store."""
    query = unquote_to_bytes(scope.get("query_string", b""))
    if b"\x00" in query or "\x00" in scope["path"]:
        return Fault("query" if b"\x00" in query else "path", "must not contain the NUL character")
    try:
        query.decode()
        scope["path"].encode()
    except UnicodeError:
        return Fault("query", "must be UTF-8")
    return None
