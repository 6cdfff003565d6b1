"""The audit log over HTTP: what it knows of requests, who reads it, and what reading leaves behind."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.front import Front, assert_problem, wanted
from tests.support.office import PASSWORD, Office, child_body, company_body, consent_body
from tests.support.recorded import assert_recorded, must_be_recorded

AUDIT = "/admin/audit"


def entries(office: Office, **query: Any) -> list[dict[str, Any]]:
    answer = office.client.get(
        f"/api/v1{AUDIT}", params=query, headers={"authorization": f"Bearer {office.admin}"}
    )
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def of_request(office: Office, answer: httpx.Response) -> list[dict[str, Any]]:
    return entries(office, request_id=answer.headers["x-request-id"])


@pytest.fixture
def parent(office: Office) -> str:
    return office.joins(office.company(), "ada@acme.example")


def test_a_command_is_found_under_its_request_with_who_and_what(office: Office, parent: str):
    me = office.get(parent, "/me").json()
    answer = office.post(parent, "/children", child_body())
    [entry] = of_request(office, answer)
    assert entry["action"] == "child.added"
    assert (entry["user_id"], entry["role"], entry["company_id"]) == (me["id"], "parent", me["company_id"])
    assert (entry["cause"], entry["entity_id"]) == ("person", answer.json()["id"])
    assert entry["is_sealed"], "it tells of a child"
    assert entry["old_values"] is None
    assert entry["new_values"] is None


def test_what_is_typed_about_a_child_is_nowhere_in_clear(office: Office, parent: str):
    canaries = {"first_name": "Zuleikah", "medical_notes": "allergic to quokkas"}
    child = office.made(parent, "/children", child_body(**canaries))["id"]
    office.made(parent, f"/children/{child}/consents", consent_body(activity_booking=True))
    office.send(parent, "PATCH", f"/children/{child}", {"first_name": "Zenobia"})
    rows = office.owner.execute(
        "SELECT row_to_json(a)::text FROM audit_logs a WHERE entity_id = %s", [child]
    ).fetchall()
    assert len(rows) == 3
    for (row,) in rows:
        for word in ("Zuleikah", "quokkas", "Zenobia", "date_of_birth"):
            assert word not in row
            assert word.encode().hex() not in row


def test_sealed_values_are_opened_for_a_reason_that_is_recorded(office: Office, parent: str):
    child = office.made(parent, "/children", child_body(first_name="Mia"))["id"]
    changed = office.send(parent, "PATCH", f"/children/{child}", {"first_name": "Maya"})
    [entry] = of_request(office, changed)
    shown = office.get(office.admin, f"{AUDIT}/{entry['id']}")
    assert shown.json() == entry
    reason = "the parent asks who changed the name"
    opened = office.post(office.admin, f"{AUDIT}/{entry['id']}/open", {"reason": reason})
    assert opened.json()["entry"] == entry
    assert opened.json()["opened_old_values"] == {"first_name": "Mia"}
    assert opened.json()["opened_new_values"] == {"first_name": "Maya"}
    [told] = of_request(office, opened)
    assert (told["action"], told["severity"], told["new_values"]["reason"]) == (
        "audit.entry_opened",
        "warning",
        reason,
    )
    assert "Mia" not in json.dumps(told)
    assert_problem(
        office.post(office.admin, f"{AUDIT}/{entry['id']}/open", {"reason": "why"}), 422, "invalid-value"
    )
    assert_problem(office.get(office.admin, f"{AUDIT}/{uuid4()}"), 404, "no-such-thing")
    clear = of_request(office, office.post(office.admin, "/admin/companies", company_body("Other")))[0]
    assert_problem(
        office.post(office.admin, f"{AUDIT}/{clear['id']}/open", {"reason": reason}), 409, "nothing-is-sealed"
    )


def test_searching_is_recorded_with_what_was_asked(office: Office):
    answer = office.get(office.admin, f"{AUDIT}?category=credits&limit=5")
    [entry] = of_request(office, answer)
    assert (entry["action"], entry["new_values"]) == (
        "audit.searched",
        {"asked": {"category": "credits"}},
    )


def test_pages_follow_each_other(office: Office, parent: str):
    me = office.get(parent, "/me").json()["id"]
    for _ in range(4):
        office.made(parent, "/children", child_body())
    rows = office.pages(office.admin, f"{AUDIT}?user_id={me}&action=child.added")
    assert len(rows) == 4
    assert rows == sorted(rows, key=lambda row: row["at"], reverse=True)
    assert len({row["id"] for row in rows}) == 4


def test_times_bound_a_search(office: Office, parent: str):
    [entry] = of_request(office, office.post(parent, "/children", child_body()))
    at = entry["at"]
    mine = {"request_id": entry["request_id"]}
    assert entries(office, **mine, **{"from": at}) == [entry]
    assert entries(office, **mine, to=at) == []
    assert office.get(office.admin, f"{AUDIT}?from=yesterday").status_code == 400


def test_nobody_else_reads_it_and_trying_is_recorded(office: Office, parent: str):
    me = office.get(parent, "/me").json()["id"]
    for path in (AUDIT, f"{AUDIT}/{uuid4()}"):
        answer = office.get(parent, path)
        assert_problem(answer, 403, "not-for-this-role")
        [entry] = of_request(office, answer)
        assert (entry["action"], entry["severity"], entry["user_id"]) == (
            "security.access_refused", "warning", me,
        )  # fmt: skip
        assert entry["new_values"]["refusal"] == "not-for-this-role"
        assert "{" in entry["new_values"]["route"] or path == AUDIT, "the template, not what was filled in"
    assert office.get(None, AUDIT).status_code == 401


def test_a_failed_sign_in_names_the_account_if_there_is_one_and_nothing_that_was_typed(
    office: Office, parent: str
):
    me = office.get(parent, "/me").json()["id"]
    known = office.sign_in("ada@acme.example", "correct horse battery stapler")
    unknown = office.sign_in("correct horse battery staple", "ada@acme.example")
    for answer, account in ((known, me), (unknown, None)):
        [entry] = of_request(office, answer)
        assert (entry["action"], entry["severity"], entry["entity_id"], entry["cause"]) == (
            "auth.sign_in_failed", "warning", account, "nobody",
        )  # fmt: skip
        assert "horse" not in json.dumps(entry)
        assert "ada@" not in json.dumps(entry)
    [entry] = of_request(office, office.sign_in("ada@acme.example", PASSWORD))
    assert (entry["action"], entry["entity_id"], entry["user_id"]) == ("auth.signed_in", me, me)


def test_a_repeated_command_is_recorded_once_and_a_refused_one_not_at_all(front: Front):
    session, family = front.town.session(seats=5), front.town.family(credits=40)
    first = front.book(family, session, idempotency_key="once")
    again = front.book(family, session, idempotency_key="once")
    assert again.headers["idempotency-replayed"] == "true"
    refused = front.book(family, session)
    assert refused.status_code == 409
    booking = first.json()["bookings"][0]["id"]
    told = front.town.owner.execute(
        "SELECT request_id, action_type, corporate_id, venue_id FROM audit_logs WHERE entity_id = %s",
        [booking],
    ).fetchall()
    assert told == [
        (first.headers["x-request-id"], "booking.made", front.town.company, front.town.venue),
    ]
    assert front.town.owner.execute(
        "SELECT count(*) FROM audit_logs WHERE request_id = %s", [refused.headers["x-request-id"]]
    ).fetchone() == (0,)


def test_an_unrecorded_command_would_be_noticed(front: Front):
    """The control for every test of the suite: an answer whose entry is not there."""
    session, family = front.town.session(seats=5), front.town.family()
    app, owner = front.client.app, front.town.owner
    answer = front.book(family, session)
    answer.headers["x-request-id"] = "never-seen-before"
    with pytest.raises(AssertionError, match="in no audit log"):
        assert_recorded(app, owner, "POST", "/api/v1/bookings", answer)
    roster = front.get(front.venue(), f"/venue/sessions/{session}/roster")
    assert must_be_recorded(app, "GET", f"/api/v1/venue/sessions/{session}/roster", roster)
    assert not must_be_recorded(app, "GET", "/api/v1/bookings", roster)


def test_what_jobs_did_is_recorded_in_sum(front: Front):
    session, family = front.town.session(), front.town.family(credits=7)
    front.booked(family, session)
    since = front.town.owner.execute("SELECT clock_timestamp()").fetchone()
    front.later(days=60)
    for job in ("complete_bookings", "expire_credits", "allocate_credits"):
        getattr(front.nexus, job)()
        getattr(front.nexus, job)()
    told = front.town.owner.execute(
        "SELECT action_type, cause, new_values FROM audit_logs WHERE created_at > %s ORDER BY created_at",
        since,
    ).fetchall()
    assert told == [
        ("system.bookings_completed", "platform", {"bookings": 1}),
        ("system.credits_expired", "platform", {"balances": 1, "credits": 5}),
        ("system.credits_allocated", "platform", {"period": "2026-05-01", "people": 1}),
    ], "and nothing of runs that found nothing to do"


def test_the_platforms_own_doing_is_recorded_as_such(front: Front):
    front.town.at_the_venue(requires_confirmation=True)
    venue_says = front.town.session()
    family = front.town.family()
    answer = front.post(front.parent(family), "/bookings", wanted(venue_says, family))
    booking = answer.json()["bookings"][0]["id"]
    front.later(hours=25)
    front.nexus.sweep_sessions()
    assert front.town.owner.execute(
        "SELECT action_type, cause FROM audit_logs WHERE entity_id = %s ORDER BY created_at", [booking]
    ).fetchall() == [("booking.made", "person"), ("booking.cancelled_by_venue", "platform")]
