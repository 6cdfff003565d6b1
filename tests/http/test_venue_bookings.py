"""A venue changes its sessions and answers bookings over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from nexus.domain.kernel.ids import VenueId
from tests.support.front import Front, assert_problem
from tests.support.town import NOON, Family


@pytest.fixture
def cautious(front: Front) -> None:
    """The venue confirms every booking itself."""
    front.town.owner.execute("UPDATE venues SET requires_confirmation = true")


def status(front: Front, family: Family, booking: str) -> str:
    found: str = front.get(front.parent(family), f"/bookings/{booking}").json()["status"]
    return found


@pytest.mark.usefixtures("cautious")
def test_a_venue_confirms_a_pending_booking(front: Front):
    session, family = front.town.session(), front.town.family()
    made = front.book(family, session).json()["bookings"][0]
    assert made["status"] == "pending"
    assert made["confirm_by"] is not None
    venue = front.venue()
    answer = front.post(venue, f"/venue/bookings/{made['id']}/confirm")
    assert (answer.status_code, answer.json()) == (200, {"booking_id": made["id"], "status": "confirmed"})
    assert status(front, family, made["id"]) == "confirmed"
    again = front.post(venue, f"/venue/bookings/{made['id']}/confirm")
    assert_problem(again, 409, "not-pending", booking=made["id"], booking_status="confirmed")
    again = front.post(venue, f"/venue/bookings/{made['id']}/reject", {})
    assert_problem(again, 409, "not-pending", booking_status="confirmed")


@pytest.mark.usefixtures("cautious")
def test_a_venue_turns_a_pending_booking_down_and_everything_comes_back(front: Front):
    session, family = front.town.session(), front.town.family()
    booking = front.booked(family, session)
    answer = front.post(front.venue(), f"/venue/bookings/{booking}/reject", {"notes": "Full already"})
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled_venue")
    assert front.credits(family) == 10


@pytest.mark.usefixtures("cautious")
def test_a_venue_that_answers_too_late_cannot_confirm(front: Front):
    session, family = front.town.session(), front.town.family()
    made = front.book(family, session).json()["bookings"][0]
    front.later(days=6, hours=23)
    answer = front.post(front.venue(), f"/venue/bookings/{made['id']}/confirm")
    assert_problem(answer, 409, "confirmation-lapsed", booking=made["id"], confirm_by=made["confirm_by"])


def test_a_venue_takes_a_place_away_and_everything_comes_back(front: Front):
    session, family = front.town.session(starts_at=NOON + timedelta(hours=1)), front.town.family()
    booking = front.booked(family, session)
    venue = front.venue()
    answer = front.post(venue, f"/venue/bookings/{booking}/cancel", {"reason": "weather", "notes": "Storm"})
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled_venue")
    assert front.credits(family) == 10
    again = front.post(venue, f"/venue/bookings/{booking}/cancel", {})
    assert_problem(again, 409, "booking-ended", booking=booking, booking_status="cancelled_venue")


def test_attendance_is_marked_from_the_start_until_a_day_after_the_end(front: Front):
    session, family = front.town.session(), front.town.family(children=2)
    came, stayed = (each["id"] for each in front.book(family, session).json()["bookings"])
    venue = front.venue()

    def mark(booking: str, present: Any) -> Any:
        return front.post(venue, f"/venue/bookings/{booking}/attendance", {"present": present})

    front.later(days=6, hours=23)
    assert_problem(
        mark(came, True),
        409,
        "outside-marking-period",
        opens_at="2026-03-09T12:00:00Z",
        closes_at="2026-03-10T13:00:00Z",
    )
    front.later(hours=1)
    assert mark(came, True).json()["status"] == "completed"
    assert mark(stayed, False).json()["status"] == "no_show"
    assert mark(stayed, False).json()["status"] == "no_show"
    assert_problem(mark(stayed, True), 409, "booking-ended", booking_status="no_show")
    assert_problem(mark(came, "yes"), 422, "invalid-body")
    assert front.credits(family) == 6
    lines = front.town.owner.execute("SELECT amount FROM credit_ledger WHERE transaction_type = 'forfeit'")
    assert lines.fetchall() == [(0,)]


@pytest.mark.usefixtures("cautious")
def test_a_place_that_was_never_confirmed_is_not_marked(front: Front):
    session, family = front.town.session(), front.town.family()
    booking = front.booked(family, session)
    front.later(days=7)
    answer = front.post(front.venue(), f"/venue/bookings/{booking}/attendance", {"present": True})
    assert_problem(answer, 409, "not-yet-confirmed", booking=booking)


# --- sessions


def test_a_moved_session_tells_families_and_lets_them_go(front: Front):
    session, family = front.town.session(price=3), front.town.family()
    booking = front.booked(family, session)
    answer = front.send(
        front.venue(),
        "PATCH",
        f"/venue/sessions/{session}",
        {"session_date": "2026-03-10", "start_time": "16:30", "end_time": "17:30", "location": "Room 2"},
        if_match='"1"',
    )
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert answer.json() == {
        "session_id": str(session),
        "version": 2,
        "families_told": 1,
        "credits_refunded": 0,
        "entries_closed": 0,
    }
    shown = front.get(front.parent(family), f"/bookings/{booking}").json()
    assert (shown["starts_at"], shown["location"]) == ("2026-03-10T21:30:00Z", "Room 2")
    assert (shown["refundable_until"], shown["version"]) == ("2026-03-10T21:30:00Z", 2)


def test_what_is_left_out_stays_and_a_shorter_session_gives_back(front: Front):
    session, family = front.town.session(price=4), front.town.family()
    front.booked(family, session)
    front.town.owner.execute(
        "UPDATE activity_sessions SET instructor_name = 'Ida', start_time = '06:00', end_time = '07:00'"
    )
    answer = front.send(front.venue(), "PATCH", f"/venue/sessions/{session}", {"end_time": "06:30"})
    assert (answer.status_code, answer.json()["credits_refunded"]) == (200, 2)
    assert front.town.one("SELECT instructor_name FROM activity_sessions") == "Ida"
    assert front.credits(family) == 8


def test_only_the_version_that_was_seen_is_changed(front: Front):
    session = front.town.session()
    answer = front.send(
        front.venue(), "PATCH", f"/venue/sessions/{session}", {"location": "Room 3"}, if_match='"4"'
    )
    assert_problem(answer, 412, "version-mismatch", expected=4, actual=1)
    assert front.town.one("SELECT location FROM activity_sessions") is None


@pytest.mark.parametrize(
    ("body", "status_code", "slug"),
    [
        ({"session_date": "2026-03-01"}, 409, "session-in-the-past"),
        ({"total_capacity": 1}, 409, "capacity-below-taken"),
        ({"platform_allocated_spots": 21}, 422, "allocation-above-capacity"),
        ({"location": None}, 422, "invalid-body"),
        ({"location": "x" * 256}, 422, "invalid-body"),
        ({"credits_required": 0}, 422, "invalid-body"),
        ({"total_capacity": 2**40}, 422, "invalid-body"),
        ({"start_time": "25:00"}, 422, "invalid-body"),
        ({"session_notes": "x" * 2001}, 422, "invalid-body"),
    ],
)
def test_a_change_that_cannot_be_is_refused(front: Front, body: Any, status_code: int, slug: str):
    session = front.town.session()
    front.booked(front.town.family(children=2), session)
    unchanged = front.town.one("SELECT version FROM activity_sessions WHERE id = %s", session)
    answer = front.send(front.venue(), "PATCH", f"/venue/sessions/{session}", body)
    assert_problem(answer, status_code, slug)
    assert front.town.one("SELECT version FROM activity_sessions WHERE id = %s", session) == unchanged


def test_a_time_that_the_clocks_skip_is_named_as_it_stands_on_the_clock(front: Front):
    session = front.town.session()
    body = {"session_date": "2026-03-08", "start_time": "02:30", "end_time": "04:00"}
    answer = front.send(front.venue(), "PATCH", f"/venue/sessions/{session}", body)
    assert_problem(
        answer, 422, "nonexistent-local-time", local="2026-03-08T02:30:00", time_zone="America/Chicago"
    )


@pytest.mark.parametrize("day", ["9999-12-31", "9999-12-30", "2101-01-01"])
def test_no_date_however_far_breaks_anything(front: Front, day: str):
    session = front.town.session()
    body = {"session_date": day, "start_time": "23:00", "end_time": "01:00"}
    answer = front.send(front.venue(), "PATCH", f"/venue/sessions/{session}", body)
    assert_problem(answer, 422, "session-too-far-ahead", session_date=day, latest="2028-03-03")


def test_a_change_is_made_once_under_a_key(front: Front):
    session = front.town.session()
    venue = front.venue()
    first, again = (
        front.send(venue, "PATCH", f"/venue/sessions/{session}", {"location": "Room 2"}, idempotency_key="p")
        for _ in range(2)
    )
    assert (again.status_code, again.content, again.headers["etag"]) == (200, first.content, '"2"')


def test_a_session_called_off_pays_back_and_closes_the_queue(front: Front):
    session = front.town.session(seats=2)
    family, waiting = front.town.family(children=2), front.town.family()
    front.booked(family, session)
    entry = front.waiting(waiting, session)
    venue = front.venue()
    answer = front.post(venue, f"/venue/sessions/{session}/cancel", {"reason": "The teacher is ill."})
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "session_id": str(session),
            "version": 2,
            "families_told": 1,
            "credits_refunded": 4,
            "entries_closed": 1,
        },
    )
    assert front.credits(family) == 10
    closed = front.get(front.parent(waiting), f"/waitlist/{entry}").json()
    assert (closed["status"], closed["closed_reason"]) == ("closed", "session_cancelled")
    assert_problem(
        front.post(venue, f"/venue/sessions/{session}/cancel", {"reason": "Still"}), 409, "session-cancelled"
    )
    assert_problem(
        front.send(venue, "PATCH", f"/venue/sessions/{session}", {"location": "X"}), 409, "session-cancelled"
    )


def test_a_session_that_has_started_is_neither_changed_nor_called_off(front: Front):
    session = front.town.session()
    front.later(days=7)
    venue = front.venue()
    for method, path, body in (("PATCH", "", {"location": "X"}), ("POST", "/cancel", {"reason": "Late"})):
        answer = front.send(venue, method, f"/venue/sessions/{session}{path}", body)
        assert_problem(answer, 409, "session-started", starts_at="2026-03-09T12:00:00Z")


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 2001}, {"reason": None}])
def test_calling_off_needs_a_reason(front: Front, body: Any):
    answer = front.post(front.venue(), f"/venue/sessions/{front.town.session()}/cancel", body)
    assert_problem(answer, 422, "invalid-body")


def test_a_roster_says_whom_to_expect_and_nothing_more(front: Front):
    session, family = front.town.session(), front.town.family()
    booking = front.booked(family, session)
    answer = front.get(front.venue(), f"/venue/sessions/{session}/roster")
    assert answer.status_code == 200
    [line] = answer.json()["items"]
    assert line.pop("confirmation_code")
    assert line == {
        "booking_id": booking,
        "status": "confirmed",
        "child_first_name": "Kim",
        "child_age": 7,
        "accessibility_needs": [],
        "medical_notes": None,
        "medical_notes_unreadable": False,
        "parent_name": "Pat Doe",
        "parent_email": f"{family.parent}@acme.example",
        "parent_phone": None,
        "confirm_by": None,
        "attendance_marked_at": None,
        "version": 1,
    }


def test_medical_notes_are_on_the_roster_only_with_consent_to_share_them(front: Front):
    session, family, venue = front.town.session(), front.town.family(), front.venue()
    parent = front.parent(family)
    profile = {"first_name": "Lou", "date_of_birth": "2019-01-01", "medical_notes": "Peanuts"}
    lou = front.post(parent, "/children", profile).json()["id"]

    def consent(**decisions: bool) -> None:
        body = {"decisions": decisions, "text_version": "2026-01"}
        assert front.post(parent, f"/children/{lou}/consents", body).status_code == 201

    def noted() -> tuple[str, str | None]:
        [line] = front.get(venue, f"/venue/sessions/{session}/roster").json()["items"]
        return line["child_first_name"], line["medical_notes"]

    consent(data_collection=True, activity_booking=True, medical_sharing=True)
    wish = {"session_id": str(session), "child_ids": [lou]}
    assert front.post(parent, "/bookings", wish).status_code == 201
    assert noted() == ("Lou", "Peanuts")
    consent(medical_sharing=False)
    assert noted() == ("Lou", None)


def test_a_broken_seal_is_said_in_its_place_and_hides_nobody(front: Front):
    session, venue = front.town.session(), front.venue()
    families = [front.town.family() for _ in range(3)]
    for family, name, notes in zip(families, ("Ada", "Ben", "Cem"), ("Asthma", "Peanuts", None), strict=True):
        parent = front.parent(family)
        profile = {"first_name": name, "date_of_birth": "2019-01-01", "medical_notes": notes}
        child = front.post(parent, "/children", profile).json()["id"]
        decisions = {"data_collection": True, "activity_booking": True, "medical_sharing": True}
        consent = {"decisions": decisions, "text_version": "2026-01"}
        assert front.post(parent, f"/children/{child}/consents", consent).status_code == 201
        wish = {"session_id": str(session), "child_ids": [child]}
        assert front.post(parent, "/bookings", wish).status_code == 201
    front.town.owner.execute(
        "UPDATE children SET medical_notes = set_byte(medical_notes, 20, get_byte(medical_notes, 20) # 1) "
        " WHERE first_name = 'Ben'"
    )
    lines = front.get(venue, f"/venue/sessions/{session}/roster").json()["items"]
    assert [(line["child_first_name"], line["medical_notes_unreadable"]) for line in lines] == [
        ("Ada", False),
        ("Ben", True),
        ("Cem", False),
    ]
    assert [line["medical_notes"] for line in lines] == [
        "Asthma",
        "Unreadable: there are medical notes, but they cannot be opened. Ask the family.",
        None,
    ]


def test_withdrawing_consent_gives_the_place_up_and_tells_why(front: Front):
    session, family = front.town.session(), front.town.family()
    parent = front.parent(family)
    booking = front.booked(family, session)
    body = {"decisions": {"activity_booking": False}, "text_version": "2026-01"}
    front.post(parent, f"/children/{family.children[0]}/consents", body)
    assert status(front, family, booking) == "cancelled_parent"
    front.handle_events()
    told = front.get(parent, "/notifications").json()["items"]
    assert any(
        "You withdrew the consent that booking needs. 2 credits came back" in one["body"] for one in told
    )


# --- whose they are

SESSION_ROUTES: list[tuple[str, str, Any]] = [
    ("PATCH", "/venue/sessions/{id}", {"location": "X"}),
    ("POST", "/venue/sessions/{id}/cancel", {"reason": "X"}),
    ("GET", "/venue/sessions/{id}/roster", None),
]
BOOKING_ROUTES: list[tuple[str, str, Any]] = [
    ("POST", "/venue/bookings/{id}/confirm", None),
    ("POST", "/venue/bookings/{id}/reject", {}),
    ("POST", "/venue/bookings/{id}/attendance", {"present": True}),
    ("POST", "/venue/bookings/{id}/cancel", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), SESSION_ROUTES)
def test_sessions_of_another_venue_do_not_exist(front: Front, method: str, path: str, body: Any):
    path = path.format(id=front.town.session())
    foreign = front.venue(VenueId(uuid4()))
    assert_problem(front.send(foreign, method, path, body), 404, "no-such-thing", kind="session")


@pytest.mark.parametrize(("method", "path", "body"), BOOKING_ROUTES)
def test_bookings_of_another_venue_do_not_exist(front: Front, method: str, path: str, body: Any):
    path = path.format(id=front.booked(front.town.family(), front.town.session()))
    foreign = front.venue(VenueId(uuid4()))
    assert_problem(front.send(foreign, method, path, body), 404, "no-such-thing", kind="booking")


@pytest.mark.parametrize(("method", "path", "body"), SESSION_ROUTES + BOOKING_ROUTES)
def test_who_runs_no_venue_gets_nothing(front: Front, method: str, path: str, body: Any):
    path = path.format(id=uuid4())
    assert_problem(front.send(None, method, path, body), 401, "sign-in-required")
    parent = front.parent(front.town.family())
    assert_problem(front.send(parent, method, path, body), 403, "not-for-this-role", role="parent")
