"""API keys over HTTP: made, recognised, and ended."""

import asyncio
from datetime import timedelta
from ipaddress import ip_network
from urllib.parse import quote

import httpx
import pytest
from structlog.testing import capture_logs

from nexus.adapters.passwords import api_keys as digesting
from nexus.adapters.postgres.connection import WalledCursor
from nexus.application.platform.scopes import SCOPES
from nexus.domain.identity.people import Role
from nexus.domain.platform.api_keys import KeyText
from nexus.entrypoints.http.api import build
from nexus.entrypoints.settings import Settings
from tests.support.front import V1, assert_problem
from tests.support.makers import Makers, employees
from tests.support.office import Office, venue_body

ID = "0190163d-8694-739b-aea5-966c26f8ad91"


# --- made


def test_a_key_is_shown_once_and_kept_nowhere(makers: Makers, capfd):
    office, hr = makers.office, makers.tokens[Role.HR_ADMIN]
    body = {"name": "Payroll", "scopes": ["read:employees"], "allowed_networks": []}
    with capture_logs() as logs:
        answer = office.post(hr, "/me/api-keys", body, idempotency_key="make")
        made = answer.json()
        again = office.post(hr, "/me/api-keys", body, idempotency_key="make")
        assert employees(office, made["token"]).status_code == 200
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.json() == made | {"token": None}
    assert again.headers["cache-control"] == "no-store"
    secret = KeyText.read(made["token"]).secret
    kept = [
        office.owner.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t").fetchone()[0] or ""
        for table in ("api_keys", "command_keys", "audit_logs", "outbox")
    ]
    hexed = secret.encode().hex()
    shown = [
        office.get(hr, "/me/api-keys").text,
        office.get(hr, f"/me/api-keys/{made['key']['id']}").text,
        office.get(office.admin, "/admin/api-keys").text,
        *kept,
        str(logs),
        *capfd.readouterr(),
    ]
    assert made["key"]["prefix"] in shown[0]
    assert [text for text in shown if secret in text or hexed in text] == []
    assert "security.api_key_made" in kept[2]


REFUSED = [
    ({"scopes": ["write:sessions"]}, "no-such-scope"),
    ({"scopes": []}, "invalid-body"),
    ({"name": ""}, "invalid-body"),
    ({"name": "  "}, "invalid-value"),
    ({"allowed_networks": ["10.0.0.1/8"]}, "invalid-value"),
    ({"expires_at": "2027-03-03T12:00:00.000001Z"}, "life-too-long"),
    ({"expires_at": "2026-03-02T12:00:00Z"}, "invalid-value"),
    ({"rate_limit_per_minute": 0}, "invalid-body"),
    ({"rate_limit_per_day": 100_001}, "invalid-body"),
    ({"key_type": "toy"}, "invalid-body"),
    ({"owner": ID}, "invalid-body"),
]


def test_what_no_key_may_be(makers: Makers):
    hr = makers.tokens[Role.HR_ADMIN]
    for change, slug in REFUSED:
        body = {"name": "Key", "scopes": ["read:employees"]} | change
        answer = makers.office.post(hr, "/me/api-keys", body)
        assert_problem(answer, 422, slug)
        if slug == "no-such-scope":
            assert answer.json()["available"] == sorted(SCOPES[Role.HR_ADMIN])
    assert makers.office.get(hr, "/me/api-keys").json()["items"] == []


def test_a_key_lives_for_ninety_days_and_ends_to_the_microsecond(makers: Makers):
    office, made = makers.office, makers.make(Role.HR_ADMIN)
    assert made["key"]["expires_at"] == "2026-05-31T12:00:00Z"
    office.clock.at += timedelta(days=90) - timedelta(microseconds=1)
    assert employees(office, made["token"]).status_code == 200
    office.clock.at += timedelta(microseconds=1)
    assert_problem(employees(office, made["token"]), 401, "key-not-valid")


# --- shown


def test_a_wrong_secret_with_a_right_prefix_is_compared_in_constant_time(makers: Makers, monkeypatch):
    compared = []

    def compare(one, other):
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(digesting, "compare_digest", compare)
    made = makers.make(Role.HR_ADMIN)["token"]
    wrong = KeyText(KeyText.read(made).prefix, digesting.new_key_text().secret).text
    assert_problem(employees(makers.office, wrong), 401, "key-not-valid")
    assert [(len(one), len(other)) for one, other in compared] == [(32, 32)]
    assert employees(makers.office, made).status_code == 200


def test_a_key_costs_one_statement_and_a_mistyped_one_none(makers: Makers, monkeypatch):
    made = makers.make(Role.HR_ADMIN)["token"]
    said = []
    execute = WalledCursor.execute

    def hear(cursor, query, *more, **named):
        said.append(query)
        return execute(cursor, query, *more, **named)

    monkeypatch.setattr(WalledCursor, "execute", hear)
    assert makers.office.nexus.recognise_key(made) is not None
    assert len(said) == 1
    mistyped = made[:-1] + ("a" if made[-1] != "a" else "b")
    assert_problem(employees(makers.office, mistyped), 401, "key-not-valid")
    assert len(said) == 1


def test_a_key_comes_in_the_header_and_nowhere_else(makers: Makers):
    office, key = makers.office, makers.make(Role.HR_ADMIN)["token"]
    address = f"{V1}/hr/employees"
    for cookie in ("nexus_session", "__Host-nexus_session"):
        answer = office.client.get(address, headers={"cookie": f"{cookie}={key}"})
        assert_problem(answer, 401, "sign-in-required")
    for name in ("token", "access_token", "api_key", "authorization", "key"):
        assert_problem(office.client.get(f"{address}?{name}={quote(key)}"), 401, "sign-in-required")
    for header in ({"x-api-key": key}, {"authorization": key}, {"authorization": f"Basic {key}"}):
        assert_problem(office.client.get(address, headers=header), 401, "sign-in-required")
    assert office.client.get(address, headers={"authorization": f"bearer {key}"}).status_code == 200


def test_to_what_is_public_a_key_adds_nothing(makers: Makers):
    answer = makers.office.client.get("/problems", headers={"authorization": "Bearer nxk_abcd1234_x"})
    assert answer.status_code == 200


def test_revoked_it_is_refused_at_once(makers: Makers):
    office, made = makers.office, makers.make(Role.HR_ADMIN)
    hr, path = makers.tokens[Role.HR_ADMIN], f"/me/api-keys/{made['key']['id']}/revoke"
    assert employees(office, made["token"]).status_code == 200
    gone = office.post(hr, path, {"reason": "Tablet stolen."})
    assert (gone.status_code, gone.json()["state"], gone.json()["revoke_reason"]) == (
        200,
        "revoked",
        "Tablet stolen.",
    )
    assert_problem(employees(office, made["token"]), 401, "key-not-valid")
    assert office.post(hr, path, {}).json() == gone.json()


def test_rotated_both_open_until_the_overlap_is_over(makers: Makers):
    office, made, hr = makers.office, makers.make(Role.HR_ADMIN), makers.tokens[Role.HR_ADMIN]
    path = f"/me/api-keys/{made['key']['id']}/rotate"
    for hours in (-1, 169):
        assert_problem(office.post(hr, path, {"overlap_hours": hours}), 422, "invalid-body")
    new = office.made(hr, path, {})
    assert (new["key"]["replaces"], new["key"]["scopes"]) == (made["key"]["id"], made["key"]["scopes"])
    assert_problem(office.post(hr, path, {}), 409, "rotated-already", successor=new["key"]["id"])
    office.clock.at += timedelta(hours=24) - timedelta(microseconds=1)
    assert [employees(office, each["token"]).status_code for each in (made, new)] == [200, 200]
    office.clock.at += timedelta(microseconds=1)
    assert [employees(office, each["token"]).status_code for each in (made, new)] == [401, 200]
    at_once = office.made(hr, f"/me/api-keys/{new['key']['id']}/rotate", {"overlap_hours": 0})
    assert [employees(office, each["token"]).status_code for each in (new, at_once)] == [401, 200]


@pytest.mark.parametrize(
    "change",
    [
        "is_active = false",
        "left_at = '2026-03-02T12:00:00Z'",
        "venue_id = (SELECT id FROM venues WHERE name = 'Elsewhere')",
        "venue_id = NULL, role = 'parent', corporate_id = (SELECT id FROM corporates)",
        "venue_id = NULL, role = 'platform_admin'",
    ],
)
def test_a_key_dies_with_the_account_that_made_it(makers: Makers, change):
    office, made = makers.office, makers.make(Role.VENUE_ADMIN)
    office.made(office.admin, "/admin/venues", venue_body("Elsewhere"))
    office.owner.execute(
        "UPDATE users SET left_at = '2026-03-02T12:00:00.000001Z' WHERE email = 'val@barn.example'"
    )
    answer = office.get(made["token"], "/venue/sessions")
    assert answer.status_code == 200, "whoever leaves later is still here"
    office.owner.execute(f"UPDATE users SET {change} WHERE email = 'val@barn.example'")
    assert_problem(office.get(made["token"], "/venue/sessions"), 401, "key-not-valid")
    [seen] = office.get(office.admin, f"/admin/api-keys?prefix={made['key']['prefix']}").json()["items"]
    assert seen["state"] == "ownerless"


def test_a_key_sees_its_own_company_only(makers: Makers):
    office, key = makers.office, makers.make(Role.HR_ADMIN)["token"]
    office.joins(makers.company, "ada@acme.example")
    elsewhere = office.company("Other")
    office.joins(elsewhere, "bob@other.example")
    seen = {each["email"] for each in employees(office, key).json()["items"]}
    assert seen == {"hr@acme.example", "ada@acme.example"}
    [stranger] = office.owner.execute("SELECT id FROM users WHERE email = 'bob@other.example'").fetchone()
    assert_problem(office.post(key, f"/hr/employees/{stranger}/leave", {}), 404, "no-such-thing")


def test_from_other_networks_it_is_refused(makers: Makers):
    office, made = makers.office, makers.make(Role.HR_ADMIN, allowed_networks=["203.0.113.0/24"])
    assert_problem(employees(office, made["token"]), 403, "not-from-this-address")
    [used] = office.owner.execute("SELECT total_requests FROM api_keys").fetchone()
    assert used == 0


NETWORK = ip_network("203.0.113.0/24")
PROXIES = (ip_network("10.0.0.0/8"),)


def test_no_header_moves_a_key_into_its_network(makers: Makers):
    """Only what a declared proxy has added counts; the rest a client wrote itself."""
    office = makers.office
    key = makers.make(Role.HR_ADMIN, allowed_networks=[str(NETWORK)])["token"]
    app = build(office.nexus, Settings(pool_size=4, trusted_proxies=PROXIES))

    async def ask(peer, forwarded):
        headers = {"authorization": f"Bearer {key}"}
        if forwarded is not None:
            headers["x-forwarded-for"] = forwarded
        transport = httpx.ASGITransport(app, client=(peer, 40_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://nexus.example") as client:
            return (await client.get(f"{V1}/hr/employees", headers=headers)).status_code

    for peer, forwarded, status in (
        ("203.0.113.9", None, 200),
        ("::ffff:203.0.113.9", None, 200),
        ("203.0.113.9", "198.51.100.1", 200),
        ("198.51.100.1", None, 403),
        ("198.51.100.1", "203.0.113.9", 403),
        ("10.0.0.1", None, 403),
        ("10.0.0.1", "203.0.113.9", 200),
        ("10.0.0.1", "203.0.113.9, 198.51.100.1", 403),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9, 10.0.0.2", 200),
        ("10.0.0.1", "nonsense", 403),
    ):
        assert asyncio.run(ask(peer, forwarded)) == status, (peer, forwarded)
    office.nexus.write_key_uses()
    [used] = office.owner.execute("SELECT host(last_used_ip) FROM api_keys").fetchone()
    assert used == "203.0.113.9"


# --- the platform's view


def test_the_platform_finds_and_ends_a_leaked_key(makers: Makers):
    office, made, other = makers.office, makers.make(Role.HR_ADMIN), makers.make(Role.VENUE_ADMIN)
    employees(office, made["token"])
    office.nexus.write_key_uses()
    [found] = office.get(office.admin, f"/admin/api-keys?prefix={made['key']['prefix']}").json()["items"]
    assert (found["id"], found["owner_email"], found["company_id"]) == (
        made["key"]["id"],
        "hr@acme.example",
        makers.company,
    )
    assert (found["total_requests"], found["last_used_at"]) == (1, "2026-03-02T12:00:00Z")
    [theirs] = office.get(office.admin, "/admin/api-keys?email=VAL@barn.example").json()["items"]
    assert theirs["id"] == other["key"]["id"]
    assert {each["id"] for each in office.pages(office.admin, "/admin/api-keys")} == {
        found["id"],
        theirs["id"],
    }
    path = f"/admin/api-keys/{found['id']}/revoke"
    assert_problem(office.post(office.admin, path, {}), 422, "invalid-body")
    gone = office.post(office.admin, path, {"reason": "In a public repository."})
    assert (gone.status_code, gone.json()["state"]) == (200, "revoked")
    assert_problem(employees(office, made["token"]), 401, "key-not-valid")
    own = office.get(makers.tokens[Role.HR_ADMIN], f"/me/api-keys/{found['id']}").json()
    assert own["revoke_reason"] == "In a public repository."
    missing = office.post(office.admin, f"/admin/api-keys/{ID}/revoke", {"reason": "r"})
    assert_problem(missing, 404, "no-such-thing")


def test_whole_keys_and_patterns_are_no_prefix(office: Office):
    for prefix in (KeyText("abcd1234", "x" * 43).text, "%", "", "ABCD"):
        answer = office.get(office.admin, f"/admin/api-keys?prefix={quote(prefix)}")
        assert_problem(answer, 400, "invalid-parameters")
        assert "x" * 43 not in answer.text
