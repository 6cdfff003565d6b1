"""The HTTP application around a list of route handlers."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, cast

from attrs import field, frozen
from litestar import Litestar, Request
from litestar.concurrency import set_asyncio_executor
from litestar.di import Provide
from litestar.enums import HttpMethod
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler

from nexus.application.kernel.actor import Actor
from nexus.domain.identity.sessions import device_family
from nexus.entrypoints.http.calls import BeginLight, BoundedCalls, Busy
from nexus.entrypoints.http.cookies import SessionCookie
from nexus.entrypoints.http.cors import Cors
from nexus.entrypoints.http.docs import (
    Scrape,
    describe_problem,
    docs_asset,
    docs_page,
    list_problems,
    metrics_route,
)
from nexus.entrypoints.http.etag import IfMatch
from nexus.entrypoints.http.gate import Gate
from nexus.entrypoints.http.idempotency import attempts
from nexus.entrypoints.http.middleware import Figures, Ground, Surroundings
from nexus.entrypoints.http.openapi import declare_problems, openapi_config
from nexus.entrypoints.http.policies import (
    COOKIES,
    Authenticate,
    Keys,
    NoteRefusal,
    current_actor,
    enforcing,
    is_automatic,
    require_policies,
)
from nexus.entrypoints.http.problems import RetryAfter, exception_handlers
from nexus.entrypoints.http.proxies import Proxies
from nexus.entrypoints.http.rates import Rates
from nexus.entrypoints.http.schemas import AttrsSchemas
from nexus.entrypoints.http.wire import WirePlugin


@frozen(kw_only=True)
class EdgeSettings:
    """What an operator may choose."""

    title: str = "Nexus Family Pass"
    version: str = "1"
    calls: int = 20
    """Calls that are worked on at the same time; as many as the database pool has connections."""
    body_limit: int = 1_000_000
    """Bytes."""
    metrics: bool = False
    fingerprint_keys: tuple[bytes, ...] = field(default=(b"",), repr=False)
    """Key the fingerprints of named commands: the first is used, the others are recognised."""
    https: bool = False
    """Behind TLS: tells browsers to come back by TLS only."""
    proxies: Proxies = field(factory=Proxies)
    cors: Cors = field(factory=Cors)
    body_within: float = 15.0
    """Seconds in which a request's body must arrive."""
    answer_within: float = 30.0
    """Seconds after which an answer is given up."""


def _actor(request: Request[Any, Any, Any]) -> Actor:
    return current_actor(request.scope)


def _visitor(request: Request[Any, Any, Any]) -> Actor | None:
    found = request.scope.get("user")
    return found if isinstance(found, Actor) else None


def _device(request: Request[Any, Any, Any]) -> str | None:
    return device_family(request.headers.get("user-agent"))


def _if_match(request: Request[Any, Any, Any]) -> IfMatch:
    return IfMatch.of(request.headers)


def _name_every_method(app: Litestar) -> None:
    """
    Let OPTIONS name all methods of an address.

    Litestar's own handler speaks for the route as it was when its first method was
    registered; the route that serves later methods too is another object.
    """
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in filter(is_automatic, route.route_handlers):
                for cell in getattr(handler.fn, "__closure__", None) or ():
                    if isinstance(cell.cell_contents, HTTPRoute):
                        cell.cell_contents.methods = set(route.methods)
                        if "GET" in route.methods:
                            cell.cell_contents.methods.add(HttpMethod.HEAD)


def _provide_in_turn(app: Litestar) -> None:
    """
    Let what a handler asks for be made one by one.

    All of it is there already; Litestar would start a task for each.
    """
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for _, needs in route.route_handler_map.values():
                needs.dependency_batches = [{each} for batch in needs.dependency_batches for each in batch]


def edge(
    route_handlers: Sequence[ControllerRouterHandler],
    *,
    authenticate: Authenticate,
    keys: Keys | None = None,
    unavailable: Mapping[type[Exception], RetryAfter] | None = None,
    dependencies: Mapping[str, Provide] | None = None,
    lifespan: Sequence[Callable[[Litestar], AbstractAsyncContextManager[None]]] = (),
    rates: Rates | None = None,
    note_refusal: NoteRefusal | None = None,
    scrape: Scrape | None = None,
    light: BeginLight | None = None,
    settings: EdgeSettings | None = None,
) -> Litestar:
    """
    The application that answers with these handlers.

    Handlers may ask for ``actor``, ``visitor`` (perhaps nobody), ``attempt`` (the Idempotency-Key), ``device``
    (what the program calls itself), ``if_match``, ``session_cookie`` and ``calls``; *dependencies* adds the use
    cases. *unavailable* says which errors mean that something we need is away, and when to ask again; *light* begins
    the calls of light handlers, which have threads without it.

    Raises:
        ImproperlyConfiguredException: A route declares no access policy.
    """
    chosen = settings or EdgeSettings()
    figures = Figures()
    own: list[ControllerRouterHandler] = [docs_page, docs_asset, list_problems, describe_problem]
    if chosen.metrics:
        own.append(metrics_route(figures, scrape))
    calls = BoundedCalls(chosen.calls, light=light)
    set_asyncio_executor(cast("ThreadPoolExecutor", calls))
    cookies = COOKIES[:1] if chosen.https else COOKIES
    enforce = enforcing(
        authenticate, calls, rates=rates, keys=keys, note_refusal=note_refusal, cookies=cookies
    )
    app = Litestar(
        route_handlers=[*route_handlers, *own],
        middleware=[partial(Gate, enforce=enforce)],
        dependencies={
            "actor": Provide(_actor, sync_to_thread=False),
            "visitor": Provide(_visitor, sync_to_thread=False),
            "attempt": Provide(attempts(chosen.fingerprint_keys)),
            "device": Provide(_device, sync_to_thread=False),
            "if_match": Provide(_if_match, sync_to_thread=False),
            "calls": Provide(lambda: calls, sync_to_thread=False),
            "session_cookie": Provide(lambda: SessionCookie(chosen.https), sync_to_thread=False),
            **(dependencies or {}),
        },
        exception_handlers=exception_handlers({Busy: lambda _: 1, **(unavailable or {})}),
        plugins=[WirePlugin(), AttrsSchemas()],
        openapi_config=openapi_config(chosen.title, chosen.version),
        request_max_body_size=chosen.body_limit,
        lifespan=[*lifespan, calls.serving],
        logging_config=None,
        debug=False,
    )
    require_policies(app.routes)
    _name_every_method(app)
    _provide_in_turn(app)
    declare_problems(app)
    ground = Ground(
        https=chosen.https,
        proxies=chosen.proxies,
        cors=chosen.cors,
        body_within=chosen.body_within,
        answer_within=chosen.answer_within,
    )
    app.asgi_handler = Surroundings(app.asgi_handler, figures, ground)
    return app
