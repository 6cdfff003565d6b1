"""
The matrix finds what it is there to find: leaks are planted one at a time, and each is seen.

A predicate that is forgotten in a query is caught by row-level security before
anybody sees anything; with that wall taken down the matrix sees it.
"""

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from pathlib import Path

import pytest
from attrs import evolve, frozen

from nexus.adapters.postgres import booking_views, families
from nexus.application.booking.book import Book
from nexus.application.booking.look_up import ShowEntry
from nexus.application.identity.children import ListChildren
from nexus.application.identity.hr import ListEmployees
from nexus.application.identity.leave import RecordLeaver
from nexus.domain.identity.people import Role
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import UserId
from nexus.entrypoints.http import policies, views
from nexus.entrypoints.http.policies import NotForThisRole, Policy, allow
from tests.matrix.judge import Judge
from tests.matrix.routes import routes
from tests.matrix.world import without_row_security

pytestmark = pytest.mark.slow

LISTED = set(Path(__file__).with_name("answers.txt").read_text(encoding="utf-8").splitlines())


@pytest.fixture
def suspicions(judge, open_door, api_document) -> Callable[[str], list[str]]:
    """Everything that the matrix has against the routes of a path."""

    def found(path: str) -> list[str]:
        chosen = [
            route
            for route in routes(open_door.client.app, api_document)
            if route.path.startswith(f"/api/v1{path}") and not route.path.startswith("/api/v1/auth")
        ]
        assert chosen
        asking = Judge(judge.world, judge.snapshot, judge.wants)
        against = [str(finding) for finding in asking.findings(chosen)]
        against += [str(finding) for finding in asking.unlisted(LISTED)]
        return against + [f"{route}: not as listed" for route in chosen if route.stated() not in LISTED]

    return found


@pytest.fixture
def handler(open_door):
    """The handler of a route, to change what it declares."""

    def found(method: str, path: str):
        return next(
            one
            for at, verb, one in policies.routes_of(open_door.client.app)
            if (verb, at) == (method, f"/api/v1{path}")
        )

    return found


def instead(monkeypatch, cls, change):
    """Let a use case do something else; *change* gets how it was."""
    was = cls.__call__

    @wraps(was)
    def call(self, *arguments, **named):
        return change(was, self, *arguments, **named)

    monkeypatch.setattr(cls, "__call__", call)


def without(monkeypatch, module, name: str, predicate: str) -> None:
    """Forget a predicate in a query."""
    statement = getattr(module, name)
    assert predicate in statement
    monkeypatch.setattr(module, name, statement.replace(predicate, "", 1))


def test_nothing_is_found_where_nothing_is_planted(suspicions):
    assert suspicions("/bookings") == []


@pytest.mark.parametrize("loosened", [Policy.PUBLIC, Policy.SIGNED_IN, Policy.HR])
def test_another_policy_on_a_route(suspicions, handler, monkeypatch, loosened):
    monkeypatch.setitem(handler("GET", "/hr/employees").opt, "policy", loosened)
    found = suspicions("/hr/employees")
    assert bool(found) == (loosened is not Policy.HR), found


def test_a_policy_that_admits_another_role(suspicions, monkeypatch):
    roles = {**policies._ROLES, Policy.HR: frozenset({Role.HR_ADMIN, Role.PARENT})}
    monkeypatch.setattr(policies, "_ROLES", roles)
    assert suspicions("/hr")


def test_a_guard_that_looks_at_no_roles(suspicions, monkeypatch):
    monkeypatch.setattr(policies, "_admit", lambda actor, policy, scope: None)
    found = suspicions("/admin/companies")
    assert any("as parent A" in each for each in found)


def test_a_guard_that_looks_at_no_scopes(suspicions, monkeypatch):
    was = policies._admit
    monkeypatch.setattr(
        policies, "_admit", lambda actor, policy, scope: was(evolve(actor, key=None), policy, scope)
    )
    found = suspicions("/bookings")
    assert any("without scope" in each for each in found)


def test_a_guard_that_asks_for_no_second_factor(suspicions, monkeypatch):
    monkeypatch.setattr(policies, "_require_second_factor", lambda actor, handler: None)
    found = suspicions("/venue/activities")
    assert any("venue A without second factor" in each for each in found)


def test_keys_on_a_route_that_is_closed_to_them(suspicions, handler, monkeypatch):
    monkeypatch.setitem(handler("GET", "/children").opt, "keys", "bookings")
    assert suspicions("/children")


def test_a_route_that_recognises_nobody(suspicions, handler, monkeypatch):
    route = handler("GET", "/notifications")
    monkeypatch.setattr(route, "opt", {**route.opt, **allow(Policy.PUBLIC)})
    assert suspicions("/notifications")


def test_a_sign_in_that_does_not_end(suspicions, judge, monkeypatch):
    monkeypatch.setitem(
        judge.world.front.people.signed_in, "ended", judge.world.people["other parent A"].actor
    )
    assert any("an ended sign-in" in each for each in suspicions("/children"))


@frozen
class Forgotten:
    """A predicate of tenancy that a query forgets."""

    module: object
    statement: str
    predicate: str
    path: str


FORGOTTEN = {
    "a family's booking": Forgotten(
        booking_views, "SHOW_BOOKING", " AND b.booked_by = %(parent)s", "/bookings/{booking_id}"
    ),
    "a family's list of bookings": Forgotten(
        booking_views, "LIST_BOOKINGS", "b.booked_by = %(parent)s AND", "/bookings"
    ),
    "a child": Forgotten(families, "FIND_CHILD", " AND c.parent_id = %(parent)s", "/children/{child_id}"),
}


@pytest.mark.parametrize("wall", ["with row-level security", "without row-level security"])
@pytest.mark.parametrize("which", FORGOTTEN)
def test_a_query_that_forgets_whose_it_is(suspicions, monkeypatch, owner, which, wall):
    planted = FORGOTTEN[which]
    statement = " ".join(getattr(planted.module, planted.statement).split())
    monkeypatch.setattr(planted.module, planted.statement, statement)
    without(monkeypatch, planted.module, planted.statement, planted.predicate)
    with without_row_security(owner) if wall.startswith("without") else nullcontext():
        found = suspicions(planted.path)
    assert bool(found) == wall.startswith("without"), found


def test_the_roster_of_another_venue(suspicions, monkeypatch, owner):
    was = booking_views.PostgresBookingViews.roster

    def roster(self, session, *, venue):
        found = owner.execute("SELECT venue_id FROM activity_sessions WHERE id = %s", [session]).fetchone()
        return was(self, session, venue=found[0] if found else venue)

    monkeypatch.setattr(booking_views.PostgresBookingViews, "roster", roster)
    with without_row_security(owner):
        found = suspicions("/venue/sessions/{session_id}/roster")
    assert any("session_id of B" in each for each in found)


def test_notes_that_are_not_to_be_shared(suspicions, monkeypatch):
    sealed = "CASE WHEN 'medical_sharing' = ANY (c.consents) THEN c.medical_notes END"
    key = "CASE WHEN 'medical_sharing' = ANY (c.consents) THEN k.key END"
    statement = booking_views.ROSTER
    assert sealed in statement
    statement = statement.replace(sealed, "c.medical_notes").replace(key, "k.key")
    monkeypatch.setattr(booking_views, "ROSTER", statement)
    assert any("Canarynotes" in each for each in suspicions("/venue/sessions/{session_id}/roster"))


def test_an_actor_that_the_body_names(suspicions, judge, monkeypatch, owner):
    """The parent of whatever children are named, instead of whoever asks."""

    def book(was, self, session, children, **named):
        found = owner.execute("SELECT parent_id FROM children WHERE id = %s", [children[0]]).fetchone()
        if found:
            named["parent"] = UserId(found[0])
        return was(self, session, children, **named)

    instead(monkeypatch, Book, book)
    with without_row_security(owner):
        found = suspicions("/bookings")
    assert any("child_ids of" in each for each in found)


@pytest.mark.parametrize("refusal", [NotForThisRole(Role.PARENT), NoSuchThing("entry of somebody else")])
def test_an_answer_that_tells_others_things_from_none(suspicions, judge, monkeypatch, owner, refusal):
    """403 rather than 404, or a 404 in other words: both say that there is something."""

    def show(was, self, entry, **named):
        try:
            return was(self, entry, **named)
        except NoSuchThing:
            if owner.execute("SELECT 1 FROM waitlist WHERE id = %s", [entry]).fetchone():
                raise refusal from None
            raise

    instead(monkeypatch, ShowEntry, show)
    assert any("entry_id of" in each for each in suspicions("/waitlist/{entry_id}"))


def test_a_member_that_nobody_listed(suspicions, monkeypatch):
    was = views._encoder

    class Adding:
        def encode(self, said):
            return was.encode({**said, "families": 3} if "covered_seats" in said else said)

    monkeypatch.setattr(views, "_encoder", Adding())
    assert any("not in the list" in each and "families" in each for each in suspicions("/hr/overview"))


def test_figures_about_few_families(suspicions, monkeypatch):
    monkeypatch.setattr("nexus.domain.identity.suppression.FEWEST", 1)
    found = suspicions("/hr/overview")
    assert any("bookings" in each and "number" in each for each in found)


def test_a_child_in_an_answer_to_hr(suspicions, judge, monkeypatch):
    def employees(was, self, **named):
        child = judge.world.families["other parent A"].children[0]
        return [evolve(each, department=str(child)) for each in was(self, **named)]

    instead(monkeypatch, ListEmployees, employees)
    assert suspicions("/hr/employees")


def test_a_refusal_that_did_something_first(suspicions, judge, monkeypatch, owner):
    def leave(was, self, employee, **named):
        owner.execute("UPDATE users SET department = 'gone' WHERE id = %s", [employee])
        return was(self, employee, **named)

    instead(monkeypatch, RecordLeaver, leave)
    assert any("changed users" in each for each in suspicions("/hr/employees/{employee_id}/leave"))


def test_children_of_others_in_a_list(suspicions, judge, monkeypatch, owner):
    def everybodys(was, self, *, actor):
        others = judge.world.people["other parent A"].actor
        return (*was(self, actor=actor), *was(self, actor=others))

    instead(monkeypatch, ListChildren, everybodys)
    with without_row_security(owner):
        found = suspicions("/children")
    assert found
