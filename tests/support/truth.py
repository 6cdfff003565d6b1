"""Holds every answer to what the OpenAPI document says of it."""

import re
from typing import Any

import httpx
from attrs import define, field
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012


@define
class Document:
    """The document, and what it says of the answers to a request."""

    raw: dict[str, Any]
    registry: Registry = field(init=False)
    validators: dict[str, Draft202012Validator] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.registry = Registry().with_resource("urn:doc", DRAFT202012.create_resource(self.raw))

    def hold(self, answer: httpx.Response) -> None:
        """Fail unless this status, media type and body are among what is declared for the route."""
        path, method = answer.request.url.path, answer.request.method.lower()
        template = self._template(path)
        if template is None:
            return
        declared = self.raw["paths"][template][method]["responses"]
        status = str(answer.status_code)
        assert status in declared, f"{method} {template} answers {status}, undeclared: {answer.text}"
        content = declared[status].get("content")
        if not content:
            assert answer.content == b""
            return
        media_type = answer.headers["content-type"].partition(";")[0]
        assert media_type in content, f"{method} {template} {status} is {media_type}"
        places = ("paths", template, method, "responses", status, "content", media_type, "schema")
        self._validator(places).validate(answer.json())

    def _template(self, path: str) -> str | None:
        fits = [
            known for known in self.raw["paths"] if re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", known), path)
        ]
        return min(fits, key=lambda known: known.count("{"), default=None)

    def _validator(self, places: tuple[str, ...]) -> Draft202012Validator:
        pointer = "/".join(place.replace("~", "~0").replace("/", "~1") for place in places)
        if pointer not in self.validators:
            self.validators[pointer] = Draft202012Validator(
                {"$ref": f"urn:doc#/{pointer}"}, registry=self.registry, format_checker=FormatChecker()
            )
        return self.validators[pointer]
