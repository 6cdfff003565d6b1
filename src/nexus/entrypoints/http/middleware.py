"""
What surrounds every answer, also those that no route gives.

Whom the request is from, a request id, the security headers, what limits leave, an
end to waiting, one line in the log without anything personal, and the figures for
monitoring.
"""

import re
from asyncio import timeout
from collections.abc import Mapping, MutableMapping
from time import monotonic, perf_counter
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import structlog
from attrs import define, evolve, field, frozen
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram
from uuid_utils.compat import uuid7

from nexus.application.kernel.caller import NOBODY, caller
from nexus.entrypoints.http.context import Here, here
from nexus.entrypoints.http.cors import Cors, header
from nexus.entrypoints.http.faults import Fault, Malformed
from nexus.entrypoints.http.methods import METHODS
from nexus.entrypoints.http.problems import MEDIA_TYPE, http_document
from nexus.entrypoints.http.proxies import Proxies
from nexus.entrypoints.http.rates import rate_headers
from nexus.entrypoints.http.waiting import Arriving

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
    "permissions-policy": "accelerometer=(), browsing-topics=(), camera=(), geolocation=(), gyroscope=(), "
    "microphone=(), payment=(), usb=()",
    "x-permitted-cross-domain-policies": "none",
    "cache-control": "no-store",
}
"""Where an answer says nothing else. What may be kept says so itself; most is somebody's own."""

TWO_YEARS: Final = 63_072_000
"""Seconds; what browsers' own lists of hosts ask for at least is half of that."""
LONGEST_ADDRESS: Final = 8_000
"""Bytes of path and query."""
LEFT_UNREAD: Final = frozenset({408, 413, 414, 504})
"""After these a request may still be on its way: the connection cannot be used for another."""

_STATED: Final = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_STAY: Final = (b"strict-transport-security", f"max-age={TWO_YEARS}; includeSubDomains".encode())
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}\Z")
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


@frozen(kw_only=True)
class Ground:
    """What the surroundings are told about where they stand."""

    https: bool = False
    proxies: Proxies = field(factory=Proxies)
    cors: Cors = field(factory=Cors)
    body_within: float = 15.0
    answer_within: float = 30.0

    @property
    def grace(self) -> float:
        """Nothing is begun to be kept so shortly before the answer is given up."""
        return min(1.0, self.answer_within / 10)


@define
class Surroundings:
    """The outermost layer of the application."""

    app: ASGIApp
    figures: Figures
    ground: Ground = field(factory=Ground)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        arriving = Arriving(receive, self.ground.body_within)
        answering = _Answering(scope, send, arriving, self.ground)
        now = Here(answering.path, answering.request_id)
        there = here.set(now)
        answering.here = now
        asking = caller.set(
            evolve(
                NOBODY,
                address=self._locate(scope),
                request_id=answering.request_id,
                gives_up_at=monotonic() + self.ground.answer_within - self.ground.grace,
            )
        )
        try:
            await self._answer(scope, arriving, answering)
        finally:
            caller.reset(asking)
            here.reset(there)
            self._note(answering)

    def _locate(self, scope: Any) -> str | None:
        """The client's address; how it asked, as far as a proxy changed that, is written into the scope."""
        client = scope["client"]
        origin = self.ground.proxies.origin(client[0] if client else None, scope["headers"])
        scope["scheme"] = "https" if self.ground.https else origin.scheme or scope["scheme"]
        if origin.host is not None:
            others = [(name, value) for name, value in scope["headers"] if name.lower() != b"host"]
            scope["headers"] = [*others, (b"host", origin.host.encode())]
        return origin.address

    async def _answer(self, scope: Any, arriving: Arriving, answering: "_Answering") -> None:
        allowed = self.ground.cors.preflight(answering.method, scope["headers"])
        if allowed is not None:
            await answering.say(204, b"", allowed)
            return
        if (fault := _unstorable(scope)) is not None:
            document = http_document(Malformed.slug, f"{fault.path} {fault.message}", [fault])
            await answering.say(400, document)
            return
        if len(scope["path"]) + len(scope["query_string"]) > LONGEST_ADDRESS:
            await answering.say(414, http_document("address-too-long"))
            return
        if answering.method == "HEAD":
            scope["method"] = "GET"
        try:
            async with timeout(self.ground.answer_within):
                await self.app(scope, arriving, answering.send_on)
        except TimeoutError:
            if answering.has_begun:
                raise
            _log.warning("given up", request_id=answering.request_id)
            await answering.say(504, http_document("took-too-long"))

    def _note(self, answering: "_Answering") -> None:
        seconds = perf_counter() - answering.started
        method = answering.method if answering.method in METHODS else "OTHER"
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
    arriving: Arriving
    ground: Ground
    method: str = field(init=False)
    request_id: str = field(init=False)
    origin: str | None = field(init=False)
    here: Here | None = field(default=None, init=False)
    status: int = field(default=500, init=False)
    has_begun: bool = field(default=False, init=False)
    started: float = field(factory=perf_counter, init=False)

    def __attrs_post_init__(self) -> None:
        self.method = str(self.scope["method"])
        self.request_id = _request_id(header(self.scope["headers"], b"x-request-id"))
        self.origin = header(self.scope["headers"], b"origin")

    @property
    def path(self) -> str:
        stated: str = self.scope["path"]
        return stated.encode("utf-8", "replace").decode().replace("\x00", "%00")

    async def send_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.has_begun = message["status"], True
            message["headers"] = self._headers(message["status"], list(message.get("headers", [])))
        elif message["type"] == "http.response.body" and self.method == "HEAD":
            if message.get("more_body", False):
                return
            message["body"] = b""
        await self.send(message)

    def _headers(self, status: int, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        present = {name.lower() for name, _ in headers}
        headers += [(name, value) for name, value in _STATED if name not in present]
        headers += [
            (name.encode(), value.encode()) for name, value in self.ground.cors.headers(self.origin).items()
        ]
        if self.scope["scheme"] == "https":
            headers.append(_STAY)
        if (
            status in LEFT_UNREAD
            and not self.arriving.has_arrived
            and self.scope["http_version"].startswith("1")
        ):
            headers.append((b"connection", b"close"))
        headers.append((b"x-request-id", self.request_id.encode()))
        return headers + rate_headers(self.here.allowances if self.here else [])

    async def say(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """An answer that no route gives."""
        stated = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        if body:
            stated.append((b"content-type", MEDIA_TYPE.encode()))
        stated.append((b"content-length", str(len(body)).encode()))
        await self.send_on({"type": "http.response.start", "status": status, "headers": stated})
        await self.send_on({"type": "http.response.body", "body": body, "more_body": False})


def _request_id(stated: str | None) -> str:
    # By time, as all ids: the audit log's index of them grows at one end.
    return stated if stated and _REQUEST_ID.match(stated) else uuid7().hex


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
