"""Bodies are read strictly, and every fault is reported with its path."""

import json
from copy import deepcopy
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from http_edge.toy import Change, Order
from nexus.entrypoints.http.faults import InvalidBody, Malformed, UnreadableBody
from nexus.entrypoints.http.reading import read_json, read_value
from nexus.entrypoints.http.unset import UNSET
from nexus.entrypoints.http.views import encode

GOOD = {
    "id": "0190163d-8694-739b-aea5-966c26f8ad91",
    "at": "2026-01-01T00:00:00+02:00",
    "day": "2026-02-28",
    "time": "16:30",
    "colour": "red",
    "lines": [{"quantity": 1, "note": None}, {"quantity": 5, "note": "x"}],
    "even": {"value": 2},
    "tags": ["a"],
    "counts": {"a": 1},
    "children": ["0190163d-8694-739b-aea5-966c26f8ad92"],
    "price": {"minor": 5, "currency": "EUR"},
    "share": 0.5,
    "gift": True,
    "size": "m",
    "code": "ZZ",
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

WRONG = [
    ("id", 5, "body.id"),
    ("id", "{0190163d-8694-739b-aea5-966c26f8ad91}", "body.id"),
    ("at", "2026-01-01T00:00:00", "body.at"),
    ("at", "2026-02-30T00:00:00Z", "body.at"),
    ("at", "0001-01-01T00:00:00+10:00", "body.at"),
    ("day", "2026-02-29", "body.day"),
    ("day", "20260228", "body.day"),
    ("time", "24:00", "body.time"),
    ("time", "16:30Z", "body.time"),
    ("colour", "RED", "body.colour"),
    ("lines", [], "body.lines"),
    ("lines", "ab", "body.lines"),
    ("lines", [{"quantity": 1}, {"quantity": "5"}], "body.lines[1].quantity"),
    ("lines", [{"quantity": True}], "body.lines[0].quantity"),
    ("lines", [{"quantity": 2.0}], "body.lines[0].quantity"),
    ("lines", [{"quantity": 2**31}], "body.lines[0].quantity"),
    ("lines", [{"quantity": 6}], "body.lines[0].quantity"),
    ("lines", [{}], "body.lines[0].quantity"),
    ("lines", [{"quantity": 1, "extra": 1}], "body.lines[0].extra"),
    ("lines", [{"quantity": 1, "a b": 1}], 'body.lines[0]["a b"]'),
    ("lines", [{"quantity": 1, "note": "x" * 21}], "body.lines[0].note"),
    ("lines", [{"quantity": 1, "note": "nul\x00"}], "body.lines[0].note"),
    ("even", {"value": 3}, "body.even.value"),
    ("tags", ["a", None], "body.tags[1]"),
    ("counts", {"a": 2**63}, "body.counts.a"),
    ("counts", {"nul\x00": 1}, 'body.counts["nul\\u0000"]'),
    ("counts", [], "body.counts"),
    ("children", ["x"], "body.children[0]"),
    ("price", {"minor": 1, "currency": "euro"}, "body.price.currency"),
    ("share", True, "body.share"),
    ("gift", 1, "body.gift"),
    ("gift", None, "body.gift"),
    ("size", "xl", "body.size"),
    ("code", "zz", "body.code"),
]


def faults(value: object) -> list[str]:
    with pytest.raises(InvalidBody) as raised:
        read_value(value, Order)
    return [fault.path for fault in raised.value.faults]


def test_a_good_body_is_read_and_its_instants_are_utc():
    order = read_json(json.dumps(GOOD).encode(), Order)
    assert order.at.isoformat() == "2025-12-31T22:00:00+00:00"
    assert order.tags == ("a",)
    assert json.loads(encode(order, Order)) == GOOD | {"at": "2025-12-31T22:00:00Z"}


@pytest.mark.parametrize(("name", "value", "path"), WRONG)
def test_each_fault_is_named_by_its_path(name, value, path):
    assert faults(GOOD | {name: value}) == [path]


def test_all_faults_are_reported_at_once():
    wrong = {"id": 1, "lines": [{"quantity": 0}, {"quantity": "x", "y": 1}], "gift": 0, "extra": 1}
    expected = {"body.id", "body.lines[0].quantity", "body.lines[1].quantity", "body.lines[1].y"}
    assert set(faults(GOOD | wrong)) == expected | {"body.gift", "body.extra"}


@given(st.sampled_from(WRONG), st.sampled_from(WRONG))
def test_one_fault_never_hides_another(first, second):
    """Whatever two fields are wrong, both are named."""
    body = deepcopy(GOOD) | {first[0]: first[1], second[0]: second[1]}
    expected = {second[2]} | ({first[2]} if first[0] != second[0] else set())
    assert set(faults(body)) == expected


@pytest.mark.parametrize("name", ["id", "at", "day", "time", "colour", "lines"])
def test_what_has_no_default_must_be_said(name):
    assert faults({k: v for k, v in GOOD.items() if k != name}) == [f"body.{name}"]


@pytest.mark.parametrize("value", [None, [], "x", 5, True])
def test_a_body_that_is_no_object_is_refused(value):
    assert faults(value) == ["body"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"a": xyz}', "byte 6"),
        (b'{"a": 1', "byte 7"),
        (b"[" * 100_000, "deeply"),
        (b'"\\ud800"', "byte"),
        (b'"\xff"', "byte"),
        (b"NaN", "byte 0"),
    ],
)
def test_malformed_json_is_refused_with_its_position(body, where):
    with pytest.raises(UnreadableBody, match=where):
        read_json(body, Order)


def test_left_out_and_null_are_told_apart():
    assert read_json(b"{}", Change) == Change(UNSET, UNSET)
    assert read_json(b'{"note": null}', Change) == Change(UNSET, None)
    with pytest.raises(InvalidBody):
        read_json(b'{"name": null}', Change)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=40) | json_values.map(lambda v: json.dumps(v).encode()))
def test_no_body_whatsoever_is_a_failure_of_ours(shared, body):
    answer = shared.post("/echo", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@given(name=st.sampled_from(sorted(GOOD)), value=json_values)
def test_any_single_value_is_read_or_its_own_path_named(name, value):
    try:
        read_value(GOOD | {name: value}, Order)
    except Malformed as refused:
        named = [fault.path for fault in refused.faults]
    else:
        named = [f"body.{name}"]
    assert named
    assert all(path.startswith(f"body.{name}") for path in named)


def test_another_content_type_is_415(client):
    assert client.post("/echo", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert client.post("/echo", content=b"{}").status_code == 415


def test_a_form_is_415(client):
    assert client.post("/echo", data={"a": "b"}).status_code == 415


def test_no_body_is_400(client):
    answer = client.post("/echo", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "body")


def test_a_body_over_the_limit_is_413(client):
    answer = client.post("/echo", content=b" " * 1_000_001, headers={"content-type": "application/json"})
    assert answer.status_code == 413


def test_instants_leave_in_utc_and_never_without_an_offset():
    there = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert encode(there) == b'"2026-01-01T00:00:00Z"'
    with pytest.raises(ValueError, match="offset"):
        encode(there.replace(tzinfo=None))
