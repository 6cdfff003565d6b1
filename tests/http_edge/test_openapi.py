"""The document is valid, complete and true."""

import json
import re

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from http_edge.conftest import PARENT
from http_edge.test_wire import GOOD, WRONG


@pytest.fixture(scope="module")
def document(shared):
    answer = shared.get("/schema/openapi.json")
    assert answer.headers["content-type"].startswith("application/json")
    return answer.json()


def validator(document, name):
    resource = DRAFT202012.create_resource(document)
    registry = Registry().with_resource("urn:doc", resource)
    return Draft202012Validator({"$ref": f"urn:doc#/components/schemas/{name}"}, registry=registry)


def test_it_is_valid_openapi_3_1(document):
    spec = pytest.importorskip("openapi_spec_validator")
    assert list(spec.OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_reference_leads_somewhere(document):
    schemas = document["components"]["schemas"]
    used = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert used <= set(schemas)
    assert all(re.fullmatch(r"\w+", name) for name in schemas)
    assert "PaintingViewPage" in schemas


def test_a_good_body_is_valid_by_the_document(document):
    validator(document, "Order").validate(GOOD)


FORMATS = {"body.id", "body.at", "body.day", "body.children[0]"}
"""JSON Schema takes a format for a note."""
OURS_ALONE = {"body.even.value", 'body.counts["nul\\u0000"]', "body.counts.a"}
"""What no keyword of ours says."""


def says(value, path):
    whole_float = value == [{"quantity": 2.0}]  # an integer to JSON Schema, not to us
    return not (whole_float or path in OURS_ALONE or (path in FORMATS and value != 5))


@pytest.mark.parametrize(("name", "value", "path"), [w for w in WRONG if says(w[1], w[2])])
def test_what_the_document_can_say_is_refused_by_it_too(document, name, value, path):
    assert not validator(document, "Order").is_valid(GOOD | {name: value})


def test_answers_are_as_the_document_says(document, client):
    page = client.get("/api/v1/paintings?limit=2", headers=PARENT).json()
    validator(document, "PaintingViewPage").validate(page)
    validator(document, "Problem").validate(client.get("/nowhere").json())
    assert not validator(document, "PaintingView").is_valid({"name": "x"})


def test_a_patch_has_no_required_fields_and_says_which_may_be_null(document):
    change = document["components"]["schemas"]["Change"]
    assert change.get("required", []) == []
    assert change["additionalProperties"] is False
    assert validator(document, "Change").is_valid({"note": None})
    assert not validator(document, "Change").is_valid({"name": None})


def test_every_operation_says_who_may_use_it_and_how_it_refuses(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            where = f"{method} {path}"
            public = operation["x-policy"] == "public"
            assert public or operation["security"] == [{"bearer": []}, {"session": []}], where
            needed = {"400", "429", "500", "503"} | (set() if public else {"401", "403"})
            if "requestBody" in operation:
                needed |= {"413", "415", "422"}
            assert needed <= set(operation["responses"]), where
            for status, response in operation["responses"].items():
                expected = "application/json" if status < "300" else "application/problem+json"
                assert list(response.get("content", {expected: None})) == [expected], where


def test_declared_problems_are_listed_by_type(document):
    responses = document["paths"]["/api/v1/paintings"]["post"]["responses"]
    schema = responses["409"]["content"]["application/problem+json"]["schema"]
    assert schema["allOf"][1]["properties"]["type"] == {"enum": ["/problems/out-of-paint"]}
    schema = responses["422"]["content"]["application/problem+json"]["schema"]
    assert schema["allOf"][1]["properties"]["type"] == {
        "enum": ["/problems/idempotency-key-reused", "/problems/invalid-body"]
    }


def test_headers_that_commands_take_are_described(document):
    names = lambda op: {p["name"] for p in op.get("parameters", []) if p["in"] == "header"}  # noqa: E731
    assert names(document["paths"]["/api/v1/paintings"]["post"]) == {"Idempotency-Key"}
    assert names(document["paths"]["/api/v1/paintings/{painting_id}"]["patch"]) == {"If-Match"}


def test_the_pages_need_nothing_from_outside_and_nothing_inline(client):
    page = client.get("/docs")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe-inline" not in page.headers["content-security-policy"]
    assert "http" not in page.text.replace("https://nexus", "")
    assert not re.search(r"<script(?![^>]* src=)|<style| on\w+=", page.text)
    for asset in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        answer = client.get(asset)
        assert answer.status_code == 200, asset
        assert answer.headers["content-type"].split(";")[0] in ("text/css", "text/javascript")
    assert client.get("/docs/static/README.md").status_code == 404
