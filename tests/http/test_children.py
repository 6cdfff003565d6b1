"""A parent describes children and consents for them; nobody else reaches them."""

from uuid import UUID

import pytest

from nexus.domain.compliance.consent import Purpose
from nexus.entrypoints.http.controllers.consents import Decisions
from tests.support.front import assert_problem, seen_from
from tests.support.office import Office, child_body, consent_body
from tests.support.town import Town


@pytest.fixture
def ada(office: Office) -> str:
    return office.joins(office.company(), "ada@acme.example")


NOTES = "Allergic to peanuts.\nCarries a pen."


def test_a_child_is_registered_described_and_shown(office: Office, ada):
    body = child_body(
        energy_level="balanced",
        social_preference="small_group",
        interests=["Arts crafts", " music "],
        activities_to_avoid=["LOUD", "physical-contact", "loud"],
        accessibility_needs=["wheelchair"],
        medical_notes=NOTES,
    )
    answer = office.post(ada, "/children", body)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    made = answer.json()
    assert (
        made
        | {
            "first_name": "Mia",
            "date_of_birth": "2018-05-17",
            "energy_level": "balanced",
            "social_preference": "small_group",
            "interests": ["arts_crafts", "music"],
            "activities_to_avoid": ["loud", "physical_contact"],
            "accessibility_needs": ["wheelchair"],
            "has_medical_notes": True,
            "status": "draft",
            "consents": [],
            "created_at": "2026-03-02T12:00:00Z",
            "version": 1,
        }
        == made
    )
    shown = office.get(ada, f"/children/{made['id']}")
    assert (shown.status_code, shown.headers["etag"]) == (200, '"1"')
    assert shown.json() == made | {"medical_notes": NOTES, "medical_notes_unreadable": False}


def test_children_are_listed_the_first_registered_first(office: Office, ada):
    made = [office.made(ada, "/children", child_body(first_name=name)) for name in ("Mia", "Ben")]
    assert office.get(ada, "/children").json() == {"items": made, "next_cursor": None}


def test_a_change_says_only_what_is_different(office: Office, ada):
    made = office.made(ada, "/children", child_body(energy_level="balanced", medical_notes=NOTES))
    answer = office.send(
        ada, "PATCH", f"/children/{made['id']}", {"interests": ["stem"], "energy_level": None}
    )
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert answer.json() == made | {"interests": ["stem"], "energy_level": None, "version": 2}
    shown = office.get(ada, f"/children/{made['id']}").json()
    assert shown["medical_notes"] == NOTES
    emptied = office.send(ada, "PATCH", f"/children/{made['id']}", {"medical_notes": None}).json()
    assert emptied["has_medical_notes"] is False
    assert office.get(ada, f"/children/{made['id']}").json()["medical_notes"] is None


def test_nobody_overwrites_what_they_have_not_seen(office: Office, ada):
    path = f"/children/{office.made(ada, '/children', child_body())['id']}"
    assert office.send(ada, "PATCH", path, {"first_name": "Mila"}, if_match='"1"').status_code == 200
    late = office.send(ada, "PATCH", path, {"first_name": "Maja"}, if_match='"1"')
    assert_problem(late, 412, "version-mismatch", expected=1, actual=2)
    assert office.get(ada, path).json()["first_name"] == "Mila"
    assert office.send(ada, "PATCH", path, {"first_name": "Maja"}, if_match="*").status_code == 200


def test_consent_makes_a_draft_active_and_withdrawing_it_makes_a_draft(office: Office, ada):
    child = office.made(ada, "/children", child_body())["id"]
    answer = office.post(
        ada, f"/children/{child}/consents", consent_body(activity_booking=True, photo_sharing=False)
    )
    assert answer.status_code == 201
    given = answer.json()
    assert given["child_id"] == child
    assert given["standing"] == ["data_collection", "activity_booking"]
    assert {(entry["purpose"], entry["given"]) for entry in given["history"]} == {
        ("data_collection", True),
        ("activity_booking", True),
        ("photo_sharing", False),
    }
    assert {(entry["text_version"], entry["method"]) for entry in given["history"]} == {
        ("2026-01", "checkbox")
    }
    assert office.get(ada, f"/children/{child}/consents").json() == given
    shown = office.get(ada, f"/children/{child}").json()
    assert (shown["status"], shown["consents"]) == ("active", ["data_collection", "activity_booking"])
    taken = office.made(ada, f"/children/{child}/consents", consent_body(data_collection=False))
    assert taken["standing"] == []
    assert len(taken["history"]) == 4
    assert office.get(ada, f"/children/{child}").json()["status"] == "draft"


def test_the_evidence_of_a_consent_is_the_request_not_what_somebody_claims(office: Office, ada):
    path = f"/children/{office.made(ada, '/children', child_body())['id']}/consents"
    claimed = consent_body() | {"evidence": {"ip": "203.0.113.9"}}
    assert_problem(office.post(ada, path, claimed), 422, "invalid-body")
    with seen_from(office.client.app, "203.0.113.7"):
        spoofed = {"x_forwarded_for": "203.0.113.9", "forwarded": "for=203.0.113.9"}
        office.post(ada, path, consent_body(), user_agent="Browser/1.0 " + "x" * 1000, **spoofed)
    [evidence] = office.owner.execute("SELECT evidence FROM parental_consent_records").fetchone()
    assert evidence == {"ip": "203.0.113.7", "user_agent": ("Browser/1.0 " + "x" * 1000)[:500]}


def test_every_purpose_can_be_decided():
    given = Decisions(**{purpose.value: True for purpose in Purpose})
    assert given.by_purpose() == dict.fromkeys(Purpose, True)
    assert Decisions().by_purpose() == {}


def test_a_deactivated_child_stays_off_until_it_is_brought_back(office: Office, ada):
    path = f"/children/{office.child(ada)}"
    assert office.send(ada, "PATCH", path, {"status": "deactivated"}).json()["status"] == "deactivated"
    assert office.made(ada, f"{path}/consents", consent_body(photo_sharing=True))["standing"] == [
        "data_collection",
        "activity_booking",
        "photo_sharing",
    ]
    assert office.get(ada, path).json()["status"] == "deactivated"
    assert office.send(ada, "PATCH", path, {"status": "active"}).json()["status"] == "active"


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"first_name": ""}, "body.first_name"),
        ({"first_name": "x" * 101}, "body.first_name"),
        ({"date_of_birth": "2018-02-30"}, "body.date_of_birth"),
        ({"last_name": "Lind"}, "body.last_name"),
        ({"energy_level": "wild"}, "body.energy_level"),
        ({"interests": ["x"] * 31}, "body.interests"),
        ({"interests": ["a", 5]}, "body.interests[1]"),
        ({"medical_notes": "x" * 4001}, "body.medical_notes"),
        ({"medical_notes": "nul \x00"}, "body.medical_notes"),
    ],
)
def test_a_description_that_is_none_is_refused_with_the_place_of_the_fault(office: Office, ada, more, path):
    answer = office.post(ada, "/children", child_body(**more))
    assert_problem(answer, 422, "invalid-body")
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]


@pytest.mark.parametrize(
    ("more", "slug", "figures"),
    [
        ({"date_of_birth": "2026-03-03"}, "not-a-child", {"date_of_birth": "2026-03-03"}),
        ({"date_of_birth": "2007-03-02"}, "not-a-child", {"date_of_birth": "2007-03-02"}),
        ({"date_of_birth": "0001-01-01"}, "not-a-child", {"date_of_birth": "0001-01-01"}),
        ({"first_name": "   "}, "invalid-value", {"field": "first_name"}),
        ({"interests": ["x" * 61]}, "invalid-value", {"field": "interests"}),
        ({"interests": ["music", "painting"]}, "invalid-value", {"field": "interests"}),
        ({"activities_to_avoid": ["noise"]}, "invalid-value", {"field": "activities_to_avoid"}),
        ({"medical_notes": "bell \x07"}, "invalid-value", {"field": "medical_notes"}),
    ],
)
def test_what_no_child_is_like_is_refused_with_its_figures(office: Office, ada, more, slug, figures):
    assert_problem(office.post(ada, "/children", child_body(**more)), 422, slug, **figures)
    path = f"/children/{office.made(ada, '/children', child_body())['id']}"
    assert_problem(office.send(ada, "PATCH", path, more), 422, slug, **figures)


def test_a_child_of_today_and_one_of_eighteen_are_children(office: Office, ada):
    for born in ("2026-03-02", "2007-03-03"):
        assert office.post(ada, "/children", child_body(date_of_birth=born)).status_code == 201


@pytest.mark.parametrize("body", [{"decisions": {}}, {"text_version": " "}])
def test_consent_names_a_purpose_and_a_text(office: Office, ada, body):
    path = f"/children/{office.made(ada, '/children', child_body())['id']}/consents"
    [field] = body
    assert_problem(office.post(ada, path, consent_body() | body), 422, "invalid-value", field=field)


def test_nobody_else_reaches_a_child_neither_other_parents_nor_hr(office: Office, ada):
    child = office.made(ada, "/children", child_body(medical_notes=NOTES))["id"]
    company = office.get(ada, "/me").json()["company_id"]
    others = [
        office.joins(company, "hr@acme.example", role="hr_admin"),
        office.joins(office.company("Other"), "eve@other.example"),
    ]
    for other in others:
        for method, path, body in (
            ("GET", f"/children/{child}", None),
            ("PATCH", f"/children/{child}", {"status": "deactivated"}),
            ("GET", f"/children/{child}/consents", None),
            ("POST", f"/children/{child}/consents", consent_body(data_collection=False)),
        ):
            assert_problem(office.send(other, method, path, body), 404, "no-such-thing", kind="child")
        assert office.get(other, "/children").json()["items"] == []
    shown = office.get(ada, f"/children/{child}").json()
    assert (shown["status"], shown["version"]) == ("draft", 1)


def test_an_hr_person_has_children_of_their_own(office: Office):
    hal = office.joins(office.company(), "hr@acme.example", role="hr_admin")
    child = office.child(hal)
    assert office.get(hal, f"/children/{child}").json()["status"] == "active"


def test_a_command_sent_again_is_answered_again_and_done_once(office: Office, ada):
    key = {"idempotency_key": "add-mia"}
    first = office.post(ada, "/children", child_body(medical_notes=NOTES), **key)
    again = office.post(ada, "/children", child_body(medical_notes=NOTES), **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["etag"] == '"1"'
    assert len(office.get(ada, "/children").json()["items"]) == 1
    other = office.post(ada, "/children", child_body(first_name="Ben"), **key)
    assert_problem(other, 422, "idempotency-key-reused")
    path = f"/children/{first.json()['id']}"
    for _ in range(2):
        change = office.send(
            ada, "PATCH", path, {"first_name": "Mila"}, if_match='"1"', idempotency_key="rename"
        )
        assert (change.status_code, change.json()["version"]) == (200, 2)
    for _ in range(2):
        office.post(ada, f"{path}/consents", consent_body(), idempotency_key="consent")
    assert len(office.get(ada, f"{path}/consents").json()["history"]) == 1


def test_medical_notes_are_nowhere_stored_in_clear(office: Office, ada):
    secret = "Zebrafishallergy"
    child = office.post(ada, "/children", child_body(medical_notes=secret), idempotency_key="a").json()["id"]
    office.send(ada, "PATCH", f"/children/{child}", {"medical_notes": secret * 2}, idempotency_key="b")
    tables = office.owner.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    ).fetchall()
    for (table,) in tables:
        for (row,) in office.owner.execute(f"SELECT t::text FROM {table} t").fetchall():
            assert secret not in row
            assert secret.encode().hex() not in row
    assert office.get(ada, f"/children/{child}").json()["medical_notes"] == secret * 2


def test_taking_a_child_off_gives_up_its_booking(office: Office, ada):
    town = Town(office.owner)
    session = town.session(price=3)
    child = office.child(ada)
    office.made(ada, "/bookings", {"session_id": str(session), "child_ids": [child]})
    assert office.get(ada, "/me/credits").json()["available"] == 5
    office.send(ada, "PATCH", f"/children/{child}", {"status": "deactivated"})
    assert office.get(ada, "/me/credits").json()["available"] == 8
    [booking] = office.get(ada, "/bookings").json()["items"]
    assert booking["status"] == "cancelled_parent"


def test_ids_that_are_none_are_no_page(office: Office, ada):
    assert office.get(ada, "/children/5").status_code == 404
    assert_problem(office.get(ada, f"/children/{UUID(int=1)}"), 404, "no-such-thing", kind="child")
