"""A family books, reads and cancels over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from nexus.domain.identity.people import Role
from nexus.entrypoints.http.calls import BoundedCalls
from tests.support.front import Front, assert_problem, wanted
from tests.support.town import NOON


def test_a_booking_is_confirmed_paid_and_readable(front: Front):
    session, family = front.town.session(price=3), front.town.family()
    answer = front.book(family, session)
    assert answer.status_code == 201
    body = answer.json()
    [booking] = body["bookings"]
    assert body["group_booking_id"] is None
    assert (
        booking
        | {
            "status": "confirmed",
            "session_id": str(session),
            "child_id": str(family.children[0]),
            "credits_charged": 3,
            "starts_at": "2026-03-09T12:00:00Z",
            "refundable_until": "2026-03-07T12:00:00Z",
            "confirm_by": None,
            "version": 1,
        }
        == booking
    )
    assert front.credits(family) == 7
    shown = front.get(front.parent(family), f"/bookings/{booking['id']}")
    assert (shown.status_code, shown.headers["etag"]) == (200, '"1"')
    assert shown.json() == booking


def test_siblings_get_places_together_and_share_a_group(front: Front):
    session, family = front.town.session(seats=2), front.town.family(children=2)
    body = front.book(family, session).json()
    assert body["group_booking_id"] is not None
    assert [each["child_id"] for each in body["bookings"]] == [str(child) for child in family.children]
    assert {each["group_booking_id"] for each in body["bookings"]} == {body["group_booking_id"]}


def test_siblings_get_places_all_or_none(front: Front):
    session, family = front.town.session(seats=1), front.town.family(children=2)
    assert_problem(
        front.book(family, session),
        409,
        "session-full",
        free=1,
        requested=2,
        waiting=0,
        waitlist=f"/api/v1/sessions/{session}/waitlist",
    )
    assert front.credits(family) == 10


def test_too_few_credits_are_told_with_what_there_is(front: Front):
    session, family = front.town.session(price=4), front.town.family(credits=3)
    assert_problem(front.book(family, session), 409, "insufficient-credits", balance=3, price=4)


def test_a_child_outside_the_ages_is_refused_with_its_age(front: Front):
    session, family = front.town.session(), front.town.family()
    front.town.owner.execute("UPDATE children SET date_of_birth = %s", [date(2023, 1, 1)])
    assert_problem(
        front.book(family, session),
        409,
        "outside-age-range",
        child=str(family.children[0]),
        age=3,
        min_age=4,
        max_age=12,
    )


def test_without_consent_there_is_no_booking(front: Front):
    session, family = front.town.session(), front.town.family()
    front.town.owner.execute("UPDATE children SET consents = '{data_collection}'")
    assert_problem(
        front.book(family, session),
        409,
        "consent-missing",
        child=str(family.children[0]),
        purpose="activity_booking",
    )


def test_a_child_is_in_one_place_at_a_time(front: Front):
    first, second, family = front.town.session(), front.town.session(), front.town.family()
    booking = front.booked(family, first)
    child = str(family.children[0])
    assert_problem(front.book(family, first), 409, "already-booked", child=child, booking=booking)
    assert_problem(front.book(family, second), 409, "overlapping-booking", child=child, booking=booking)


@pytest.mark.parametrize(
    ("statement", "slug"),
    [
        ("UPDATE activities SET is_published = false", "activity-not-published"),
        ("UPDATE venues SET status = 'suspended'", "venue-not-active"),
        ("UPDATE venues SET insurance_expiry_date = '2026-03-08'", "venue-not-insured"),
        ("UPDATE activity_sessions SET status = 'cancelled'", "session-cancelled"),
        ("UPDATE activity_sessions SET opens_at = '2026-03-03'", "booking-not-open"),
        ("UPDATE venues SET is_premium = true", "premium-not-included"),
        ("UPDATE children SET status = 'deactivated'", "child-not-active"),
    ],
)
def test_each_precondition_has_its_own_problem(front: Front, statement: Any, slug: str):
    session, family = front.town.session(), front.town.family()
    front.town.owner.execute(statement)
    assert_problem(front.book(family, session), 409, slug)
    quote = front.post(front.parent(family), "/bookings/quote", wanted(session, family)).json()
    assert [each["type"] for each in quote["obstacles"]] == [f"/problems/{slug}"]


def test_a_started_session_is_not_booked(front: Front):
    session, family = front.town.session(), front.town.family()
    front.later(days=7)
    assert_problem(front.book(family, session), 409, "session-started", starts_at="2026-03-09T12:00:00Z")


def test_children_and_sessions_of_nobody_or_others_do_not_exist(front: Front):
    session, family, others = front.town.session(), front.town.family(), front.town.family()
    parent = front.parent(family)
    foreign = wanted(session, others)
    assert_problem(front.post(parent, "/bookings", foreign), 404, "no-such-thing", kind="child")
    assert_problem(front.post(parent, "/bookings/quote", foreign), 404, "no-such-thing", kind="child")
    nowhere = wanted(uuid4(), family)
    assert_problem(front.post(parent, "/bookings", nowhere), 404, "no-such-thing", kind="session")


def test_a_child_is_named_once(front: Front):
    session, family = front.town.session(), front.town.family()
    body = wanted(session, family)
    body["child_ids"] *= 2
    answer = front.post(front.parent(family), "/bookings", body)
    assert_problem(answer, 422, "child-named-twice", child=body["child_ids"][0])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"child_ids": []}, "body.child_ids"),
        ({"child_ids": [str(uuid4()) for _ in range(11)]}, "body.child_ids"),
        ({"child_ids": ["x"]}, "body.child_ids[0]"),
        ({"session_id": 5}, "body.session_id"),
        ({"colour": "red"}, "body.colour"),
        ({"original_booking_id": "?"}, "body.original_booking_id"),
    ],
)
def test_a_malformed_booking_is_refused_with_the_path_of_the_fault(front: Front, change: Any, path: str):
    session, family = front.town.session(), front.town.family()
    answer = front.post(front.parent(family), "/bookings", wanted(session, family) | change)
    assert_problem(answer, 422, "invalid-body")
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]


def test_a_quote_says_price_terms_and_every_obstacle(front: Front):
    session, family = front.town.session(price=6, seats=1), front.town.family(children=2, credits=10)
    quote = front.post(front.parent(family), "/bookings/quote", wanted(session, family)).json()
    assert (
        quote
        | {
            "price_per_child": 6,
            "total": 12,
            "credits_available": 10,
            "credits_after": -2,
            "needs_confirmation": False,
            "refundable_until": "2026-03-07T12:00:00Z",
            "can_be_booked": False,
        }
        == quote
    )
    assert [(each["type"], each["figures"]) for each in quote["obstacles"]] == [
        (
            "/problems/session-full",
            {"free": 1, "requested": 2, "waiting": 0, "waitlist": f"/api/v1/sessions/{session}/waitlist"},
        ),
        ("/problems/insufficient-credits", {"balance": 10, "price": 12}),
    ]
    assert front.town.one("SELECT count(*) FROM bookings") == 0


def test_the_same_key_books_once_and_answers_the_same_bytes(front: Front):
    session, family = front.town.session(), front.town.family()
    first = front.book(family, session, idempotency_key="k1")
    again = front.book(family, session, idempotency_key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert front.town.one("SELECT count(*) FROM bookings") == 1
    assert front.credits(family) == 8


def test_two_requests_at_once_under_one_key_book_once(front: Front):
    session, family = front.town.session(), front.town.family()
    front.parent(family)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: front.book(family, session, idempotency_key="k1"), range(4)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 3
    assert front.credits(family) == 8


def test_families_that_want_the_last_seats_at_once_get_no_more_than_there_are(front: Front):
    session, families = front.town.session(seats=3), [front.town.family() for _ in range(12)]
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda family: front.book(family, session), families))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 9
    assert sum(front.credits(family) for family in families) == 120 - 3 * 2


def test_an_obstacle_has_the_figures_of_its_problem(front: Front):
    session, family = front.town.session(opens_at=NOON + timedelta(days=1)), front.town.family()
    refused = front.book(family, session).json()
    quote = front.post(front.parent(family), "/bookings/quote", wanted(session, family)).json()
    [obstacle] = quote["obstacles"]
    assert obstacle["figures"] == {"opens_at": "2026-03-03T12:00:00Z"} == {"opens_at": refused["opens_at"]}
    assert (obstacle["type"], obstacle["title"]) == (refused["type"], refused["title"])


def test_a_key_belongs_to_one_body(front: Front):
    session, family = front.town.session(), front.town.family()
    front.book(family, session, idempotency_key="k1")
    other = wanted(front.town.session(), family)
    answer = front.post(front.parent(family), "/bookings", other, idempotency_key="k1")
    assert_problem(answer, 422, "idempotency-key-reused")


def test_a_refusal_is_remembered_under_its_key(front: Front):
    session, family = front.town.session(), front.town.family(credits=0)
    first = front.book(family, session, idempotency_key="k1")
    front.town.balance(family.parent, credits=9)
    again = front.book(family, session, idempotency_key="k1")
    assert_problem(again, 409, "insufficient-credits", balance=0, price=2)
    assert again.json()["instance"] == first.json()["instance"]
    assert front.book(family, session, idempotency_key="k2").status_code == 201


def test_book_again_names_an_earlier_booking_of_the_same_activity(front: Front):
    family = front.town.family()
    earlier = front.booked(family, front.town.session())
    parent = front.parent(family)
    later = front.town.session(starts_at=NOON + timedelta(days=14))
    answer = front.post(parent, "/bookings", wanted(later, family, original_booking_id=earlier))
    assert [each["source"] for each in answer.json()["bookings"]] == ["book_again"]
    third = front.town.session(starts_at=NOON + timedelta(days=21))
    nobodys = wanted(third, family, original_booking_id=str(uuid4()))
    assert_problem(front.post(parent, "/bookings", nobodys), 404, "no-such-thing", kind="booking")


def test_book_again_is_for_the_same_activity(front: Front):
    family = front.town.family()
    earlier = front.booked(family, front.town.session())
    other = uuid4()
    front.town.owner.execute(
        """
        INSERT INTO activities (id, venue_id, name, slug, category, min_age, max_age, duration_minutes,
                                credits_required, capacity_per_session, is_published, created_at)
        SELECT %s, venue_id, 'Judo', 'judo', 'sports', min_age, max_age, duration_minutes,
               credits_required, capacity_per_session, true, created_at FROM activities
        """,
        [other],
    )
    judo = front.town.session(starts_at=NOON + timedelta(days=14), activity_id=other)
    answer = front.post(front.parent(family), "/bookings", wanted(judo, family, original_booking_id=earlier))
    assert_problem(answer, 409, "not-the-same-activity", booking=earlier)


def test_hr_staff_book_for_their_children_like_everybody(front: Front):
    session, family = front.town.session(), front.town.family()
    answer = front.post(front.parent(family, role=Role.HR_ADMIN), "/bookings", wanted(session, family))
    assert answer.status_code == 201


# --- reading


def test_pages_of_bookings_are_complete_and_latest_first(front: Front):
    family, others = front.town.family(credits=100), front.town.family()
    made = []
    for week in range(1, 8):
        session = front.town.session(starts_at=NOON + timedelta(days=7 * week))
        made.append(front.booked(family, session))
        front.later(minutes=week % 2)  # some are made at the same instant
    front.booked(others, front.town.session())
    seen: list[str] = []
    cursor, pages = "", 0
    while pages < 10:
        page = front.get(front.parent(family), f"/bookings?limit=3{cursor}").json()
        seen += [row["id"] for row in page["items"]]
        pages += 1
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert pages == 3
    assert sorted(seen) == sorted(made)
    assert seen[0] == made[-1]


def test_bookings_are_found_by_status_and_whether_they_are_over(front: Front):
    family = front.town.family()
    parent = front.parent(family)
    soon = front.booked(family, front.town.session(starts_at=NOON + timedelta(hours=1)))
    far = front.booked(family, front.town.session(starts_at=NOON + timedelta(days=20)))
    gone = front.booked(family, front.town.session(starts_at=NOON + timedelta(days=10)))
    assert front.post(parent, f"/bookings/{gone}/cancel", {}).status_code == 200

    def ids(query: str) -> set[str]:
        return {row["id"] for row in front.get(parent, f"/bookings?{query}").json()["items"]}

    assert ids("") == {soon, far, gone}
    assert ids("status=cancelled_parent") == {gone}
    assert ids("upcoming=true") == {soon, far}
    front.later(hours=3)
    assert ids("upcoming=true&status=confirmed") == {far}


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("status=lost", "query.status"),
        ("upcoming=maybe", "query.upcoming"),
        ("limit=0", "query.limit"),
        ("limit=101", "query.limit"),
        ("cursor=xyz", "query.cursor"),
    ],
)
def test_a_list_refuses_what_it_cannot_understand(front: Front, query: str, path: str):
    answer = front.get(front.parent(front.town.family()), f"/bookings?{query}")
    assert_problem(answer, 400, "invalid-parameters")
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]


# --- whose they are

FAMILY_ROUTES = [
    ("POST", "/bookings/quote"),
    ("POST", "/bookings"),
    ("GET", "/bookings"),
    ("GET", "/bookings/{id}"),
    ("GET", "/bookings/{id}/cancellation-quote"),
    ("POST", "/bookings/{id}/cancel"),
]


@pytest.mark.parametrize(("method", "path"), FAMILY_ROUTES)
def test_who_is_nobody_or_no_family_gets_nothing(front: Front, method: str, path: str):
    family = front.town.family()
    path = path.format(id=front.booked(family, front.town.session()))
    assert_problem(front.send(None, method, path, {}), 401, "sign-in-required")
    assert_problem(front.send("unknown", method, path, {}), 401, "session-ended")
    assert_problem(front.send(front.venue(), method, path, {}), 403, "not-for-this-role", role="venue_admin")


@pytest.mark.parametrize(("method", "path"), FAMILY_ROUTES[3:])
def test_a_booking_of_another_family_does_not_exist(front: Front, method: str, path: str):
    family, others = front.town.family(), front.town.family()
    path = path.format(id=front.booked(family, front.town.session()))
    body = {} if method == "POST" else None
    answer = front.send(front.parent(others), method, path, body)
    assert_problem(answer, 404, "no-such-thing", kind="booking")


def test_whoever_wants_places_in_a_session_belongs_to_its_crowd(
    front: Front, monkeypatch: pytest.MonkeyPatch
):
    """So that a rush for it leaves room to everybody else."""
    crowds: list[Any] = []
    about = BoundedCalls.about

    def noted(calls: BoundedCalls, subject: Any, call: Any) -> Any:
        crowds.append(subject)
        return about(calls, subject, call)

    monkeypatch.setattr(BoundedCalls, "about", noted)
    session, other = front.town.session(seats=1), front.town.session(starts_at=NOON + timedelta(days=9))
    first, second = front.town.family(), front.town.family()
    assert front.book(first, session).status_code == 201
    assert front.book(second, session).status_code == 409
    kids = {"child_ids": [str(child) for child in second.children]}
    assert front.post(front.parent(second), f"/sessions/{session}/waitlist", kids).status_code == 201
    assert front.book(second, other).status_code == 201
    assert crowds == [session, session, session, other]
