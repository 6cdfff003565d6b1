"""A command sent twice is done once."""

import json
from typing import ClassVar
from uuid import UUID

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from http_edge.conftest import PARENT
from http_edge.test_problems import problem
from http_edge.test_wire import GOOD, json_values
from http_edge.toy import FIRST
from nexus.domain.kernel.errors import Conflict
from nexus.domain.kernel.ids import UserId
from nexus.entrypoints.http.idempotency import Once, fingerprint

KEY = {**PARENT, "idempotency-key": "k1"}
PATH = "/api/v1/paintings"


def test_without_a_key_each_request_is_done(client, memory):
    answers = [client.post(PATH, json=GOOD, headers=PARENT) for _ in range(2)]
    assert [a.json()["name"] for a in answers] == ["No. 1", "No. 2"]
    assert memory.replies == {}


def test_with_a_key_it_is_done_once_and_answered_alike(client, memory):
    first, second = (client.post(PATH, json=GOOD, headers=KEY) for _ in range(2))
    assert memory.painted == 1
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"] == '"3"'
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"


def test_the_key_of_another_person_is_another_key(client, memory):
    client.post(PATH, json=GOOD, headers=KEY)
    client.post(PATH, json=GOOD, headers={**KEY, "authorization": "Bearer hr_admin"})
    assert memory.painted == 2


@pytest.mark.parametrize("change", [{"gift": False}, {"size": "l"}])
def test_a_key_is_not_used_for_another_request(client, memory, change):
    client.post(PATH, json=GOOD | {"size": "m"}, headers=KEY)
    problem(client.post(PATH, json=GOOD | {"size": "m"} | change, headers=KEY), 422, "idempotency-key-reused")
    assert memory.painted == 1


def test_a_refusal_undoes_its_part_and_is_remembered(client, memory):
    first, second = (client.post(PATH, json=GOOD | {"size": "l"}, headers=KEY) for _ in range(2))
    assert memory.painted == 0
    assert first.status_code == second.status_code == 409
    assert first.content == second.content
    assert first.headers["content-type"] == second.headers["content-type"] == "application/problem+json"
    assert second.headers["idempotency-replayed"] == "true"
    assert first.json()["type"] == "/problems/out-of-paint"


def test_not_being_signed_in_is_not_remembered(client, memory):
    problem(client.post(PATH, json=GOOD | {"size": "s", "gift": True}, headers=KEY), 401, "token-expired")
    assert memory.replies == {}


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "tab\t."])
def test_a_malformed_key_is_refused(client, memory, key):
    answer = client.post(PATH, json=GOOD, headers={**PARENT, "idempotency-key": key.encode("latin-1")})
    stated = problem(answer, 400, "invalid-parameters")
    assert stated["errors"][0]["path"] == "header.Idempotency-Key"
    assert memory.painted == 0


@given(json_values, st.integers(0, 4))
def test_spacing_and_order_do_not_change_the_fingerprint(value, indent):
    body = {"b": value, "a": 1}
    spaced = json.dumps(body, indent=indent).encode()
    ordered = json.dumps(dict(sorted(body.items()))).encode()
    assert fingerprint(b"k", "POST", "/x", spaced) == fingerprint(b"k", "POST", "/x", ordered)


def test_secret_method_path_and_body_change_the_fingerprint():
    several = [
        (b"k", "POST", "/a", b"1"),
        (b"l", "POST", "/a", b"1"),
        (b"k", "PUT", "/a", b"1"),
        (b"k", "POST", "/b", b"1"),
        (b"k", "POST", "/a", b"2"),
        (b"k", "POST", "/a", b""),
    ]
    assert len({fingerprint(*one) for one in several}) == len(several)


@frozen
class Crowded(Conflict):
    """Everybody paints at once."""

    is_passing: ClassVar[bool] = True


def test_a_refusal_that_will_pass_is_not_remembered(memory):
    outcomes = [Crowded(), FIRST]

    def run():
        outcome = outcomes.pop(0)
        if isinstance(outcome, Crowded):
            raise outcome
        return outcome

    once = Once(memory.begin, UserId(UUID(int=1)))
    with pytest.raises(Crowded):
        once("k", b"f", 200, run)
    assert once("k", b"f", 200, run).status_code == 200
    assert once("k", b"f", 200, run).headers["Idempotency-Replayed"] == "true"
