"""People read over HTTP what happened to them."""

from uuid import uuid4

import pytest

from tests.support.front import Front, assert_problem


def test_a_booking_is_told_once_it_was_handled(front: Front):
    session, family = front.town.session(), front.town.family()
    booking = front.booked(family, session)
    parent = front.parent(family)
    assert front.get(parent, "/notifications").json() == {"items": [], "next_cursor": None}
    front.handle_events()
    [told] = front.get(parent, "/notifications").json()["items"]
    assert told.pop("id")
    assert told == {
        "type": "booking_confirmed",
        "priority": "normal",
        "title": "Your place is booked",
        "body": "Clay at The Barn, Monday 9 March at 09:00. 2 credits paid.",
        "about_kind": "booking",
        "about_id": booking,
        "created_at": "2026-03-02T12:00:00Z",
        "read_at": None,
    }


def test_an_offer_reaches_the_family_that_waits(front: Front):
    session, holder, family = front.town.session(seats=1), front.town.family(), front.town.family()
    booking = front.booked(holder, session)
    entry = front.waiting(family, session)
    front.post(front.parent(holder), f"/bookings/{booking}/cancel", {})
    front.handle_events()
    [told] = front.get(front.parent(family), "/notifications").json()["items"]
    assert (told["type"], told["priority"], told["about_id"]) == ("waitlist_offer", "urgent", entry)
    assert told["body"].endswith("Accept by Monday 2 March at 10:00; after that the next family is asked.")


def test_a_message_is_read_once_and_leaves_the_unread(front: Front):
    family = front.town.family()
    parent = front.parent(family)
    front.booked(family, front.town.session())
    front.handle_events()
    [told] = front.get(parent, "/notifications?unread=true").json()["items"]
    front.later(minutes=5)
    read = front.post(parent, f"/notifications/{told['id']}/read")
    assert (read.status_code, read.json()["read_at"]) == (200, "2026-03-02T12:05:00Z")
    front.later(minutes=5)
    assert front.post(parent, f"/notifications/{told['id']}/read").json() == read.json()
    assert front.get(parent, "/notifications?unread=true").json()["items"] == []
    assert len(front.get(parent, "/notifications").json()["items"]) == 1


def test_pages_of_messages_are_complete_and_latest_first(front: Front):
    family = front.town.family()
    parent = front.parent(family)
    for _ in range(4):
        booking = front.booked(family, front.town.session())
        front.post(parent, f"/bookings/{booking}/cancel", {})  # two messages of the same instant
        front.later(minutes=1)
    front.handle_events()
    seen: list[tuple[str, str]] = []
    cursor = ""
    for _ in range(10):
        page = front.get(parent, f"/notifications?limit=3{cursor}").json()
        seen += [(row["created_at"], row["id"]) for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 8
    assert seen == sorted(seen, reverse=True)


def test_messages_of_others_do_not_exist(front: Front):
    family = front.town.family()
    front.booked(family, front.town.session())
    front.handle_events()
    [told] = front.get(front.parent(family), "/notifications").json()["items"]
    other = front.parent(front.town.family())
    assert front.get(other, "/notifications").json()["items"] == []
    for message in (told["id"], str(uuid4())):
        answer = front.post(other, f"/notifications/{message}/read")
        assert_problem(answer, 404, "no-such-thing", kind="notification")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/notifications"), ("POST", f"/notifications/{uuid4()}/read")]
)
def test_who_is_nobody_or_no_family_gets_nothing(front: Front, method: str, path: str):
    assert_problem(front.send(None, method, path), 401, "sign-in-required")
    assert_problem(front.send(front.venue(), method, path), 403, "not-for-this-role")
