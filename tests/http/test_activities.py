"""Families find activities over HTTP: every filter, every order, and what is said about bad ones."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.front import assert_problem
from tests.support.market import Stall, session_body, stall
from tests.support.office import Office, child_body, consent_body

HERE = "41.88,-87.63"
INSTANT = "2026-03-31T16:30:00Z"


@pytest.fixture
def barn(office: Office) -> Stall:
    return stall(office)


@pytest.fixture
def ada(office: Office) -> str:
    return office.joins(office.company(), "ada@acme.example")


def names(office: Office, who: str, query: str) -> list[str]:
    answer = office.get(who, f"/activities?{query}")
    assert answer.status_code == 200, answer.text
    return [card["name"] for card in answer.json()["items"]]


def faults(answer: Any) -> list[str]:
    assert_problem(answer, 400, "invalid-parameters")
    return [fault["path"] for fault in answer.json()["errors"]]


def test_without_a_place_to_start_from_there_is_no_distance(office: Office, barn: Stall, ada: str):
    barn.has("Clay")
    (card,) = office.get(ada, "/activities").json()["items"]
    assert (card["distance_km"], card["drive_minutes"]) == (None, None)


def test_a_card_says_what_a_family_needs(office: Office, barn: Stall, ada: str):
    clay = barn.has("Clay", tags=["messy", "indoor"], short_description="Pots.")
    answer = office.get(ada, "/activities?near=41.97,-87.63")
    assert answer.status_code == 200
    (card,) = answer.json()["items"]
    assert answer.json()["next_cursor"] is None
    session = card.pop("next_session")
    venue = card.pop("venue")
    assert card == {
        "id": clay,
        "name": "Clay",
        "category": "arts_crafts",
        "short_description": "Pots.",
        "min_age": 5,
        "max_age": 9,
        "duration_minutes": 60,
        "tags": ["indoor", "messy"],
        "average_rating": 0.0,
        "total_reviews": 0,
        "distance_km": 10.008,
        "drive_minutes": 27,
    }
    assert (venue["id"], venue["name"], venue["place"]["city"]) == (barn.id, "The Barn", "Chicago")
    assert session == {
        "id": session["id"],
        "session_date": "2026-03-10",
        "start_time": "10:00",
        "end_time": "11:00",
        "time_zone": "America/Chicago",
        "starts_at": "2026-03-10T15:00:00Z",
        "ends_at": "2026-03-10T16:00:00Z",
        "credits_required": 4,
        "free_seats": 10,
    }


def test_each_filter_leaves_what_meets_it(office: Office, barn: Stall, ada: str):
    barn.has("Mud", tags=["outdoor", "messy", "loud"], min_age=3, max_age=4, full_description="Puddles.")
    barn.has("Garden", tags=["outdoor"], category="nature", credits_required=9)
    barn.has("Late Chess", category="stem", session={"session_date": "2026-03-12", "start_time": "21:00"})
    far = stall(office, "Far", latitude=42.5)
    far.has("Tennis", category="sports", tags=["wheelchair"], session={"start_time": "12:00"})

    def found(query: str) -> list[str]:
        return sorted(names(office, ada, query))

    everything = ["Garden", "Late Chess", "Mud", "Tennis"]
    assert found("") == found("q=") == found("q=%20") == everything
    assert found("q=puddles") == ["Mud"]
    assert found("q=arde") == ["Garden"]
    assert found("q=zebra") == found("q=null") == []
    assert found("category=nature") == ["Garden"]
    assert found("category=nature&category=sports") == ["Garden", "Tennis"]
    assert found("age=4") == ["Mud"]
    assert found("age=10") == []
    assert found("from=2026-03-12") == ["Late Chess"]
    assert found("to=2026-03-11") == ["Garden", "Mud", "Tennis"]
    assert found("from=2026-03-12&to=2026-03-12") == ["Late Chess"]
    assert found("from=2026-03-10T17:00:00Z&to=2026-03-10T17:00:01Z") == ["Tennis"]
    assert found("to=2026-03-10T12:00:00-05:00") == ["Garden", "Mud"]
    assert found("time_of_day=evening") == ["Late Chess"]
    assert found("time_of_day=afternoon") == ["Tennis"]
    assert found(f"near={HERE}") == everything
    assert found(f"near={HERE}&within_minutes=1") == ["Garden", "Late Chess", "Mud"]
    assert found("max_credits=4") == ["Late Chess", "Mud", "Tennis"]
    assert found("tags=outdoor") == ["Garden", "Mud"]
    assert found("tags=outdoor,-loud") == found("tags=outdoor&tags=-loud") == ["Garden"]
    assert found("tags=-outdoor") == ["Late Chess", "Tennis"]
    assert found("category=nature&max_credits=4") == []


def test_available_means_a_seat_now(office: Office, barn: Stall, ada: str):
    clay = barn.offers("Clay", capacity_per_session=1)
    barn.has("Other")
    body = {"session_id": barn.plans(clay), "child_ids": [office.child(ada)]}
    assert sorted(names(office, ada, "available=true")) == ["Clay", "Other"]
    office.made(ada, "/bookings", body)
    assert names(office, ada, "available=true") == ["Other"]
    assert sorted(names(office, ada, "available=false")) == ["Clay", "Other"]


def test_a_parent_searches_for_an_own_child(office: Office, barn: Stall, ada: str):
    barn.has("On the birthday", min_age=8, max_age=8)
    barn.has("The day before", min_age=8, max_age=8, session={"session_date": "2026-03-09"})
    barn.has("Loud", min_age=8, max_age=8, tags=["loud"])
    mia = office.child(ada, date_of_birth="2018-03-10", activities_to_avoid=["loud"])
    assert names(office, ada, f"child_id={mia}") == ["On the birthday"]
    bob = office.joins(office.company("Other"), "bob@other.example")
    for who, child in ((bob, mia), (barn.token, mia), (ada, uuid4())):
        assert_problem(office.get(who, f"/activities?child_id={child}"), 404, "no-such-thing", kind="child")


def test_nobody_searches_for_a_draft_or_a_deactivated_child(office: Office, barn: Stall, ada: str):
    barn.has("Clay")
    draft = office.made(ada, "/children", child_body())["id"]
    answer = office.get(ada, f"/activities?child_id={draft}")
    assert_problem(answer, 409, "child-not-active", child=draft)
    office.made(ada, f"/children/{draft}/consents", consent_body())
    assert names(office, ada, f"child_id={draft}") == ["Clay"]
    office.made(ada, f"/children/{draft}/consents", consent_body(data_collection=False))
    answer = office.get(ada, f"/activities?child_id={draft}")
    assert_problem(answer, 409, "child-not-active", child=draft)


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("soonest", ["A7", "A6", "A5"]),
        ("nearest", ["A0", "A1", "A2"]),
        ("cheapest", ["A3", "A7", "A2"]),
        ("rating", ["A1"]),
        ("name", ["A0", "A1", "A2", "A3", "A4", "A5", "A6", "A7"]),
    ],
)
def test_every_order_has_complete_pages_without_duplicates(office: Office, ada: str, sort, first):
    near, far = stall(office, "Near"), stall(office, "Far", latitude=41.9)
    for n in range(8):
        (near if n < 4 else far).has(
            f"A{n}", credits_required=4 - n % 4, session={"session_date": f"2026-03-{19 - n}"}
        )
    office.owner.execute("UPDATE activities SET average_rating = 4.5, total_reviews = 2 WHERE name = 'A1'")
    office.owner.execute("UPDATE venues SET latitude = latitude + 0.001 WHERE name = 'Far'")
    found = [card["name"] for card in office.pages(ada, f"/activities?near={HERE}&sort={sort}")]
    assert sorted(found) == [f"A{n}" for n in range(8)]
    if sort in ("nearest", "cheapest"):
        # Ties are told apart by id, which no test knows beforehand.
        expected = {"nearest": {"A0", "A1", "A2", "A3"}, "cheapest": {"A3", "A7"}}[sort]
        assert set(found[: len(expected)]) == expected
    else:
        assert found[: len(first)] == first


def test_a_cursor_belongs_to_its_filters_and_its_order(office: Office, barn: Stall, ada: str):
    for name in ("A", "B", "C"):
        barn.has(name)
    cursor = office.get(ada, "/activities?limit=1&max_credits=5").json()["next_cursor"]
    assert len(names(office, ada, f"limit=2&max_credits=5&sort=soonest&cursor={cursor}")) == 2
    for other in ("", "max_credits=6", "max_credits=5&sort=name", "max_credits=5&category=stem"):
        assert faults(office.get(ada, f"/activities?{other}&cursor={cursor}")) == ["query.cursor"]
    for nonsense in ("x", "e30", "%C3%A4", "W10"):
        assert faults(office.get(ada, f"/activities?cursor={nonsense}")) == ["query.cursor"]


@pytest.mark.parametrize(
    ("query", "path", "says"),
    [
        ("category=chess", "category", "must be one of stem, arts_crafts"),
        ("age=-1", "age", ">= 0"),
        ("age=151", "age", "<= 150"),
        ("age=six", "age", "int"),
        ("child_id=7", "child_id", "UUID"),
        ("from=tomorrow", "from", "a date such as 2026-03-31, or an instant"),
        ("to=2026-02-30", "to", "a date such as 2026-03-31, or an instant"),
        ("from=2026-03-31T16:30:00", "from", "an instant with its offset"),
        ("to=2026-02-30T16:30:00Z", "to", "is not an instant that exists"),
        ("time_of_day=night", "time_of_day", "must be one of morning, afternoon, evening"),
        ("near=here", "near", "a latitude and a longitude in degrees, such as 41.88,-87.63"),
        ("near=91,0", "near", "latitude that must be between -90 and 90"),
        ("near=0,180.5", "near", "longitude that must be between -180 and 180"),
        ("near=nan,0", "near", "a latitude and a longitude"),
        ("within_minutes=10", "within_minutes", "needs a place to start from: near"),
        (f"near={HERE}&within_minutes=0", "within_minutes", ">= 1"),
        ("sort=nearest", "sort", "nearest needs a place to start from: near"),
        ("sort=random", "sort", "must be one of soonest, nearest, cheapest, rating, name"),
        ("max_credits=-1", "max_credits", ">= 0"),
        ("max_credits=99999999999999999999", "max_credits", "must be between"),
        ("available=maybe", "available", "bool"),
        ("tags=indoor,blue", "tags", "must be among indoor, outdoor"),
        ("tags=--loud", "tags", "a minus before what is unwanted"),
        ("limit=0", "limit", ">= 1"),
        ("age=null", "age", "must have a value, or be left out"),
        ("child_id=null", "child_id", "UUID"),
        ("category=null", "category", "must be one of"),
        ("near=null", "near", "a latitude and a longitude"),
    ],
)
def test_a_bad_filter_is_named_with_what_would_do(office: Office, ada: str, query, path, says):
    answer = office.get(ada, f"/activities?{query}")
    assert faults(answer) == [f"query.{path}"]
    assert says in answer.json()["errors"][0]["message"], answer.text


def test_all_bad_filters_are_named_at_once(office: Office, ada: str):
    answer = office.get(ada, "/activities?from=x&to=y&near=z&tags=blue&sort=nearest")
    assert sorted(faults(answer)) == ["query.from", "query.near", "query.tags", "query.to"]


def test_an_activity_and_its_sessions_are_shown(office: Office, barn: Stall, ada: str):
    clay = barn.offers("Clay", tags=["parent_required"], what_to_bring=["apron", "towel"])
    made = [barn.plans(clay, session_date=f"2026-03-{10 + n}", location="Room 2") for n in range(5)]
    shown = office.get(ada, f"/activities/{clay}").json()
    assert (
        shown
        | {
            "name": "Clay",
            "what_to_bring": ["apron", "towel"],
            "parent_attendance_required": True,
            "skill_level": "beginner",
        }
        == shown
    )
    assert shown["venue"]["id"] == barn.id
    rows = office.pages(ada, f"/activities/{clay}/sessions")
    assert [row["id"] for row in rows] == made
    assert office.get(ada, f"/sessions/{made[0]}").json() == rows[0]
    assert (
        rows[0] | {"free_seats": 10, "waiting_count": 0, "status": "scheduled", "time_of_day": "morning"}
        == rows[0]
    )


def test_what_families_may_not_see_does_not_exist(office: Office, barn: Stall, ada: str):
    hidden = barn.offers("Hidden", is_published=False)
    session = barn.plans(hidden)
    for path in (
        f"/activities/{hidden}",
        f"/activities/{hidden}/sessions",
        f"/activities/{uuid4()}",
        f"/sessions/{session}",
        f"/sessions/{uuid4()}",
    ):
        assert_problem(office.get(ada, path), 404, "no-such-thing")
    assert names(office, ada, "") == []
    assert_problem(office.get(None, "/activities"), 401, "sign-in-required")


def test_every_role_may_look(office: Office, barn: Stall):
    clay = barn.has("Clay")
    hr = office.joins(office.company(), "hr@acme.example", role="hr_admin")
    for who in (barn.token, hr, office.admin):
        assert names(office, who, "") == ["Clay"]
        assert office.get(who, f"/activities/{clay}").status_code == 200


def test_a_session_stays_visible_after_it_was_called_off(office: Office, barn: Stall, ada: str):
    clay = barn.offers("Clay")
    session = office.made(barn.token, "/venue/sessions", session_body(clay))["id"]
    office.made(barn.token, f"/venue/sessions/{session}/cancel", {"reason": "Flood."})
    shown = office.get(ada, f"/sessions/{session}").json()
    assert (shown["status"], shown["status_reason"], shown["free_seats"]) == ("cancelled", "Flood.", 0)
    assert names(office, ada, "") == []
