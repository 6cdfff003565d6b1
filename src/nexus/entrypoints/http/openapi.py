"""
The OpenAPI document, kept true.

Litestar draws paths, parameters and schemas; what this edge does for every route
(problems, security, idempotency, versions) is added here from the same
declarations that drive it.
"""

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Router
from litestar.enums import MediaType
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import ParameterKwarg
from litestar.types import ControllerRouterHandler

from nexus.application.kernel.commands import IdempotencyKeyReused
from nexus.application.platform.scopes import SCOPES
from nexus.domain.identity.second_factor import SecondFactorRequired
from nexus.domain.identity.sessions import SessionEnded
from nexus.domain.kernel.errors import Refusal, VersionMismatch
from nexus.domain.platform.api_keys import NotFromThisAddress
from nexus.entrypoints.http.policies import (
    COOKIES,
    CrossSiteRequest,
    KeyNotValid,
    NotForThisRole,
    OutsideTheKeysScopes,
    Policy,
    SignInRequired,
    allow,
    policy_of,
    routes_of,
    scope_of,
)
from nexus.entrypoints.http.problems import MEDIA_TYPE, Problem, address, status_of
from nexus.entrypoints.http.rates import TooManyRequests

PATH: Final = "/schema"

_KEYS: Final = (
    "An API key, for integrations: `Authorization: Bearer nxk_...`, never in a cookie or an address. It acts "
    "for whoever made it, within its scopes, networks and limits, where this scheme is listed. Scopes by role: "
    + "; ".join(
        f"{role.value}: {', '.join(f'`{scope}`' for scope in scopes)}"
        for role, scopes in SCOPES.items()
        if scopes
    )
    + "."
)

_DESCRIPTIONS: Final = {
    400: "The request cannot be read.",
    401: "Nobody is signed in.",
    403: "Not allowed.",
    404: "There is no such thing.",
    405: "The address does not answer to this method.",
    408: "The body did not arrive in time.",
    409: "A rule or the present state forbids it.",
    412: "It changed in the meantime.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body is not JSON.",
    422: "What was said cannot be true.",
    429: "Too many requests.",
    500: "Something went wrong on our side.",
    503: "Not available right now.",
    504: "It took too long and was given up.",
}


class ProblemSpec(ResponseSpec):
    """The problems of one status that a handler may answer with."""

    def __init__(self, status: int, slugs: Iterable[str]) -> None:
        self.status = status
        self.slugs = sorted(set(slugs))
        super().__init__(
            data_container=Problem,
            generate_examples=False,
            description=_DESCRIPTIONS.get(status, "A problem."),
            media_type=MEDIA_TYPE,
        )


def problem_responses(*refused: type[Refusal]) -> dict[int, ResponseSpec]:
    """A handler's ``responses``: the refusals of its use case, by status."""
    grouped: dict[int, list[str]] = {}
    for cls in refused:
        grouped.setdefault(status_of(cls), []).append(cls.slug())
    return {status: ProblemSpec(status, slugs) for status, slugs in sorted(grouped.items())}


def declare_problems(app: Litestar) -> None:
    """Give every route the problems that the edge itself may answer it with."""
    for path, method, handler in routes_of(app):
        declared = dict(handler.responses or {})
        for status, slugs in _usual(path, method, handler).items():
            own = declared.get(status)
            if own is None or isinstance(own, ProblemSpec):
                declared[status] = ProblemSpec(status, [*slugs, *(own.slugs if own else [])])
        handler.responses = declared


def _usual(path: str, method: str, handler: HTTPRouteHandler) -> dict[int, list[str]]:
    policy = policy_of(handler)
    names = set(handler.parsed_fn_signature.parameters)
    usual: dict[int, list[str]] = {
        400: ["invalid-parameters", "bad-request"],
        414: ["address-too-long"],
        429: [TooManyRequests.slug()],
        500: ["internal-error"],
        503: ["unavailable"],
        504: ["took-too-long"],
    }
    if policy is not Policy.PUBLIC:
        usual[401] = [SignInRequired.slug(), SessionEnded.slug(), KeyNotValid.slug()]
        usual[403] = [NotForThisRole.slug(), OutsideTheKeysScopes.slug()]
        if scope_of(handler, method):
            usual[403].append(NotFromThisAddress.slug())
        if method not in ("GET", "HEAD"):
            usual[403].append(CrossSiteRequest.slug())
    if (policy is not Policy.PUBLIC or handler.opt.get("recognise")) and not handler.opt.get("restricted"):
        usual.setdefault(403, []).append(SecondFactorRequired.slug())
    if "{" in path:
        usual[404] = ["no-such-page"]
    if "data" in names:
        usual[400].append("malformed-json")
        usual |= {
            408: ["request-timeout"],
            413: ["request-too-large"],
            415: ["unsupported-media-type"],
            422: ["invalid-body"],
        }
    if "attempt" in names:
        usual.setdefault(422, []).append(IdempotencyKeyReused.slug())
    if "if_match" in names:
        usual[412] = [VersionMismatch.slug()]
    return usual


class _Document(OpenAPIRenderPlugin):
    """Serves the document as ``/schema/openapi.json``."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=MediaType.JSON)
        self._rendered: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if self._rendered is None:
            self._rendered = msgspec.json.encode(completed(openapi_schema, request.app))
        return self._rendered


class _SchemaRouter(Router):
    """Without the HTML answer that Litestar registers for every other path below it."""

    def register(self, value: ControllerRouterHandler) -> list[Any]:
        if getattr(value, "handler_name", "") == "handle_schema_path_not_found":
            return []
        return super().register(value)


def openapi_config(title: str, version: str) -> OpenAPIConfig:
    """What Litestar draws the document from."""
    return OpenAPIConfig(
        title=title,
        version=version,
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(
                    type="http", scheme="bearer", description="The token that signing in answers with."
                ),
                "session": SecurityScheme(type="apiKey", name=COOKIES[1], security_scheme_in="cookie"),
                "key": SecurityScheme(
                    type="http", scheme="bearer", bearer_format="nxk_<prefix>_<secret>", description=_KEYS
                ),
            }
        ),
        render_plugins=[_Document()],
        openapi_router=_SchemaRouter(
            PATH, route_handlers=[], include_in_schema=False, opt=allow(Policy.PUBLIC, uncounted=True)
        ),
    )


def completed(drawn: Mapping[str, Any], app: Litestar) -> dict[str, Any]:
    """The document with what the edge does for each route."""
    document = deepcopy(dict(drawn))
    for path, method, handler in routes_of(app):
        operation = document.get("paths", {}).get(path or "/", {}).get(method.lower())
        if operation is not None:
            _complete(operation, handler, scope_of(handler, method))
            operation["operationId"] = _operation_id(method, path)
    return _named(document)


def _operation_id(method: str, path: str) -> str:
    """The method and the words of the path, such as ``post_bookings_booking_id_cancel``."""
    words = re.findall(r"\w+", path.removeprefix("/api/v1").replace("-", "_"))
    return "_".join([method.lower(), *words])


def _introduce(operation: dict[str, Any]) -> None:
    """The first paragraph of a handler's docstring sums it up; the rest describes it."""
    said = operation.pop("description", "").strip()
    summary, _, rest = said.partition("\n\n")
    if summary:
        operation["summary"] = " ".join(summary.split()).removesuffix(".")
    if rest:
        operation["description"] = rest


def _complete(operation: dict[str, Any], handler: HTTPRouteHandler, scope: str | None) -> None:
    _introduce(operation)
    names = set(handler.parsed_fn_signature.parameters)
    policy = policy_of(handler)
    if policy is Policy.PUBLIC:
        operation["security"] = [{}, *_SIGNED_IN] if handler.opt.get("recognise") else []
    else:
        operation["security"] = [*_SIGNED_IN, *([{"key": [scope]}] if scope else [])]
    if policy is not None:
        operation["x-policy"] = policy.value
    parameters = _parameters(operation.pop("parameters", []), handler)
    if parameters:
        operation["parameters"] = parameters
    for stated, response in operation["responses"].items():
        if stated.startswith("2"):
            _succeed(response, int(stated), names)
            if not handler.opt.get("uncounted"):
                response.setdefault("headers", {}).update(_RATE)
    for status, spec in (handler.responses or {}).items():
        if isinstance(spec, ProblemSpec):
            operation["responses"][str(status)] = _problem_response(spec)


def _parameters(drawn: list[dict[str, Any]], handler: HTTPRouteHandler) -> list[dict[str, Any]]:
    definitions = {
        stated.name or name: stated
        for name, definition in handler.parsed_fn_signature.parameters.items()
        if isinstance(stated := definition.kwarg_definition, ParameterKwarg)
    }
    for parameter in drawn:
        parameter["schema"] = _parameter_schema(parameter["schema"], definitions.get(parameter["name"]))
    names = handler.parsed_fn_signature.parameters
    headers = {"attempt": _IDEMPOTENCY_KEY, "if_match": _IF_MATCH}
    return [*drawn, *(header for name, header in headers.items() if name in names)]


def _parameter_schema(drawn: dict[str, Any], stated: ParameterKwarg | None) -> dict[str, Any]:
    """A parameter is left out or has a value, never null; and Litestar forgets limits that are 0."""
    said = [kind for kind in drawn.get("oneOf", ()) if kind != {"type": "null"}]
    schema = {**said[0], **drawn} if len(said) == 1 else dict(drawn)
    if len(said) == 1:
        del schema["oneOf"]
    if stated is not None and stated.ge == 0:
        schema["minimum"] = 0
    return schema


def _succeed(response: dict[str, Any], status: int, names: set[str]) -> None:
    """Litestar leaves the media type of a ``Response`` open when a DTO writes it."""
    response["description"] = HTTPStatus(status).phrase
    if status == HTTPStatus.NO_CONTENT:
        response.pop("content", None)
    content = response.get("content") or {}
    if "" in content:
        content["application/json"] = content.pop("")
    headers = response.setdefault("headers", {})
    if "attempt" in names:
        headers["Idempotency-Replayed"] = {
            "schema": {"const": "true"},
            "description": "The answer that was given the first time.",
        }
    if not headers:
        del response["headers"]


def _named(document: dict[str, Any]) -> dict[str, Any]:
    """``Page_nexus.entrypoints.http.x.BookingView_`` reads better as ``BookingViewPage``."""
    schemas = document.get("components", {}).get("schemas", {})
    text = msgspec.json.encode(document).decode()
    for name in list(schemas):
        generic = re.fullmatch(r"(\w+?)_(?:[\w.]*\.)?(\w+?)_", name)
        if generic and (short := f"{generic[2]}{generic[1]}") not in schemas:
            text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{short}"')
            text = text.replace(f'"{name}":', f'"{short}":')
    named: dict[str, Any] = msgspec.json.decode(text)
    return named


def _problem_response(spec: ProblemSpec) -> dict[str, Any]:
    types = [address(slug) for slug in spec.slugs]
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"type": {"enum": types}, "status": {"const": spec.status}}},
        ]
    }
    response: dict[str, Any] = {"description": spec.description, "content": {MEDIA_TYPE: {"schema": schema}}}
    if spec.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        response["headers"] = {"Retry-After": _SECONDS}
    return response


_SIGNED_IN: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"session": []}]
_SECONDS: Final = {"schema": {"type": "integer", "minimum": 0}, "description": "Seconds."}
_RATE: Final = {
    name: {"schema": schema, "description": description}
    for name, schema, description in (
        ("RateLimit-Limit", {"type": "integer"}, "How many requests there are in the window."),
        ("RateLimit-Remaining", {"type": "integer"}, "How many of them are left."),
        ("RateLimit-Reset", {"type": "integer"}, "Seconds until all of them are there again."),
        ("RateLimit-Policy", {"type": "string"}, "The limits that apply, such as `600;w=60`."),
    )
}
"""Of what counts requests; where nothing limits them, the headers are not there."""
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again with the same key, the command is answered again and not done again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
}
_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the version that is to be changed.",
    "schema": {"type": "string"},
}
