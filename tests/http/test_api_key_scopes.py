"""What API keys are for: their scopes, and what no key reaches."""

import re

import pytest

from nexus.application.platform.scopes import SCOPES
from nexus.domain.identity.people import Role
from nexus.entrypoints.http.policies import Policy, policy_of, routes_of, scope_of
from tests.support.front import V1, assert_problem
from tests.support.makers import Makers
from tests.support.office import Office

ID = "0190163d-8694-739b-aea5-966c26f8ad91"


MAKERS = [role for role in Role if SCOPES[role]]


def product_routes(office: Office):
    return [
        (path, method, handler)
        for path, method, handler in routes_of(office.client.app)
        if path.startswith(V1) and policy_of(handler) is not Policy.PUBLIC
    ]


def test_the_list_of_scopes_is_what_the_routes_take(office: Office):
    for role in MAKERS:
        taken = {
            scope_of(handler, method)
            for _, method, handler in product_routes(office)
            if policy_of(handler).admits(role)
        }
        assert taken - {None} == set(SCOPES[role]), role


NEVER = (
    "/children",
    "/auth",
    "/me",
    "/notifications",
    "/bookings",
    "/waitlist",
    "/admin/settings",
    "/admin/users",
)
"""What is a family's own, somebody's own, or would let a key be somebody else."""


def test_some_things_no_key_reaches(office: Office):
    found = set()
    for path, method, handler in product_routes(office):
        for start in NEVER:
            if path.removeprefix(V1).startswith(start):
                assert scope_of(handler, method) is None, (method, path)
                found.add(start)
        if path.endswith("/roster"):
            assert scope_of(handler, method) == "read:rosters"
        if "api-keys" in path:
            assert scope_of(handler, method) is None, (method, path)
    assert set(NEVER) - {"/auth"} <= found


@pytest.mark.parametrize("role", MAKERS)
def test_every_route_with_every_scope_and_without_the_one(makers: Makers, role):
    office = makers.office
    whole = makers.make(role, rate_limit_per_minute=6000)["token"]
    without = {
        scope: makers.make(role, sorted(SCOPES[role].keys() - {scope}), rate_limit_per_minute=6000)["token"]
        for scope in SCOPES[role]
    }
    opened = set()
    for path, method, handler in product_routes(office):
        scope, policy = scope_of(handler, method), policy_of(handler)
        where = re.sub(r"\{\w+\}", ID, path.removeprefix(V1))

        def ask(key, method=method, where=where):
            return office.send(key, method, where, {"nonsense": 1} if method != "GET" else None)

        if not policy.admits(role):
            assert_problem(ask(whole), 403, "not-for-this-role", role=role.value)
        elif scope is None:
            assert_problem(ask(whole), 403, "outside-the-keys-scopes", scope=None)
        else:
            assert ask(whole).status_code in (200, 404, 422), (method, path)
            assert_problem(ask(without[scope]), 403, "outside-the-keys-scopes", scope=scope)
            opened.add(scope)
    assert opened == set(SCOPES[role])


def test_to_a_key_there_are_no_children(makers: Makers):
    key = makers.make(Role.HR_ADMIN, ["read:activities"])["token"]
    assert makers.office.get(key, "/activities").status_code == 200
    hr = makers.tokens[Role.HR_ADMIN]
    child = makers.office.child(hr)
    assert makers.office.get(hr, f"/activities?child_id={child}").status_code == 200
    assert_problem(
        makers.office.get(key, f"/activities?child_id={child}"), 404, "no-such-thing", kind="child"
    )


def test_parents_make_no_keys(makers: Makers):
    parent = makers.office.joins(makers.company, "ada@acme.example")
    answer = makers.office.post(parent, "/me/api-keys", {"name": "Mine", "scopes": ["read:activities"]})
    assert_problem(answer, 403, "not-for-this-role", role="parent")


def test_the_document_says_where_keys_are_accepted_and_for_which_scope(office: Office):
    document = office.client.get("/schema/openapi.json").json()
    scheme = document["components"]["securitySchemes"]["key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for scopes in SCOPES.values():
        assert all(f"`{scope}`" in scheme["description"] for scope in scopes)
    for path, method, handler in product_routes(office):
        operation = document["paths"][path][method.lower()]
        scope = scope_of(handler, method)
        assert [each["key"] for each in operation["security"] if "key" in each] == (
            [[scope]] if scope else []
        )
