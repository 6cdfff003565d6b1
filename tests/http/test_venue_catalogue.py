"""Venues describe activities, plan sessions and repeat them, over HTTP."""

from uuid import uuid4

import pytest

from tests.support.front import V1, assert_problem
from tests.support.market import Stall, activity_body, schedule_body, session_body, stall
from tests.support.office import Office


@pytest.fixture
def barn(office: Office) -> Stall:
    return stall(office)


def test_a_venue_publishes_and_repeats_and_a_family_finds_it(office: Office, barn: Stall):
    made = office.post(barn.token, "/venue/activities", activity_body(is_published=False))
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    clay = made.json()["id"]
    ada = office.joins(office.company(), "ada@acme.example")
    repeated = office.made(
        barn.token, "/venue/schedules", schedule_body(clay, days_of_week=[4, 2], skipped_dates=["2026-03-05"])
    )
    assert repeated["schedule"]["days_of_week"] == [2, 4]
    assert repeated["skipped"] == [{"day": "2026-03-05", "reason": "exception"}]
    assert office.get(ada, "/activities").json()["items"] == []
    published = office.send(
        barn.token, "PATCH", f"/venue/activities/{clay}", {"is_published": True}, if_match='"1"'
    )
    assert (published.status_code, published.headers["etag"]) == (200, '"2"')
    (card,) = office.get(ada, "/activities").json()["items"]
    assert card["next_session"]["session_date"] == "2026-03-03"
    sessions = office.pages(ada, f"/activities/{clay}/sessions")
    assert len(sessions) == repeated["created"]
    assert [row["id"] for row in sessions] == [
        row["id"] for row in office.pages(barn.token, "/venue/sessions")
    ]


def test_a_change_touches_only_what_was_said(office: Office, barn: Stall):
    before = office.made(
        barn.token,
        "/venue/activities",
        activity_body(short_description="Pots.", tags=["messy", "indoor"], what_to_bring=["apron"]),
    )
    path = f"/venue/activities/{before['id']}"
    after = office.send(
        barn.token, "PATCH", path, {"short_description": None, "what_to_bring": ["towel", "apron"]}
    ).json()
    assert after == before | {
        "short_description": None,
        "what_to_bring": ["towel", "apron"],
        "version": 2,
    }
    same = office.send(barn.token, "PATCH", path, {}, if_match='"2"')
    assert (same.status_code, same.json(), same.headers["etag"]) == (200, after, '"2"')


def test_nobody_overwrites_what_they_have_not_seen(office: Office, barn: Stall):
    clay = barn.offers()
    schedule = office.made(barn.token, "/venue/schedules", schedule_body(clay))["schedule"]
    for path, change in (
        (f"/venue/activities/{clay}", {"name": "Clay II"}),
        (f"/venue/schedules/{schedule['id']}", {"schedule_name": "Spring"}),
    ):
        assert office.send(barn.token, "PATCH", path, change, if_match='"1"').status_code == 200
        late = office.send(barn.token, "PATCH", path, change, if_match='"1"')
        assert_problem(late, 412, "version-mismatch", expected=1, actual=2)
        assert_problem(
            office.send(barn.token, "PATCH", path, change, if_match="1"), 400, "invalid-parameters"
        )


def test_the_same_key_does_it_once(office: Office, barn: Stall):
    clay = barn.offers()
    for path, body in (
        ("/venue/activities", activity_body("Second")),
        ("/venue/sessions", session_body(clay)),
        ("/venue/schedules", schedule_body(clay)),
    ):
        first = office.post(barn.token, path, body, idempotency_key=path)
        again = office.post(barn.token, path, body, idempotency_key=path)
        assert (first.status_code, again.status_code) == (201, 201)
        assert (again.json(), again.headers["etag"]) == (first.json(), '"1"')
        assert again.headers["idempotency-replayed"] == "true"
        other = office.post(barn.token, path, body | {"is_active": True}, idempotency_key=path)
        assert other.status_code == 422
    assert len(office.get(barn.token, "/venue/activities").json()["items"]) == 2
    assert len(office.get(barn.token, "/venue/schedules").json()["items"]) == 1


def test_another_venues_things_do_not_exist(office: Office, barn: Stall):
    clay = barn.offers()
    schedule = office.made(barn.token, "/venue/schedules", schedule_body(clay))["schedule"]["id"]
    other = stall(office, "Other").token
    for method, path, body in (
        ("PATCH", f"/venue/activities/{clay}", {"name": "Mine"}),
        ("POST", "/venue/sessions", session_body(clay)),
        ("POST", "/venue/schedules", schedule_body(clay)),
        ("PATCH", f"/venue/schedules/{schedule}", {"is_active": False}),
        ("PATCH", f"/venue/activities/{uuid4()}", {"name": "Mine"}),
    ):
        assert_problem(office.send(other, method, path, body), 404, "no-such-thing")
    for path in ("/venue/activities", "/venue/sessions", "/venue/schedules"):
        assert office.get(other, path).json()["items"] == []
    for path in ("/venue/sessions", "/venue/schedules"):
        assert office.get(other, f"{path}?activity_id={clay}").json()["items"] == []


@pytest.mark.parametrize("path", ["/venue/activities", "/venue/sessions", "/venue/schedules"])
def test_options_names_every_method(office: Office, path):
    assert office.client.options(V1 + path).headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("path", ["/venue/activities", "/venue/sessions", "/venue/schedules"])
def test_only_venues_plan(office: Office, path):
    ada = office.joins(office.company(), "ada@acme.example")
    for who, status in ((ada, 403), (office.admin, 403), (None, 401)):
        assert office.get(who, path).status_code == status
        assert office.post(who, path, {}).status_code == status


@pytest.mark.parametrize(
    ("more", "slug", "figures"),
    [
        ({"min_age": 9, "max_age": 5}, "ages-reversed", {"min_age": 9, "max_age": 5}),
        ({"name": "  "}, "invalid-value", {"field": "name"}),
        ({"max_age": 19}, "invalid-body", {}),
        ({"credits_required": 0}, "invalid-body", {}),
        ({"tags": ["indoor", "indoor"]}, "invalid-body", {}),
        ({"tags": ["blue"]}, "invalid-body", {}),
        ({"what_to_bring": [""]}, "invalid-body", {}),
        ({"what_to_bring": ["a\x00b"]}, "invalid-body", {}),
        ({"external_ref": "x"}, "invalid-body", {}),
    ],
)
def test_an_activity_that_cannot_be_is_refused(office: Office, barn: Stall, more, slug, figures):
    answer = office.post(barn.token, "/venue/activities", activity_body(**more))
    assert_problem(answer, 422, slug, **figures)
    assert office.get(barn.token, "/venue/activities").json()["items"] == []


@pytest.mark.parametrize(
    ("more", "status", "slug"),
    [
        ({"session_date": "2026-03-01"}, 409, "session-in-the-past"),
        ({"session_date": "2029-03-01"}, 422, "session-too-far-ahead"),
        ({"session_date": "9999-12-31"}, 422, "session-too-far-ahead"),
        ({"session_date": "0001-01-01"}, 409, "session-in-the-past"),
        ({"session_date": "2026-03-08", "start_time": "02:30"}, 422, "nonexistent-local-time"),
        ({"platform_allocated_spots": 11}, 422, "allocation-above-capacity"),
        ({"total_capacity": 0}, 422, "invalid-body"),
        ({"start_time": "25:00"}, 422, "invalid-body"),
    ],
)
def test_a_session_that_cannot_be_is_refused(office: Office, barn: Stall, more, status, slug):
    answer = office.post(barn.token, "/venue/sessions", session_body(barn.offers(), **more))
    assert_problem(answer, status, slug)


def test_a_session_is_as_the_activity_says_where_nothing_else_is_said(office: Office, barn: Stall):
    clay = barn.offers()
    answer = office.post(barn.token, "/venue/sessions", session_body(clay, start_time="23:30"))
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    said = {
        "credits_required": 4,
        "total_capacity": 10,
        "platform_allocated_spots": None,
        "sellable": 10,
        "starts_at": "2026-03-11T04:30:00Z",
        "ends_at": "2026-03-11T16:00:00Z",
    }
    assert answer.json() | said == answer.json()
    own = {"credits_required": 1, "total_capacity": 5, "platform_allocated_spots": 0, "location": "Room 2"}
    other = office.made(barn.token, "/venue/sessions", session_body(clay, **own))
    assert other | own | {"sellable": 0} == other
    office.send(barn.token, "PATCH", f"/venue/activities/{clay}", {"is_active": False})
    assert_problem(office.post(barn.token, "/venue/sessions", session_body(clay)), 409, "activity-inactive")


def test_a_venues_sessions_are_listed_within_bounds(office: Office, barn: Stall):
    clay, other = barn.offers("Clay"), barn.offers("Other")
    # 21:00 in Chicago is already the next day in UTC.
    late = barn.plans(clay, start_time="21:00", end_time="22:00")
    made = [late, *(barn.plans(other, session_date=f"2026-03-{11 + n}") for n in range(4))]

    def listed(query: str) -> list[str]:
        return [row["id"] for row in office.pages(barn.token, f"/venue/sessions?{query}")]

    assert listed("") == made
    assert listed("from=2026-03-10&to=2026-03-10") == [late]
    assert listed("from=2026-03-12") == made[2:]
    assert listed("to=2026-03-11T02:00:01Z") == [late]
    assert listed("to=2026-03-11T02:00:00Z") == []
    assert listed(f"activity_id={other}&to=2026-03-12") == made[1:3]
    assert listed("from=0001-01-01&to=9999-12-31") == made
    answer = office.get(barn.token, "/venue/sessions?from=x&to=2026-13-01")
    assert_problem(answer, 400, "invalid-parameters")
    assert [fault["path"] for fault in answer.json()["errors"]] == ["query.from", "query.to"]


def test_lists_of_ones_own_are_complete_the_newest_first(office: Office, barn: Stall):
    clays = [barn.offers(f"Clay {n}") for n in range(5)]
    schedules = [
        office.made(barn.token, "/venue/schedules", schedule_body(clay))["schedule"]["id"] for clay in clays
    ]
    rows = office.pages(barn.token, "/venue/activities")
    assert sorted(row["id"] for row in rows) == sorted(clays)
    rows = office.pages(barn.token, "/venue/schedules")
    assert sorted(row["id"] for row in rows) == sorted(schedules)
    (only,) = office.get(barn.token, f"/venue/schedules?activity_id={clays[2]}").json()["items"]
    assert only["id"] == schedules[2]


def test_a_changed_schedule_says_what_became_of_its_sessions(office: Office, barn: Stall):
    clay = barn.offers()
    before = office.made(barn.token, "/venue/schedules", schedule_body(clay, days_of_week=[2]))
    path = f"/venue/schedules/{before['schedule']['id']}"
    ada = office.joins(office.company(), "ada@acme.example")
    first = office.get(ada, f"/activities/{clay}/sessions").json()["items"][0]["id"]
    office.made(ada, "/bookings", {"session_id": first, "child_ids": [office.child(ada)]})
    after = office.send(
        barn.token, "PATCH", path, {"start_time": "15:00", "effective_until": "2026-03-17"}, if_match='"1"'
    )
    assert (after.status_code, after.headers["etag"]) == (200, '"2"')
    said = after.json()
    assert said["schedule"] == before["schedule"] | {
        "start_time": "15:00",
        "effective_until": "2026-03-17",
        "version": 2,
    }
    assert (said["created"], said["removed"]) == (2, before["created"] - 1)
    assert [(row["id"], row["booked_count"]) for row in said["kept"]] == [(first, 1)]
    ended = office.send(barn.token, "PATCH", path, {"is_active": False, "effective_until": None}).json()
    assert (ended["created"], ended["removed"], len(ended["kept"])) == (0, 2, 1)
    assert ended["schedule"]["effective_until"] is None


@pytest.mark.parametrize(
    ("more", "slug", "figures"),
    [
        ({"days_of_week": []}, "invalid-body", {}),
        ({"days_of_week": [8]}, "invalid-body", {}),
        ({"days_of_week": [1, 1]}, "invalid-body", {}),
        ({"effective_until": "2026-02-28"}, "invalid-value", {"field": "effective_until"}),
        ({"platform_allocated_spots": 11}, "allocation-above-capacity", {"allocated": 11, "capacity": 10}),
        ({"duration_minutes": 1441}, "invalid-body", {}),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(office: Office, barn: Stall, more, slug, figures):
    clay = barn.offers()
    assert_problem(
        office.post(barn.token, "/venue/schedules", schedule_body(clay, **more)), 422, slug, **figures
    )
    made = office.made(barn.token, "/venue/schedules", schedule_body(clay))["schedule"]["id"]
    answer = office.send(barn.token, "PATCH", f"/venue/schedules/{made}", more)
    assert_problem(answer, 422, slug, **figures)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_no_date_however_far_breaks_a_schedule(office: Office, barn: Stall, day):
    clay = barn.offers()
    body = schedule_body(clay, effective_from=day, effective_until="9999-12-31", skipped_dates=[day])
    assert office.post(barn.token, "/venue/schedules", body).status_code == 201
