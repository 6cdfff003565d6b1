"""Values that nobody else would write, put into every field that a client may fill in."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID, uuid4

from attrs import define, field, frozen

DATE = "1917-11-07"
NUMBER = 9_182_736_455
_FOUND = re.compile(rf"Zq\d{{5}}x|{DATE}|{NUMBER}", re.IGNORECASE)


@frozen
class Sent:
    """A request as a client would send it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any = None
    content: bytes | None = None


@define
class Aviary:
    """Makes canaries, remembers where each was put, and finds them again."""

    document: Mapping[str, Any]
    ids: Mapping[str, str]
    places: list[str] = field(factory=list)

    def canary(self, place: str) -> str:
        self.places.append(place)
        return f"Zq{len(self.places) - 1:05}x"

    def escaped(self, text: str) -> list[str]:
        """Where the canaries in this text had been put."""
        found = {one.lower() for one in _FOUND.findall(text)}
        return sorted(self.places[int(one[2:7])] if one.startswith("zq") else one for one in found)

    def requests(self) -> Iterator[tuple[str, Sent]]:
        """For every operation: filled in as meant, with the wrong kind of everything, and with what is no JSON."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield from (
                    (operation.get("x-policy", ""), sent)
                    for sent in self._of(method.upper(), path, operation)
                )

    def _of(self, method: str, path: str, operation: Mapping[str, Any]) -> Iterator[Sent]:
        where = f"{method} {path}"
        parameters = operation.get("parameters", [])
        leading = re.sub(r"\{(\w+)\}", lambda m: self.ids.get(m[1], str(uuid4())), path)
        astray = re.sub(r"\{(\w+)\}", lambda m: self.canary(f"{where} path {m[1]}"), path)
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        headers = {
            p["name"]: self.canary(f"{where} header {p['name']}") for p in parameters if p["in"] == "header"
        }
        for name in (
            "user-agent",
            "referer",
            "origin",
            "cookie",
            "x-forwarded-for",
            "x-real-ip",
            "accept",
            "accept-language",
        ):
            headers[name] = self.canary(f"{where} header {name}")
        headers["cookie"] = f"nexus_session={headers['cookie']}"
        queried = [p for p in parameters if p["in"] == "query"]
        meant = {
            p["name"]: self._text(p["schema"], f"{where} query {p['name']}")
            for p in queried
            if p.get("required")
        }
        wild = {p["name"]: self.canary(f"{where} query {p['name']}") for p in queried}
        unknown = {self.canary(f"{where} query name"): self.canary(f"{where} query value")}
        if body is None:
            yield Sent(method, leading, meant, headers)
        else:
            yield Sent(method, leading, meant, headers, json=self._value(body, f"{where} body"))
            yield Sent(method, leading, meant, {}, json=self._wrong(body, f"{where} body"))
            broken = f'{{"{self.canary(where)}": "{self.canary(f"{where} broken body")}'
            yield Sent(method, leading, {}, {"content-type": "application/json"}, content=broken.encode())
        yield Sent(method, leading, wild, {})
        yield Sent(method, leading, unknown, {"authorization": f"Bearer {self.canary(f'{where} token')}"})
        if astray != path:
            yield Sent(method, astray, {}, {})

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._resolved(self.document["components"]["schemas"][name])
        for union in ("oneOf", "anyOf"):
            if union in schema:
                return self._resolved(next(one for one in schema[union] if one.get("type") != "null"))
        return schema

    def _value(self, schema: Mapping[str, Any], place: str) -> Any:
        schema = self._resolved(schema)
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object" or "properties" in schema:
            stated = schema.get("properties", {})
            return {name: self._value(inner, f"{place}.{name}") for name, inner in stated.items()}
        if kind == "array":
            return [self._value(schema.get("items", {}), f"{place}[]")]
        if kind in ("integer", "number"):
            return schema.get("minimum", 7)
        return kind == "boolean" or self._text(schema, place)

    def _text(self, schema: Mapping[str, Any], place: str) -> str:
        schema = self._resolved(schema)
        made = {
            "email": lambda: f"{self.canary(place)}@canary.example",
            "uuid": lambda: self.ids.get(re.sub(r"s?\[\]$", "", place.rpartition(".")[2]), str(UUID(int=7))),
            "date": lambda: DATE,
            "date-time": lambda: "2031-01-01T10:00:00Z",
            "time": lambda: "10:00:00",
        }.get(schema.get("format", ""))
        if "enum" in schema:
            return str(schema["enum"][0])
        if made is not None:
            return made()
        if "pattern" in schema and schema.get("examples"):
            return str(schema["examples"][0])
        return (self.canary(place) * 2)[: max(8, schema.get("minLength", 0))]

    def _wrong(self, schema: Mapping[str, Any], place: str) -> Any:
        schema = self._resolved(schema)
        if "properties" not in schema:
            return self.canary(f"{place} (wrong)")
        wrong: dict[str, Any] = {}
        for number, (name, inner) in enumerate(schema["properties"].items()):
            is_text = self._resolved(inner).get("type") == "string"
            wrong[name] = NUMBER if is_text and number % 3 == 0 else self.canary(f"{place}.{name} (wrong)")
        return wrong | {self.canary(f"{place} name"): self.canary(f"{place} unknown")}
