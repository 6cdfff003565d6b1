"""
Who may use a route: one declared policy per route, enforced before anything is read.

A route without a policy stops the application from starting.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from attrs import evolve, frozen
from litestar import Litestar
from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers.base import BaseRouteHandler
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.routes import BaseRoute, HTTPRoute

from nexus.application.kernel.actor import Actor
from nexus.application.kernel.caller import caller
from nexus.application.kernel.limits import Allowance
from nexus.application.platform.api_key_ports import StoredKey
from nexus.domain.identity.people import Role
from nexus.domain.identity.second_factor import SecondFactorRequired
from nexus.domain.identity.sessions import SessionEnded
from nexus.domain.kernel.errors import Forbidden, Unauthenticated
from nexus.domain.platform.api_keys import KeyText
from nexus.entrypoints.http.calls import BoundedCalls
from nexus.entrypoints.http.context import announce
from nexus.entrypoints.http.cors import header
from nexus.entrypoints.http.rates import Rates, TooManyRequests, seconds

COOKIES: Final = ("__Host-nexus_session", "nexus_session")
"""
Where browsers keep the session's token, the stricter name first.

Behind TLS it alone counts: the other could be set by a host next to this one, or by
whoever answers in its name without TLS, so that somebody works in another's account.
"""

_LONGEST_TOKEN: Final = 512
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Policy(Enum):
    """Whom a route is for."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"
    FAMILY = "family"
    VENUE = "venue"
    HR = "HR"
    STAFF = "staff"
    ADMIN = "administration"

    def admits(self, role: Role) -> bool:
        """Whether this role may use the route."""
        return role in _ROLES[self]


_ROLES: Final[Mapping[Policy, frozenset[Role]]] = {
    Policy.PUBLIC: frozenset(Role),
    Policy.SIGNED_IN: frozenset(Role),
    Policy.FAMILY: frozenset({Role.PARENT, Role.HR_ADMIN}),
    Policy.VENUE: frozenset({Role.VENUE_ADMIN}),
    Policy.HR: frozenset({Role.HR_ADMIN}),
    Policy.STAFF: frozenset({Role.HR_ADMIN, Role.VENUE_ADMIN, Role.PLATFORM_ADMIN}),
    Policy.ADMIN: frozenset({Role.PLATFORM_ADMIN}),
}


class Authenticate(Protocol):
    """Whose token this is; nobody's if it is unknown, ended or of somebody who may no longer sign in."""

    def __call__(self, token: str, /) -> Actor | None: ...


class NoteRefusal(Protocol):
    """Remembers that the caller may not use a route; *refusal* is the kind of problem that is answered."""

    def __call__(self, *, method: str, route: str, refusal: str) -> None: ...


class RecogniseKey(Protocol):
    """Whose API key this is; nobody's if it is unknown or ended."""

    def __call__(self, text: str, /) -> StoredKey | None: ...


class AdmitKey(Protocol):
    """
    Whether an API key may be used once more.

    Raises:
        NotFromThisAddress: Not from there.
    """

    def __call__(self, shown: StoredKey, *, address: str | None) -> Allowance: ...


@frozen
class Keys:
    """How API keys come in."""

    recognise: RecogniseKey
    admit: AdmitKey


@frozen
class SignInRequired(Unauthenticated):
    """Sign in to do this."""


@frozen
class KeyNotValid(Unauthenticated):
    """This API key is not valid, or not any more."""


@frozen
class NotForThisRole(Forbidden):
    """Your role may not do this."""

    role: Role


@frozen
class CrossSiteRequest(Forbidden):
    """A signed-in browser may not be made to do this by another site."""


@frozen
class OutsideTheKeysScopes(Forbidden):
    """This API key was not made for that."""

    scope: str | None
    """What it would take; null where no API key is accepted."""


def allow(
    policy: Policy, *, keys: str | None = None, recognise: bool = False, uncounted: bool = False
) -> dict[str, Any]:
    """
    The ``opt`` of a handler or controller that this policy governs.

    *keys* names the resource in the scopes of API keys: one with ``read:<keys>`` may
    read here, one with ``write:<keys>`` may do the rest; without it no API key may.
    With *recognise* a public route knows who is asking when somebody is signed in.
    Requests that are *uncounted* take nothing from anybody's rate.
    """
    return {"policy": policy, "keys": keys, "recognise": recognise, "uncounted": uncounted}


def even_restricted(opt: dict[str, Any]) -> dict[str, Any]:
    """The ``opt`` of a route that is open to a sign-in without the second factor its role must have, too."""
    return opt | {"restricted": True}


SENSITIVE: Final = {"sensitive": True}
"""For the ``opt`` of a handler that shows what few may see: each look at it is in the audit log."""


def scope_of(handler: BaseRouteHandler, method: str) -> str | None:
    """The scope that an API key needs for this method; ``None`` where none is enough."""
    resource = handler.opt.get("keys")
    return f"{'read' if method in _SAFE else 'write'}:{resource}" if resource else None


def policy_of(handler: BaseRouteHandler) -> Policy | None:
    """The declared policy of a route."""
    found = handler.opt.get("policy")
    return found if isinstance(found, Policy) else None


def is_automatic(handler: BaseRouteHandler) -> bool:
    """Whether Litestar made the handler: its answer to OPTIONS only names the methods."""
    return handler.fn.__module__ == "litestar.routes.http"


def require_policies(routes: Sequence[BaseRoute]) -> None:
    """
    Let nothing be served by accident.

    Raises:
        ImproperlyConfiguredException: A route declares no policy.
    """
    handlers: list[tuple[str, BaseRouteHandler]] = []
    for route in routes:
        if isinstance(route, HTTPRoute):
            handlers += [(route.path, handler) for handler, _ in route.route_handler_map.values()]
        else:
            handlers.append((route.path, getattr(route, "route_handler")))  # noqa: B009 - not HTTP
    bare = [f"{path} ({h.handler_name})" for path, h in handlers if not (is_automatic(h) or policy_of(h))]
    if bare:
        raise ImproperlyConfiguredException(
            f"no access policy is declared for {', '.join(sorted(set(bare)))}"
        )


Enforce = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]


def enforcing(
    authenticate: Authenticate,
    calls: BoundedCalls,
    *,
    rates: Rates | None = None,
    keys: Keys | None = None,
    note_refusal: NoteRefusal | None = None,
    cookies: Sequence[str] = COOKIES,
) -> Enforce:
    """
    What every route begins with: finding out who is asking, and applying its policy.

    Whoever is known and asks for what is not for them is noted before being refused.
    """
    enforce = _enforcing(authenticate, calls, rates, keys, cookies)

    async def enforce_and_note(
        connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        try:
            await enforce(connection, handler)
        except Forbidden as refusal:
            if note_refusal is not None:
                scope = connection.scope
                await calls.lightly(
                    partial(
                        note_refusal,
                        method=str(scope.get("method")),
                        route=str(scope.get("path_template")),
                        refusal=refusal.slug(),
                    )
                )
            raise

    return enforce_and_note


def _enforcing(
    authenticate: Authenticate,
    calls: BoundedCalls,
    rates: Rates | None,
    keys: Keys | None,
    cookies: Sequence[str],
) -> Enforce:
    async def enforce(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        policy = policy_of(handler)
        if is_automatic(handler):
            return
        if policy is None:
            raise NotForThisRole(Role.PARENT)
        if policy is Policy.PUBLIC and not handler.opt.get("recognise"):
            await _count(rates, handler, None)
            return
        token, by_cookie = presented(connection, cookies)
        if token and KeyText.is_meant(token):
            await _by_key(connection, handler, token, keys, rates)
            return
        actor = await calls.lightly(partial(authenticate, token)) if token else None
        await _count(rates, handler, actor)
        if actor is None:
            if policy is Policy.PUBLIC:
                return
            raise SessionEnded if token else SignInRequired
        caller.set(evolve(caller.get(), actor=actor))
        if by_cookie and _is_cross_site(connection):
            raise CrossSiteRequest
        _require_second_factor(actor, handler)
        _admit(actor, policy, scope_of(handler, str(connection.scope.get("method"))))
        connection.scope["user"] = actor
        connection.scope["auth"] = token

    return enforce


async def _count(rates: Rates | None, handler: BaseRouteHandler, actor: Actor | None) -> None:
    if rates is not None and not handler.opt.get("uncounted"):
        await rates.count(actor, caller.get().address)


def _admit(actor: Actor, policy: Policy, scope: str | None) -> None:
    if not policy.admits(actor.role):
        raise NotForThisRole(actor.role)
    if actor.key is not None and scope not in actor.scopes:
        raise OutsideTheKeysScopes(scope)


def _require_second_factor(actor: Actor, handler: BaseRouteHandler) -> None:
    if actor.is_restricted and not handler.opt.get("restricted"):
        raise SecondFactorRequired


async def _by_key(
    connection: ASGIConnection[Any, Any, Any, Any],
    handler: BaseRouteHandler,
    text: str,
    keys: Keys | None,
    rates: Rates | None,
) -> None:
    """
    Let whoever shows an API key in: in its scopes, from its networks, within its limits.

    To what is public a key adds nothing. What it is refused takes nothing from its own
    limits, or a thief could use them up; it counts for the address that asks.
    """
    policy = policy_of(handler) or Policy.PUBLIC
    shown = await sync_to_thread(keys.recognise, text) if keys else None
    if policy is Policy.PUBLIC or shown is None:
        await _count(rates, handler, None)
    if policy is Policy.PUBLIC:
        return
    if keys is None or shown is None:
        raise KeyNotValid
    caller.set(evolve(caller.get(), actor=shown.actor))
    try:
        _admit(shown.actor, policy, scope_of(handler, str(connection.scope.get("method"))))
        allowance = await sync_to_thread(keys.admit, shown, address=caller.get().address)
    except Forbidden:
        await _count(rates, handler, None)
        raise
    announce(allowance)
    if allowance.retry_after is not None:
        raise TooManyRequests(seconds(allowance.retry_after))
    connection.scope["user"] = shown.actor


def presented(
    connection: ASGIConnection[Any, Any, Any, Any], cookies: Sequence[str]
) -> tuple[str | None, bool]:
    """
    The token that came with the request, and whether a browser added it by itself.

    An API key is read from the header only: browsers and addresses are no place for one.
    """
    stated = header(connection.scope["headers"], b"authorization") or ""
    scheme, _, token = stated.partition(" ")
    if scheme.lower() == "bearer" and _is_token(token.strip()):
        return token.strip(), False
    for name in cookies:
        token = connection.cookies.get(name, "")
        if _is_token(token) and not KeyText.is_meant(token):
            return token, True
    return None, False


def _is_token(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_TOKEN and text.isascii() and text.isprintable() and " " not in text


def _is_cross_site(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    if connection.scope.get("method") in _SAFE:
        return False
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    stated = urlsplit(connection.headers.get("origin", ""))
    # A browser that says neither is too old to be told apart from one that was made to ask.
    if stated.netloc != connection.headers.get("host"):
        return True
    return connection.scope["scheme"] == "https" and stated.scheme != "https"


def current_actor(scope: Any) -> Actor:
    """
    Who is asking, for a handler's ``actor``.

    Raises:
        SignInRequired: Nobody; the route is public.
    """
    actor = scope.get("user")
    if not isinstance(actor, Actor):
        raise SignInRequired
    return actor


def routes_of(app: Litestar) -> list[tuple[str, str, HTTPRouteHandler]]:
    """Every route as (path, method, handler), without the automatic ones."""
    return [
        (route.path_format, method, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if not is_automatic(handler)
    ]
