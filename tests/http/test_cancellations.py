"""A family gives places up over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.front import Front, assert_problem
from tests.support.town import NOON


def test_cancelling_in_time_gives_everything_back(front: Front):
    session, family = front.town.session(price=3), front.town.family()
    parent, booking = front.parent(family), front.booked(family, session)
    front.later(days=5)  # exactly 48 hours before the start
    quote = front.get(parent, f"/bookings/{booking}/cancellation-quote").json()
    assert quote == {
        "booking_id": booking,
        "refund": 3,
        "forfeit": 0,
        "refundable_until": "2026-03-07T12:00:00Z",
        "starts_at": "2026-03-09T12:00:00Z",
    }
    answer = front.post(parent, f"/bookings/{booking}/cancel", {"reason": "child_sick", "notes": "Flu"})
    assert answer.status_code == 200
    [gone] = answer.json()["bookings"]
    assert (
        gone
        | {
            "id": booking,
            "status": "cancelled_parent",
            "credits_refunded": 3,
            "cancellation_reason": "child_sick",
            "cancelled_at": "2026-03-07T12:00:00Z",
        }
        == gone
    )
    assert front.credits(family) == 10


def test_cancelling_late_forfeits(front: Front):
    session, family = front.town.session(price=3), front.town.family()
    parent, booking = front.parent(family), front.booked(family, session)
    front.later(days=5, microseconds=1)
    quote = front.get(parent, f"/bookings/{booking}/cancellation-quote").json()
    assert (quote["refund"], quote["forfeit"]) == (0, 3)
    assert front.post(parent, f"/bookings/{booking}/cancel", {}).status_code == 200
    assert front.credits(family) == 7


def test_nothing_is_cancelled_twice_or_after_the_start(front: Front):
    family = front.town.family()
    parent = front.parent(family)
    first = front.booked(family, front.town.session())
    second = front.booked(family, front.town.session(starts_at=NOON + timedelta(days=1)))
    front.post(parent, f"/bookings/{first}/cancel", {})
    for verb in ("cancel", "cancellation-quote"):
        method = "POST" if verb == "cancel" else "GET"
        body = {} if verb == "cancel" else None
        answer = front.send(parent, method, f"/bookings/{first}/{verb}", body)
        assert_problem(answer, 409, "booking-ended", booking=first, booking_status="cancelled_parent")
    front.later(days=1)
    answer = front.post(parent, f"/bookings/{second}/cancel", {})
    assert_problem(answer, 409, "cancellation-too-late", starts_at="2026-03-03T12:00:00Z")


def test_cancelling_with_the_group_gives_up_what_is_left_of_it(front: Front):
    session, family = front.town.session(), front.town.family(children=3)
    parent = front.parent(family)
    one, two, three = (each["id"] for each in front.book(family, session).json()["bookings"])
    front.post(parent, f"/bookings/{three}/cancel", {})
    answer = front.post(parent, f"/bookings/{two}/cancel", {"with_group": True})
    assert [each["id"] for each in answer.json()["bookings"]] == [two, one]
    assert front.credits(family) == 10


def test_only_the_version_that_was_seen_is_cancelled(front: Front):
    family = front.town.family()
    parent, booking = front.parent(family), front.booked(family, front.town.session())
    stale = front.post(parent, f"/bookings/{booking}/cancel", {}, if_match='"7"')
    assert_problem(stale, 412, "version-mismatch", expected=7, actual=1)
    seen = front.get(parent, f"/bookings/{booking}").headers["etag"]
    assert front.post(parent, f"/bookings/{booking}/cancel", {}, if_match=seen).status_code == 200


def test_a_cancellation_replayed_refunds_once(front: Front):
    family = front.town.family()
    parent, booking = front.parent(family), front.booked(family, front.town.session())
    first, again = (
        front.post(parent, f"/bookings/{booking}/cancel", {}, idempotency_key="c") for _ in range(2)
    )
    assert (first.status_code, again.content) == (200, first.content)
    assert front.town.one("SELECT count(*) FROM credit_ledger WHERE transaction_type = 'refund_credit'") == 1


@pytest.mark.parametrize(
    "body", [{"notes": "x" * 2001}, {"reason": "bored"}, {"with_group": "yes"}, {"notes": "\x00"}]
)
def test_a_malformed_cancellation_changes_nothing(front: Front, body: Any):
    family = front.town.family()
    parent, booking = front.parent(family), front.booked(family, front.town.session())
    assert_problem(front.post(parent, f"/bookings/{booking}/cancel", body), 422, "invalid-body")
    assert front.get(parent, f"/bookings/{booking}").json()["status"] == "confirmed"
