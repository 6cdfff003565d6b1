"""A family waits for places over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from nexus.domain.kernel.ids import SessionId
from tests.support.front import Front, assert_problem
from tests.support.town import NOON, Family


@pytest.fixture
def full(front: Front) -> tuple[SessionId, Family, str]:
    """A session of one seat, the family that has it, and its booking."""
    session, family = front.town.session(seats=1), front.town.family()
    return session, family, front.booked(family, session)


Full = tuple[SessionId, Family, str]


def free(front: Front, full: Full) -> None:
    """The family that has the seat gives it up."""
    _, family, booking = full
    assert front.post(front.parent(family), f"/bookings/{booking}/cancel", {}).status_code == 200


def kids(family: Family) -> dict[str, list[str]]:
    return {"child_ids": [str(child) for child in family.children]}


def test_families_wait_in_the_order_in_which_they_came(front: Front, full: Full):
    session = full[0]
    first, second = front.town.family(), front.town.family(children=1)
    answer = front.post(front.parent(first), f"/sessions/{session}/waitlist", kids(first))
    assert answer.status_code == 201
    assert (
        answer.json()
        | {
            "session_id": str(session),
            "child_ids": kids(first)["child_ids"],
            "seats": 1,
            "status": "waiting",
            "position": 1,
            "joined_at": "2026-03-02T12:00:00Z",
            "offer_expires_at": None,
        }
        == answer.json()
    )
    entry = front.waiting(second, session)
    shown = front.get(front.parent(second), f"/waitlist/{entry}").json()
    assert (shown["status"], shown["position"]) == ("waiting", 2)


def test_a_freed_seat_is_offered_to_the_first_and_accepting_books_it(front: Front, full: Full):
    session = full[0]
    first, second = front.town.family(), front.town.family()
    entry, other = front.waiting(first, session), front.waiting(second, session)
    free(front, full)
    offered = front.get(front.parent(first), f"/waitlist/{entry}").json()
    assert (offered["status"], offered["offer_expires_at"]) == ("offered", "2026-03-02T16:00:00Z")
    assert_problem(
        front.post(front.parent(second), f"/waitlist/{other}/accept"),
        409,
        "no-offer",
        entry=other,
        position=2,
    )
    answer = front.post(front.parent(first), f"/waitlist/{entry}/accept")
    assert answer.status_code == 201
    [booking] = answer.json()["bookings"]
    assert (booking["status"], booking["source"], booking["credits_charged"]) == ("confirmed", "waitlist", 2)
    assert front.credits(first) == 8
    ended = front.post(front.parent(first), f"/waitlist/{entry}/accept")
    assert_problem(ended, 409, "entry-ended", entry=entry, entry_status="accepted")


def test_an_offer_stands_when_credits_are_missing(front: Front, full: Full):
    session = full[0]
    poor = front.town.family(credits=1)
    entry = front.waiting(poor, session)
    free(front, full)
    answer = front.post(front.parent(poor), f"/waitlist/{entry}/accept")
    assert_problem(answer, 409, "insufficient-credits", balance=1, price=2)
    assert front.get(front.parent(poor), f"/waitlist/{entry}").json()["status"] == "offered"


def test_an_offer_ends_at_its_expiry_whoever_swept(front: Front, full: Full):
    session = full[0]
    family = front.town.family()
    entry = front.waiting(family, session)
    free(front, full)
    front.later(hours=4)
    for verb in ("accept", "decline"):
        answer = front.post(front.parent(family), f"/waitlist/{entry}/{verb}")
        assert_problem(answer, 409, "offer-expired", entry=entry, expired_at="2026-03-02T16:00:00Z")


def test_declining_hands_the_seat_on(front: Front, full: Full):
    session = full[0]
    first, second = front.town.family(), front.town.family()
    entry, other = front.waiting(first, session), front.waiting(second, session)
    assert_problem(front.post(front.parent(first), f"/waitlist/{entry}/decline"), 409, "no-offer", position=1)
    free(front, full)
    answer = front.post(front.parent(first), f"/waitlist/{entry}/decline")
    assert (answer.status_code, answer.json()["status"], answer.json()["position"]) == (200, "declined", None)
    assert front.get(front.parent(second), f"/waitlist/{other}").json()["status"] == "offered"


def test_leaving_ends_the_entry_and_rejoining_starts_at_the_end(front: Front, full: Full):
    session = full[0]
    first, second = front.town.family(), front.town.family()
    parent, entry = front.parent(first), front.waiting(first, session)
    front.waiting(second, session)
    answer = front.post(parent, f"/waitlist/{entry}/leave")
    assert (answer.status_code, answer.json()["status"]) == (200, "left")
    assert_problem(front.post(parent, f"/waitlist/{entry}/leave"), 409, "entry-ended", entry_status="left")
    rejoined = front.waiting(first, session)
    assert front.get(parent, f"/waitlist/{rejoined}").json()["position"] == 2


def test_nobody_waits_while_there_are_seats_or_waits_twice(front: Front, full: Full):
    session = full[0]
    family = front.town.family()
    parent = front.parent(family)
    open_session = front.town.session(seats=3)
    answer = front.post(parent, f"/sessions/{open_session}/waitlist", kids(family))
    assert_problem(answer, 409, "seats-available", free=3)
    entry = front.waiting(family, session)
    answer = front.post(parent, f"/sessions/{session}/waitlist", kids(family))
    assert_problem(answer, 409, "already-waiting", child=str(family.children[0]), entry=entry)


def test_a_group_that_never_fits_does_not_wait(front: Front, full: Full):
    family = front.town.family(children=2)
    answer = front.post(front.parent(family), f"/sessions/{full[0]}/waitlist", kids(family))
    assert_problem(answer, 409, "group-too-large", seats=2, sellable=1)


def test_waiting_asks_what_booking_asks(front: Front, full: Full):
    family = front.town.family()
    front.town.owner.execute("UPDATE venues SET insurance_expiry_date = '2026-03-08'")
    answer = front.post(front.parent(family), f"/sessions/{full[0]}/waitlist", kids(family))
    assert_problem(answer, 409, "venue-not-insured", insured_until="2026-03-08", session_date="2026-03-09")


def test_joining_is_done_once_under_a_key(front: Front, full: Full):
    family = front.town.family()
    answers = [
        front.post(front.parent(family), f"/sessions/{full[0]}/waitlist", kids(family), idempotency_key="j")
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert front.town.one("SELECT count(*) FROM waitlist") == 1


def test_accepting_is_done_once_under_a_key(front: Front, full: Full):
    family = front.town.family()
    entry = front.waiting(family, full[0])
    free(front, full)
    first, again = (
        front.post(front.parent(family), f"/waitlist/{entry}/accept", idempotency_key="a") for _ in range(2)
    )
    assert (first.status_code, again.content) == (201, first.content)
    assert front.credits(family) == 8


@pytest.mark.parametrize("body", [{"child_ids": []}, {}, {"child_ids": "x"}, [], {"child_ids": [None]}])
def test_a_malformed_wish_to_wait_is_refused(front: Front, full: Full, body: Any):
    answer = front.post(front.parent(front.town.family()), f"/sessions/{full[0]}/waitlist", body)
    assert_problem(answer, 422, "invalid-body")


def test_pages_of_entries_are_complete_and_can_leave_out_what_ended(front: Front):
    family = front.town.family()
    parent, holder = front.parent(family), front.town.family(credits=100)
    made = []
    for week in range(1, 6):
        session = front.town.session(seats=1, starts_at=NOON + timedelta(days=7 * week))
        front.booked(holder, session)
        made.append(front.waiting(family, session))
    front.post(parent, f"/waitlist/{made[2]}/leave")

    def pages(query: str) -> list[str]:
        seen, cursor = [], ""
        for _ in range(10):
            page = front.get(parent, f"/waitlist?limit=2{query}{cursor}").json()
            seen += [row["id"] for row in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        return seen

    assert sorted(pages("")) == sorted(made)
    assert sorted(pages("&active=true")) == sorted(made[:2] + made[3:])
    assert pages("&active=false") == [made[2]]
    elsewhere = front.get(parent, "/bookings?limit=1")
    assert elsewhere.json()["items"] == []
    strange = front.get(parent, "/waitlist?limit=2").json()["next_cursor"]
    assert_problem(front.get(parent, f"/bookings?cursor={strange}"), 400, "invalid-parameters")


ROUTES = [
    ("POST", "/sessions/{session}/waitlist"),
    ("GET", "/waitlist"),
    ("GET", "/waitlist/{entry}"),
    ("POST", "/waitlist/{entry}/accept"),
    ("POST", "/waitlist/{entry}/decline"),
    ("POST", "/waitlist/{entry}/leave"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_who_is_nobody_or_no_family_gets_nothing(front: Front, full: Full, method: str, path: str):
    path = path.format(session=full[0], entry=front.waiting(front.town.family(), full[0]))
    assert_problem(front.send(None, method, path), 401, "sign-in-required")
    assert_problem(front.send(front.venue(), method, path), 403, "not-for-this-role")


@pytest.mark.parametrize(("method", "path"), ROUTES[2:])
def test_an_entry_of_another_family_does_not_exist(front: Front, full: Full, method: str, path: str):
    path = path.format(entry=front.waiting(front.town.family(), full[0]))
    answer = front.send(front.parent(front.town.family()), method, path)
    assert_problem(answer, 404, "no-such-thing", kind="waitlist entry")


def test_a_child_of_another_family_or_a_session_that_is_not_there(front: Front, full: Full):
    family, others = front.town.family(), front.town.family()
    answer = front.post(front.parent(family), f"/sessions/{full[0]}/waitlist", kids(others))
    assert_problem(answer, 404, "no-such-thing", kind="child")
    answer = front.post(front.parent(family), f"/sessions/{uuid4()}/waitlist", kids(family))
    assert_problem(answer, 404, "no-such-thing", kind="session")
