"""What the running application serves, and what each route wants: read from itself, not listed."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from attrs import field, frozen
from litestar import Litestar

from nexus.entrypoints.http.owners import Owner, owner_of
from nexus.entrypoints.http.policies import Policy, policy_of, routes_of, scope_of

V1 = "/api/v1"


@frozen
class Id:
    """An id that a request carries."""

    name: str
    where: str
    """`path`, `query` or `body`."""
    owner: Owner
    needed: bool
    many: bool = False


@frozen
class Route:
    """A route as its declarations have it."""

    method: str
    path: str
    policy: Policy
    scope: str | None
    recognises: bool
    restricted: bool
    """Open to a sign-in that lacks the second factor its role must have, too."""
    ids: tuple[Id, ...] = field(eq=False)
    body: Mapping[str, Any] | None = field(eq=False)
    """What a minimal body holds, ids aside; ``None``: there is no body."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def stated(self) -> str:
        """Who gets in, in one line of the list."""
        ids = ", ".join(f"{one.name}: {one.owner.name.lower()}" for one in self.ids)
        besides = ", recognised" * self.recognises + ", even without second factor" * self.restricted
        asks = f"{self.policy.value}{besides}"
        return f"{self} | {asks} | {self.scope or 'no keys'} | {ids or 'no ids'}"

    @property
    def reads(self) -> bool:
        return self.method == "GET"


class UndeclaredOwner(AssertionError):
    """An id whose owner nobody declared: its route cannot be judged."""


def routes(app: Litestar, document: Mapping[str, Any]) -> list[Route]:
    """Every route under a policy, with what its requests carry."""
    found = []
    undeclared = []
    for path, method, handler in routes_of(app):
        if method == "HEAD":
            continue  # the same handler as GET, which a test sees to
        policy = policy_of(handler)
        assert policy is not None
        operation = document["paths"].get(path, {}).get(method.lower(), {})
        ids = []
        for name, where, needed, many in _ids(path, operation, document):
            owner = owner_of(policy, name)
            if policy is Policy.PUBLIC:
                continue
            if owner is None:
                undeclared.append(f"declare the owner of {{{name}}} at {method} {path} (http/owners.py)")
                continue
            ids.append(Id(name, where, owner, needed, many))
        found.append(
            Route(
                method,
                path,
                policy,
                scope_of(handler, method),
                bool(handler.opt.get("recognise")),
                bool(handler.opt.get("restricted")),
                tuple(ids),
                _body(operation, document),
            )
        )
    if undeclared:
        raise UndeclaredOwner("\n".join(undeclared))
    return sorted(found, key=lambda route: (route.path, route.method))


def _ids(
    path: str, operation: Mapping[str, Any], document: Mapping[str, Any]
) -> Iterator[tuple[str, str, bool, bool]]:
    """Name, place, whether it is needed, whether there may be several."""
    for name in re.findall(r"{(\w+)}", path):
        yield name, "path", True, False
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query" and (found := _uuid(parameter["schema"], document)):
            yield parameter["name"], "query", bool(parameter.get("required")), found == "many"
    schema = _schema(operation, document)
    for name, of_property in (schema or {}).get("properties", {}).items():
        if found := _uuid(of_property, document):
            yield name, "body", name in schema.get("required", ()), found == "many"


def _schema(operation: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {})
    return _resolved(content["application/json"]["schema"], document) if content else None


def _resolved(schema: Any, document: Mapping[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found: dict[str, Any] = schema
    return found


def _choices(schema: Any, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    schema = _resolved(schema, document)
    inner = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
    return [each for one in inner for each in _choices(one, document)] or [schema]


def _uuid(schema: Any, document: Mapping[str, Any]) -> str | None:
    for choice in _choices(schema, document):
        if choice.get("format") == "uuid":
            return "one"
        if choice.get("type") == "array" and _uuid(choice.get("items", {}), document):
            return "many"
    return None


def _body(operation: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any] | None:
    schema = _schema(operation, document)
    return None if schema is None else _minimal(schema, document)


def _minimal(schema: dict[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    return {
        name: _value(name, properties[name], document)
        for name in schema.get("required", ())
        if not _uuid(properties[name], document)
    }


_TEXTS = {
    "date": "2026-03-20",
    "time": "10:00",
    "date-time": "2026-03-20T10:00:00Z",
    "email": "ida@lind.example",
}


def _value(name: str, schema: Any, document: Mapping[str, Any]) -> Any:
    """A value that fits: an example where there is one."""
    for one in (schema, *_choices(schema, document)):
        if one.get("examples"):
            return one["examples"][0]
    [choice, *_] = _choices(schema, document)
    if "enum" in choice:
        return choice["enum"][0]
    number = max(1, choice.get("minimum", 1))
    text = _TEXTS.get(choice.get("format", ""), name.replace("_", " ").capitalize())
    return {
        "object": lambda: _minimal(choice, document),
        "array": lambda: [_value(name, choice["items"], document)] * choice.get("minItems", 0),
        "boolean": lambda: True,
        "integer": lambda: number,
        "number": lambda: number,
    }.get(choice.get("type", ""), lambda: text.ljust(choice.get("minLength", 0), "x"))()


def no_such_id() -> str:
    """An id that nothing has."""
    return str(UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0000 + 4711))
