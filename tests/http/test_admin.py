"""Administrators take companies and venues on, open accounts, and decide settings."""

from uuid import uuid4

import pytest

from tests.support.front import assert_problem
from tests.support.office import (
    PASSWORD,
    Office,
    child_body,
    company_body,
    consent_body,
    subscription_body,
    user_body,
    venue_body,
)
from tests.support.town import Town

INSURED = {"coverage_minor": 100_000_000, "expires_on": "2026-03-02"}
SHOWN = {"insurance": INSURED, "background_check_completed": True, "safety_audit_completed": True}


def test_a_family_comes_to_the_pass_by_the_api_alone(office: Office):
    """A company, a subscription, an account; then the parent signs in, adds a child, consents, books."""
    company = office.made(office.admin, "/admin/companies", company_body())
    assert company | {"name": "Acme", "payment_terms_days": 30, "is_active": True} == company
    bought = office.made(office.admin, "/admin/subscriptions", subscription_body(company["id"]))
    assert bought | {"company_name": "Acme", "tier": "standard", "allocated_period": None} == bought
    opened = office.made(
        office.admin, "/admin/users", user_body("ada@acme.example", company_id=company["id"])
    )
    ada = office.token("ada@acme.example")
    assert office.get(ada, "/me").json() == opened
    child = office.made(ada, "/children", child_body())["id"]
    office.made(ada, f"/children/{child}/consents", consent_body(activity_booking=True))
    session = Town(office.owner).session(price=3)
    office.made(ada, "/bookings", {"session_id": str(session), "child_ids": [child]})
    assert office.get(ada, "/me/credits").json()["available"] == 5


def test_companies_are_listed_by_name_each_once(office: Office):
    names = ["beta", "Alpha", "Beta", "Ωmega", "gamma", "𝒜" * 255, "𝒜" * 254 + "b"]
    made = [office.made(office.admin, "/admin/companies", company_body(name)) for name in names]
    rows = office.pages(office.admin, "/admin/companies")
    assert rows[0]["name"] == "Alpha"
    assert {row["name"] for row in rows[1:3]} == {"beta", "Beta"}
    assert sorted(row["id"] for row in rows) == sorted(each["id"] for each in made)
    assert all(row in made for row in rows)


@pytest.mark.parametrize(
    ("more", "slug", "figures"),
    [
        ({"time_zone": "Mars/Base"}, "unknown-time-zone", {"time_zone": "Mars/Base"}),
        ({"contact_email": "kim"}, "malformed-email", {"email": "kim"}),
        ({"contract_end": "2026-01-01"}, "invalid-value", {"field": "contract_end"}),
        ({"name": "  "}, "invalid-value", {"field": "name"}),
        ({"employee_count": 0}, "invalid-body", {}),
        ({"payment_terms_days": 366}, "invalid-body", {}),
    ],
)
def test_a_company_that_cannot_be_is_refused(office: Office, more, slug, figures):
    assert_problem(office.post(office.admin, "/admin/companies", company_body(**more)), 422, slug, **figures)


@pytest.mark.parametrize(
    ("more", "slug", "figures"),
    [
        ({"end_date": "2026-01-01"}, "invalid-value", {"field": "end_date"}),
        ({"monthly_cost": {"minor": -1, "currency": "USD"}}, "invalid-value", {"field": "monthly_cost"}),
        ({"start_date": "9999-12-31"}, "invalid-value", {"field": "start_date"}),
        ({"start_date": "0001-01-01"}, "invalid-value", {"field": "start_date"}),
        ({"end_date": "9999-12-31"}, "invalid-value", {"field": "end_date"}),
        ({"billing_day": 29}, "invalid-body", {}),
        ({"monthly_cost": {"minor": 1, "currency": "usd"}}, "invalid-body", {}),
        ({"covered_employees": 0}, "invalid-body", {}),
    ],
)
def test_a_subscription_that_cannot_be_is_refused(office: Office, more, slug, figures):
    company = office.made(office.admin, "/admin/companies", company_body())["id"]
    answer = office.post(office.admin, "/admin/subscriptions", subscription_body(company, **more))
    assert_problem(answer, 422, slug, **figures)


def test_subscriptions_never_overlap_and_need_their_company(office: Office):
    company = office.company()
    again = subscription_body(company, start_date="2026-12-31")
    assert_problem(office.post(office.admin, "/admin/subscriptions", again), 409, "subscriptions-overlap")
    nobody = subscription_body(str(uuid4()))
    answer = office.post(office.admin, "/admin/subscriptions", nobody)
    assert_problem(answer, 404, "no-such-thing", kind="company")


def test_subscriptions_are_listed_the_latest_start_first_of_one_company_if_asked(office: Office):
    acme, other = (office.made(office.admin, "/admin/companies", company_body(n))["id"] for n in ("A", "B"))
    for company, start, end in (
        (acme, "2026-01-01", "2026-02-01"),
        (acme, "2026-02-01", "2026-03-01"),
        (acme, "2026-03-01", None),
        (other, "2026-02-01", None),
    ):
        office.made(
            office.admin, "/admin/subscriptions", subscription_body(company, start_date=start, end_date=end)
        )
    starts = [row["start_date"] for row in office.pages(office.admin, "/admin/subscriptions")]
    assert starts == ["2026-03-01", "2026-02-01", "2026-02-01", "2026-01-01"]
    mine = office.pages(office.admin, f"/admin/subscriptions?company_id={other}")
    assert [(row["company_id"], row["company_name"]) for row in mine] == [(other, "B")]


@pytest.mark.parametrize(
    ("more", "status", "slug", "figures"),
    [
        ({"email": "ada"}, 422, "malformed-email", {"email": "ada"}),
        ({"email": "ROOT@nexus.example"}, 409, "email-taken", {}),
        ({"password": "short"}, 422, "invalid-body", {}),
        ({"role": "platform_admin"}, 422, "misplaced-role", {"role": "platform_admin"}),
        ({"role": "venue_admin"}, 422, "misplaced-role", {"role": "venue_admin"}),
        ({"company_id": None}, 422, "misplaced-role", {"role": "parent"}),
        ({"company_id": str(uuid4())}, 404, "no-such-thing", {"kind": "company"}),
        ({"venue_id": str(uuid4())}, 404, "no-such-thing", {"kind": "venue"}),
        ({"time_zone": "Mars/Base"}, 422, "unknown-time-zone", {"time_zone": "Mars/Base"}),
        ({"monthly_credits": 0}, 422, "invalid-body", {}),
        ({"last_name": "\t"}, 422, "invalid-value", {"field": "last_name"}),
        ({"role": "king"}, 422, "invalid-body", {}),
    ],
)
def test_an_account_that_cannot_be_is_refused(office: Office, more, status, slug, figures):
    body = user_body("ada@acme.example", company_id=office.company()) | more
    answer = office.post(office.admin, "/admin/users", body)
    assert_problem(answer, status, slug, **figures)
    assert PASSWORD not in answer.text


def test_seats_are_capped_by_the_subscription(office: Office):
    company = office.company(seats=1)
    office.joins(company, "ada@acme.example")
    answer = office.post(office.admin, "/admin/users", user_body("eve@acme.example", company_id=company))
    assert_problem(answer, 409, "no-seats-left", covered=1)
    assert office.sign_in("eve@acme.example").status_code == 401


def test_without_a_password_nobody_signs_in_by_one(office: Office):
    body = user_body("ada@acme.example", company_id=office.company(), password=None)
    office.made(office.admin, "/admin/users", body)
    assert_problem(office.sign_in("ada@acme.example", ""), 401, "wrong-credentials")


def test_commands_sent_again_are_done_once(office: Office):
    company = office.company()
    for path, body in (
        ("/admin/companies", company_body("Twice")),
        ("/admin/users", user_body("ada@acme.example", company_id=company)),
        ("/admin/venues", venue_body()),
        ("/admin/settings", {"values": {"waitlist_confirmation_hours": 6}}),
    ):
        method = "PUT" if path == "/admin/settings" else "POST"
        first, again = (
            office.send(office.admin, method, path, body, idempotency_key=f"key-{path}") for _ in range(2)
        )
        assert first.status_code in (200, 201), first.text
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        assert again.headers["idempotency-replayed"] == "true"
    assert len(office.get(office.admin, "/admin/companies").json()["items"]) == 2
    assert len(office.get(office.admin, "/admin/venues").json()["items"]) == 1
    stored = office.owner.execute("SELECT count(*), string_agg(body::text, '') FROM command_keys").fetchone()
    assert stored[0] == 4
    assert PASSWORD.encode().hex() not in stored[1]


def test_a_venue_is_admitted_suspended_and_admitted_again(office: Office):
    answer = office.post(
        office.admin,
        "/admin/venues",
        venue_body(accessibility_features=["step_free", "quiet_room"], closed_dates=["2026-12-25"]),
    )
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    venue = answer.json()
    assert (
        venue
        | {
            "name": "The Barn",
            "status": "pending_approval",
            "accessibility_features": ["quiet_room", "step_free"],
            "closed_dates": ["2026-12-25"],
            "platform_fee_basis_points": 1750,
            "approved_at": None,
        }
        == venue
    )
    assert venue["place"]["country"] == "US"
    path = f"/admin/venues/{venue['id']}"
    assert_problem(
        office.post(office.admin, f"{path}/approve", {"safety_audit_completed": True}),
        409,
        "venue-not-ready",
        insurance_valid=False,
        background_check_completed=False,
        safety_audit_completed=True,
        required_coverage_minor=100_000_000,
    )
    active = office.made(office.admin, f"{path}/approve", SHOWN)
    assert (active["status"], active["approved_at"]) == ("active", "2026-03-02T12:00:00Z")
    assert active["insurance"] == INSURED
    again = office.post(office.admin, f"{path}/approve", {})
    assert_problem(again, 409, "wrong-venue-status", venue_status="active", step="approve")
    assert_problem(office.post(office.admin, f"{path}/reject", {"reason": "No."}), 409, "wrong-venue-status")
    stopped = office.made(office.admin, f"{path}/suspend", {"reason": "Open wiring."})
    assert (stopped["status"], stopped["status_reason"]) == ("suspended", "Open wiring.")
    back = office.made(office.admin, f"{path}/approve", {})
    assert (back["status"], back["status_reason"]) == ("active", None)


def test_an_application_is_declined_for_good(office: Office):
    venue = office.made(office.admin, "/admin/venues", venue_body(**SHOWN))["id"]
    declined = office.made(office.admin, f"/admin/venues/{venue}/reject", {"reason": "Too far."})
    assert declined["status"] == "rejected"
    answer = office.post(office.admin, f"/admin/venues/{venue}/approve", {})
    assert_problem(answer, 409, "wrong-venue-status", venue_status="rejected", step="approve")


def test_venues_are_listed_the_newest_first_by_status_if_asked(office: Office):
    made = [office.made(office.admin, "/admin/venues", venue_body(f"V{n}", **SHOWN))["id"] for n in range(5)]
    office.made(office.admin, f"/admin/venues/{made[2]}/approve", {})
    rows = office.pages(office.admin, "/admin/venues")
    assert sorted(row["id"] for row in rows) == sorted(made)
    keys = [(row["created_at"], row["id"]) for row in rows]
    assert keys == sorted(keys, reverse=True)
    active = office.pages(office.admin, "/admin/venues?status=active")
    assert [row["id"] for row in active] == [made[2]]
    assert office.get(office.admin, "/admin/venues?status=open").status_code == 400


@pytest.mark.parametrize(
    ("more", "slug", "figures"),
    [
        (
            {"insurance": {"coverage_minor": 99_999_999, "expires_on": "2027-01-01"}},
            "insurance-too-low",
            {"coverage_minor": 99_999_999, "required_minor": 100_000_000},
        ),
        ({"time_zone": "Mars/Base"}, "unknown-time-zone", {"time_zone": "Mars/Base"}),
        ({"name": " "}, "invalid-value", {"field": "name"}),
        ({"place": venue_body()["place"] | {"city": " "}}, "invalid-value", {"field": "city"}),
        ({"place": venue_body()["place"] | {"latitude": 90.1}}, "invalid-body", {}),
        ({"confirmation_hours": 0}, "invalid-body", {}),
        ({"status": "active"}, "invalid-body", {}),
    ],
)
def test_a_venue_that_cannot_be_is_refused(office: Office, more, slug, figures):
    assert_problem(office.post(office.admin, "/admin/venues", venue_body() | more), 422, slug, **figures)


@pytest.mark.parametrize("step", ["approve", "reject", "suspend"])
def test_a_venue_that_is_not_there_takes_no_step(office: Office, step):
    body = {} if step == "approve" else {"reason": "Why not."}
    answer = office.post(office.admin, f"/admin/venues/{uuid4()}/{step}", body)
    assert_problem(answer, 404, "no-such-thing", kind="venue")
    if step != "approve":
        assert_problem(
            office.post(office.admin, f"/admin/venues/{uuid4()}/{step}", {"reason": ""}), 422, "invalid-body"
        )


def setting(body, key):
    [found] = [each for each in body["items"] if each["key"] == key]
    return found


def test_settings_are_shown_with_what_they_mean(office: Office):
    hours = setting(office.get(office.admin, "/admin/settings").json(), "cancellation_window_hours")
    assert (
        hours
        | {
            "value": 48,
            "default": 48,
            "least": 0,
            "most": 720,
            "effective_from": None,
            "planned": [],
        }
        == hours
    )
    assert hours["meaning"].startswith("Hours before the start")


def test_settings_are_put_in_force_now_or_later(office: Office):
    now = {"values": {"cancellation_window_hours": 24, "credit_value": {"minor": 600, "currency": "EUR"}}}
    answer = office.send(office.admin, "PUT", "/admin/settings", now)
    assert answer.status_code == 200
    assert setting(answer.json(), "credit_value")["value"] == {"minor": 600, "currency": "EUR"}
    later = {"values": {"cancellation_window_hours": 12}, "effective_from": "2026-03-03T01:00:00+01:00"}
    office.send(office.admin, "PUT", "/admin/settings", later)
    hours = setting(office.get(office.admin, "/admin/settings").json(), "cancellation_window_hours")
    assert (hours["value"], hours["effective_from"]) == (24, "2026-03-02T12:00:00Z")
    assert hours["planned"] == [{"value": 12, "effective_from": "2026-03-03T00:00:00Z"}]
    office.clock.at = office.clock.at.replace(day=3, hour=0)
    hours = setting(office.get(office.admin, "/admin/settings").json(), "cancellation_window_hours")
    assert (hours["value"], hours["planned"]) == (12, [])


@pytest.mark.parametrize(
    ("body", "slug", "figures"),
    [
        ({"values": {"nonsense": 1}}, "unknown-setting", {"key": "nonsense"}),
        (
            {"values": {"cancellation_window_hours": 721}},
            "invalid-value",
            {"field": "cancellation_window_hours"},
        ),
        ({"values": {"cancellation_window_hours": True}}, "invalid-value", {}),
        ({"values": {"cancellation_window_hours": 1.5}}, "invalid-value", {}),
        ({"values": {"cancellation_window_hours": None}}, "invalid-value", {}),
        ({"values": {"credit_value": 600}}, "invalid-value", {"field": "credit_value"}),
        (
            {"values": {"credit_value": {"minor": 1, "currency": "usd"}}},
            "invalid-value",
            {"field": "credit_value"},
        ),
        (
            {"values": {"waitlist_confirmation_hours": 5}, "effective_from": "2026-03-02T11:59:59Z"},
            "invalid-value",
            {"field": "effective_from"},
        ),
        ({"values": {}}, "invalid-body", {}),
    ],
)
def test_a_setting_out_of_bounds_changes_nothing(office: Office, body, slug, figures):
    before = office.get(office.admin, "/admin/settings").json()
    assert_problem(office.send(office.admin, "PUT", "/admin/settings", body), 422, slug, **figures)
    assert office.get(office.admin, "/admin/settings").json() == before
