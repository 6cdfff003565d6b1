"""Credits, as an employee sees them and as an administrator corrects them."""

import pytest

from tests.support.front import assert_problem
from tests.support.office import Office, company_body
from tests.support.town import Town


@pytest.fixture
def company(office: Office) -> str:
    return office.company()


@pytest.fixture
def ada(office: Office, company) -> str:
    return office.joins(company, "ada@acme.example")


def user(office: Office, token: str) -> str:
    found: str = office.get(token, "/me").json()["id"]
    return found


def correction(who: str, amount: int, reason: str = "Goodwill.") -> dict[str, object]:
    return {"user_id": who, "amount": amount, "reason": reason}


def test_who_joins_has_the_periods_credits_at_once(office: Office, ada):
    mine = office.get(ada, "/me/credits")
    assert mine.status_code == 200
    body = mine.json()
    assert body["available"] == 8
    assert (
        body["current"]
        | {
            "period_start": "2026-03-01",
            "period_end": "2026-04-01",
            "opens_at": "2026-03-01T06:00:00Z",
            "closes_at": "2026-04-01T05:00:00Z",
            "allocated": 8,
            "available": 8,
            "used": 0,
        }
        == body["current"]
    )
    assert body["balances"] == [body["current"]]
    [line] = body["lines"]["items"]
    assert (
        line
        | {
            "balance_id": body["current"]["id"],
            "sequence": 1,
            "movement": "allocation",
            "amount": 8,
            "balance_after": 8,
            "booking_id": None,
        }
        == line
    )
    assert body["lines"]["next_cursor"] is None


def test_an_invited_amount_replaces_the_subscriptions(office: Office, company):
    eve = office.joins(company, "eve@acme.example", monthly_credits=3)
    assert office.get(eve, "/me/credits").json()["available"] == 3


def test_without_a_subscription_there_are_none(office: Office):
    bare = office.made(office.admin, "/admin/companies", company_body("Bare"))["id"]
    mine = office.get(office.joins(bare, "bo@bare.example"), "/me/credits").json()
    assert mine == {
        "available": 0,
        "current": None,
        "balances": [],
        "lines": {"items": [], "next_cursor": None},
    }


def test_a_booking_is_a_line_that_names_it(office: Office, ada):
    session = Town(office.owner).session(price=3)
    wanted = {"session_id": str(session), "child_ids": [office.child(ada)]}
    booking = office.made(ada, "/bookings", wanted)["bookings"][0]["id"]
    mine = office.get(ada, "/me/credits").json()
    assert (mine["available"], mine["current"]["used"]) == (5, 3)
    # Both lines are of the same instant, so only their order among themselves is open.
    lines = {line["movement"]: line for line in mine["lines"]["items"]}
    assert lines["booking_debit"]["booking_id"] == booking
    assert (lines["booking_debit"]["amount"], lines["booking_debit"]["balance_after"]) == (-3, 5)


def test_a_correction_moves_credits_and_says_why(office: Office, ada):
    answer = office.post(office.admin, "/admin/credits/adjust", correction(user(office, ada), 3))
    assert answer.status_code == 200
    assert (answer.json()["available"], answer.json()["adjusted"]) == (11, 3)
    office.made(office.admin, "/admin/credits/adjust", correction(user(office, ada), -11, " Left. "))
    mine = office.get(ada, "/me/credits").json()
    assert mine["available"] == 0
    assert {(line["amount"], line["reason"]) for line in mine["lines"]["items"]} == {
        (8, None),
        (3, "Goodwill."),
        (-11, "Left."),
    }


def test_a_correction_never_takes_more_than_there_is(office: Office, ada):
    answer = office.post(office.admin, "/admin/credits/adjust", correction(user(office, ada), -9))
    assert_problem(answer, 409, "insufficient-credits", balance=8, price=9)
    assert office.get(ada, "/me/credits").json()["available"] == 8


@pytest.mark.parametrize(
    ("body", "slug", "figures"),
    [
        ({"amount": 0}, "invalid-value", {"field": "amount"}),
        ({"reason": " "}, "invalid-value", {"field": "reason"}),
        ({"amount": 1_000_001}, "invalid-body", {}),
        ({"amount": 1.5}, "invalid-body", {}),
        ({"reason": ""}, "invalid-body", {}),
    ],
)
def test_a_correction_has_an_amount_and_a_reason(office: Office, ada, body, slug, figures):
    sent = correction(user(office, ada), 1) | body
    assert_problem(office.post(office.admin, "/admin/credits/adjust", sent), 422, slug, **figures)


def test_only_employees_with_an_open_period_can_be_corrected(office: Office):
    admin = user(office, office.admin)
    answer = office.post(office.admin, "/admin/credits/adjust", correction(admin, 1))
    assert_problem(answer, 404, "no-such-thing", kind="user")
    bare = office.made(office.admin, "/admin/companies", company_body("Bare"))["id"]
    bo = user(office, office.joins(bare, "bo@bare.example"))
    answer = office.post(office.admin, "/admin/credits/adjust", correction(bo, 1))
    assert_problem(answer, 409, "no-open-balance")


def test_a_correction_sent_again_is_made_once(office: Office, ada):
    body = correction(user(office, ada), 2)
    answers = [
        office.post(office.admin, "/admin/credits/adjust", body, idempotency_key="k") for _ in range(2)
    ]
    assert [answer.json()["available"] for answer in answers] == [10, 10]
    assert office.get(ada, "/me/credits").json()["available"] == 10


def test_movements_come_page_by_page_each_once_the_latest_first(office: Office, ada):
    for n in range(1, 7):
        office.clock.at = office.clock.at.replace(minute=n // 2)
        office.made(office.admin, "/admin/credits/adjust", correction(user(office, ada), n))
    paged = office.pages(ada, "/me/credits", within="lines")
    assert paged == office.get(ada, "/me/credits?limit=100").json()["lines"]["items"]
    assert len({line["id"] for line in paged}) == 7
    moments = [line["occurred_at"] for line in paged]
    assert moments == sorted(moments, reverse=True)


def test_others_credits_do_not_exist(office: Office, company, ada):
    eve = office.joins(company, "eve@acme.example")
    office.made(office.admin, "/admin/credits/adjust", correction(user(office, ada), 2))
    mine = office.get(eve, "/me/credits").json()
    assert (mine["available"], len(mine["lines"]["items"])) == (8, 1)


def test_a_cursor_of_another_list_is_refused(office: Office, ada):
    for cursor in ("nonsense", "WzEsImNyZWRpdC1saW5lcyJd"):
        answer = office.get(ada, f"/me/credits?cursor={cursor}")
        assert_problem(answer, 400, "invalid-parameters")
        assert answer.json()["errors"][0]["path"] == "query.cursor"
