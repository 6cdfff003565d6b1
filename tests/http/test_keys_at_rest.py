"""Keys stay out of the way: of booking altogether, of lists but for the one statement that reads them."""

from contextlib import contextmanager

import pytest
from benchmarks.hearing import ears
from litestar.testing import TestClient
from psycopg.errors import InsufficientPrivilege

from nexus.application.kernel.actor import Actor
from nexus.domain.identity.people import Role
from nexus.entrypoints.http.api import build
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring import Nexus
from tests.support.front import Front, assert_problem
from tests.support.office import Office, child_body
from tests.support.passwords import QUICK

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


@contextmanager
def keys_out_of_reach(front: Front):
    front.town.owner.execute("REVOKE ALL ON child_keys FROM nexus_app")
    try:
        yield
    finally:
        front.town.owner.execute(
            "GRANT SELECT, INSERT, UPDATE (key, destroyed_at) ON child_keys TO nexus_app"
        )


def test_booking_queueing_and_cancelling_touch_no_key(front: Front):
    session, family, late = front.town.session(seats=1), front.town.family(), front.town.family()
    with keys_out_of_reach(front):
        wish = {"session_id": str(session), "child_ids": [str(child) for child in family.children]}
        assert front.post(front.parent(family), "/bookings/quote", wish).status_code == 200
        booking = front.booked(family, session)
        waiting = {"child_ids": [str(child) for child in late.children]}
        answer = front.post(front.parent(late), f"/sessions/{session}/waitlist", waiting)
        assert answer.status_code == 201
        assert front.get(front.parent(family), "/bookings").status_code == 200
        assert front.post(front.parent(family), f"/bookings/{booking}/cancel", {}).status_code == 200
        with pytest.raises(InsufficientPrivilege):
            front.nexus.show_roster(session, venue=front.town.venue)


def test_a_list_of_children_and_a_roster_take_as_many_statements_as_for_one(front: Front, database_url):
    town, counts = front.town, []
    for many in (1, 5):
        session, family = town.session(seats=10), town.family(children=many, credits=100)
        front.booked(family, session)
        town.owner.execute(
            "UPDATE children SET consents = array_append(consents, 'medical_sharing') WHERE parent_id = %s",
            [family.parent],
        )
        for child in family.children:
            profile = {"medical_notes": f"asthma of {child}"}
            answer = front.send(front.parent(family), "PATCH", f"/children/{child}", profile)
            assert answer.status_code == 200, answer.text
        parent = Actor(user=family.parent, role=Role.PARENT, company=town.company)
        found = {}
        with ears(database_url) as hear:
            roster = hear(
                lambda nexus, found=found, session=session: found.update(
                    roster=nexus.show_roster(session, venue=town.venue)
                )
            )
            children = hear(
                lambda nexus, found=found, parent=parent: found.update(
                    children=nexus.list_children(actor=parent)
                )
            )
        assert len(found["roster"]) == len(found["children"]) == many
        assert all(line.medical_notes for line in found["roster"])
        counts.append((len(roster), len(children)))
    assert counts[0] == counts[1]


def test_a_command_named_before_the_key_changed_is_recognised_afterwards(office: Office):
    ada = office.joins(office.company(), "ada@acme.example")
    first = office.post(ada, "/children", child_body(), idempotency_key="mia")

    def again(body, *former):
        nexus = Nexus(
            office.nexus.pool, now=office.clock, secret_key=NEW, former_keys=former, passwords=QUICK
        )
        with TestClient(build(nexus, Settings(pool_size=4)), raise_server_exceptions=False) as client:
            headers = {"authorization": f"Bearer {ada}", "idempotency-key": "mia"}
            return client.post("/api/v1/children", json=body, headers=headers)

    repeated = again(child_body(), OLD)
    assert (repeated.status_code, repeated.json()) == (201, first.json())
    assert repeated.headers["idempotency-replayed"] == "true"
    assert_problem(again(child_body(first_name="Ben"), OLD), 422, "idempotency-key-reused")
    assert_problem(again(child_body()), 422, "idempotency-key-reused")
    assert len(office.get(ada, "/children").json()["items"]) == 1
