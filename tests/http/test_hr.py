"""HR sees its people and their use in sum; never a family."""

from datetime import timedelta

import pytest

from tests.support.front import assert_problem
from tests.support.office import Office
from tests.support.town import Town


@pytest.fixture
def company(office: Office) -> str:
    return office.company()


@pytest.fixture
def hal(office: Office, company) -> str:
    return office.joins(company, "hal@acme.example", role="hr_admin", first_name="Hal", last_name="Ray")


def families_book(office: Office, company: str, count: int, *, town: Town | None = None) -> Town:
    """So many families of the company book a place each, for 2 credits."""
    town = town or Town(office.owner)
    session = town.session(price=2)
    have = town.one("SELECT count(*) FROM users")
    for n in range(have, have + count):
        parent = office.joins(company, f"p{n}@acme.example", last_name=f"Parent{n}")
        child = office.child(parent, first_name=f"Kid{n}")
        office.made(parent, "/bookings", {"session_id": str(session), "child_ids": [child]})
    return town


def test_the_overview_counts_people_and_credits(office: Office, company, hal):
    answer = office.get(hal, "/hr/overview")
    assert answer.status_code == 200
    body = answer.json()
    assert (
        body
        | {
            "company_name": "Acme",
            "people": 1,
            "covered_seats": 50,
            "period_start": "2026-03-01",
            "period_end": "2026-04-01",
            "credits_allocated": 8,
            "credits_used": None,
            "credits_expired": None,
            "bookings": None,
            "fewest_families": 5,
        }
        == body
    )
    assert len(body["bookings_by_category"]) == 10
    assert {each["bookings"] for each in body["bookings_by_category"]} == {None}


def test_figures_of_fewer_than_five_families_are_withheld(office: Office, company, hal):
    town = families_book(office, company, 4)
    few = office.get(hal, "/hr/overview").json()
    assert (few["people"], few["credits_allocated"]) == (5, 40)
    assert (few["credits_used"], few["credits_expired"], few["bookings"]) == (None, None, None)
    by_category = {each["category"]: each["bookings"] for each in few["bookings_by_category"]}
    assert set(by_category.values()) == {None}
    families_book(office, company, 1, town=town)
    enough = office.get(hal, "/hr/overview").json()
    assert (enough["credits_used"], enough["credits_expired"], enough["bookings"]) == (10, None, 5)
    shown = {each["category"]: each["bookings"] for each in enough["bookings_by_category"]}
    assert shown == by_category | {"arts_crafts": 5}


def test_neither_children_nor_activities_nor_venues_are_named(office: Office, company, hal):
    families_book(office, company, 5)
    seen = office.get(hal, "/hr/overview").text + office.get(hal, "/hr/employees").text
    assert "Parent5" in seen
    for private in ("Kid", "Clay", "The Barn", "2018-05-17", "child"):
        assert private not in seen


def test_employees_are_listed_by_name_each_once(office: Office, company, hal):
    for n, (last, first) in enumerate([("lind", "Ada"), ("Lind", "Bo"), ("Zoë", "Cy"), ("Abel", "Dee")]):
        office.joins(company, f"p{n}@acme.example", first_name=first, last_name=last)
    rows = office.pages(hal, "/hr/employees")
    assert [row["first_name"] for row in rows] == ["Dee", "Ada", "Bo", "Hal", "Cy"]
    assert (
        rows[0]
        | {
            "last_name": "Abel",
            "email": "p3@acme.example",
            "department": None,
            "is_active": True,
            "left_at": None,
            "credits_allocated": 8,
        }
        == rows[0]
    )


def test_the_longest_names_still_make_a_cursor(office: Office, company, hal):
    for n in range(3):
        longest = {"first_name": "𝒜" * 100, "last_name": "𝒵" * 99 + str(n)}
        office.joins(company, f"p{n}@acme.example", **longest)
    assert len(office.pages(hal, "/hr/employees")) == 4


def test_another_companys_people_and_use_do_not_exist(office: Office, company, hal):
    families_book(office, company, 5)
    other = office.joins(office.company("Other"), "olga@other.example", role="hr_admin")
    overview = office.get(other, "/hr/overview").json()
    assert (overview["company_name"], overview["people"], overview["credits_allocated"]) == ("Other", 1, 8)
    assert (overview["bookings"], overview["credits_used"]) == (None, None)
    assert [row["email"] for row in office.get(other, "/hr/employees").json()["items"]] == [
        "olga@other.example"
    ]
    # A cursor of somebody else's list leads nowhere but into one's own.
    cursor = office.get(hal, "/hr/employees?limit=1").json()["next_cursor"]
    seen = office.get(other, f"/hr/employees?cursor={cursor}").json()["items"]
    assert {row["email"] for row in seen} <= {"olga@other.example"}


def test_a_parent_is_not_hr(office: Office, company):
    ada = office.joins(company, "ada@acme.example")
    for path in ("/hr/overview", "/hr/employees"):
        assert_problem(office.get(ada, path), 403, "not-for-this-role", role="parent")


def test_a_leaver_keeps_what_is_booked_and_gets_nothing_more(office: Office, company, hal):
    town = families_book(office, company, 1)
    parent = town.one("SELECT booked_by FROM bookings")
    answer = office.post(hal, f"/hr/employees/{parent}/leave", {"last_day": "2026-03-31"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["left_at"] == "2026-04-01T05:00:00Z"
    office.clock.at += timedelta(days=31)
    assert office.nexus.allocate_credits() == 1  # only Hal
    assert town.one("SELECT count(*) FROM user_credit_balances WHERE user_id = %s", parent) == 1
    assert town.one("SELECT status FROM bookings") == "confirmed"
    again = office.post(office.token("hal@acme.example"), f"/hr/employees/{parent}/leave", {})
    assert_problem(again, 409, "left-already", left_at="2026-04-01T05:00:00Z")


def test_a_leaver_of_another_company_does_not_exist(office: Office, company, hal):
    other = office.company("Other")
    stranger = office.made(
        office.admin,
        "/admin/users",
        {
            "email": "s@other.example",
            "role": "parent",
            "first_name": "S",
            "last_name": "T",
            "company_id": other,
        },
    )
    assert_problem(office.post(hal, f"/hr/employees/{stranger['id']}/leave", {}), 404, "no-such-thing")


def test_nobody_leaves_before_they_joined(office: Office, company, hal):
    [me] = office.get(hal, "/hr/employees").json()["items"][:1]
    answer = office.post(hal, f"/hr/employees/{me['id']}/leave", {"last_day": "2020-01-01"})
    assert_problem(answer, 422, "invalid-value", field="last_day")
