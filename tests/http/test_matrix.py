"""
Everybody asks for everything: each route and method, as each role and key, with own and others' ids.

The routes, what they want and what is to be expected come from the application's
own declarations: policies, scopes and the owners of ids. What must not change
unnoticed is in `answers.txt`: who gets in where, and every member of every answer.
`REWRITE=1` writes that file anew, to be read before it is committed.
"""

import os
from pathlib import Path

import pytest
from litestar.exceptions import ImproperlyConfiguredException

from nexus.entrypoints.http.api import build
from nexus.entrypoints.http.owners import Owner
from nexus.entrypoints.http.policies import Policy, routes_of
from nexus.entrypoints.settings import Settings
from tests.matrix.routes import UndeclaredOwner, routes
from tests.matrix.world import SHARED

ANSWERS = Path(__file__).with_name("answers.txt")


@pytest.fixture(scope="module")
def findings(judge, all_routes):
    return list(judge.findings(all_routes))


def test_everybody_gets_what_is_declared_and_no_more(findings, judge, all_routes):
    assert not findings, "\n".join(map(str, findings))
    assert judge.asked > 10 * len(all_routes)


def test_who_gets_in_and_what_is_answered_is_listed(findings, judge, all_routes):
    stated = sorted([*(route.stated() for route in all_routes), *judge.listing()])
    if os.environ.get("REWRITE"):
        ANSWERS.write_text("\n".join(stated) + "\n", encoding="utf-8")
    assert stated == ANSWERS.read_text(encoding="utf-8").splitlines()


def test_every_route_that_is_served_is_asked(all_routes, open_door):
    served = {(path, method): handler for path, method, handler in routes_of(open_door.client.app)}
    asked = {(route.path, route.method) for route in all_routes}
    heads = {(path, method) for path, method in served if method == "HEAD"}
    assert asked | heads == served.keys()
    for path, method in heads:
        assert served[path, method].opt == served[path, "GET"].opt


def test_every_id_meets_others_of_its_kind(judge, all_routes):
    """The matrix proves nothing where the world holds only one of a kind."""
    limited = {Owner.USER, Owner.COMPANY, Owner.VENUE}
    tried = [(route, one) for route in all_routes for one in route.ids if one.owner in limited]
    assert len(tried) > 25
    for route, one in tried:
        assert len(list(judge.strangers(route, one))) >= 1, f"{route}: {one.name}"


def test_an_id_without_an_owner_stops_the_matrix(open_door, api_document, monkeypatch):
    monkeypatch.setattr("tests.matrix.routes.owner_of", lambda policy, name: None)
    with pytest.raises(
        UndeclaredOwner, match=r"declare the owner of \{booking_id\} at GET /api/v1/bookings/"
    ):
        routes(open_door.client.app, api_document)


def test_an_id_without_an_owner_stops_the_application(open_door, monkeypatch):
    monkeypatch.setattr("nexus.entrypoints.http.owners.OWNERS", {})
    with pytest.raises(ImproperlyConfiguredException, match=r"\{booking_id\} at /api/v1/bookings/"):
        build(open_door.nexus, Settings(pool_size=4))


def test_rosters_show_notes_that_are_shared(judge):
    """A control: what is hidden elsewhere can be seen where it may."""
    session = judge.world.ids["session_id"]["A"]
    roster = judge.world.front.get(judge.world.token("venue A"), f"/venue/sessions/{session}/roster")
    assert [line["medical_notes"] for line in roster.json()["items"]].count(SHARED) == 1


def test_some_routes_are_for_everybody_and_most_are_not(all_routes):
    public = [route for route in all_routes if route.policy is Policy.PUBLIC]
    assert 0 < len(public) < len(all_routes) / 3
