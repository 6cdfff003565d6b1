"""Signing in and out, for real: passwords, tokens, cookies."""

import pytest
from litestar.testing import TestClient
from structlog.testing import capture_logs

from nexus.entrypoints.http.api import build
from nexus.entrypoints.settings import Settings
from tests.support.front import V1, assert_problem
from tests.support.office import PASSWORD, Office, user_body, venue_body

ROUTES = [
    ("GET", "/me", None),
    ("POST", "/auth/sign-out", None),
    ("GET", "/me/credits", {"parent", "hr_admin"}),
    ("GET", "/children", {"parent", "hr_admin"}),
    ("POST", "/children", {"parent", "hr_admin"}),
    ("GET", "/children/{id}", {"parent", "hr_admin"}),
    ("PATCH", "/children/{id}", {"parent", "hr_admin"}),
    ("GET", "/children/{id}/consents", {"parent", "hr_admin"}),
    ("POST", "/children/{id}/consents", {"parent", "hr_admin"}),
    ("GET", "/hr/overview", {"hr_admin"}),
    ("GET", "/hr/employees", {"hr_admin"}),
    ("GET", "/admin/companies", {"platform_admin"}),
    ("POST", "/admin/companies", {"platform_admin"}),
    ("GET", "/admin/subscriptions", {"platform_admin"}),
    ("POST", "/admin/subscriptions", {"platform_admin"}),
    ("POST", "/admin/users", {"platform_admin"}),
    ("POST", "/admin/credits/adjust", {"platform_admin"}),
    ("GET", "/admin/settings", {"platform_admin"}),
    ("PUT", "/admin/settings", {"platform_admin"}),
    ("GET", "/admin/venues", {"platform_admin"}),
    ("POST", "/admin/venues", {"platform_admin"}),
    ("POST", "/admin/venues/{id}/approve", {"platform_admin"}),
    ("POST", "/admin/venues/{id}/reject", {"platform_admin"}),
    ("POST", "/admin/venues/{id}/suspend", {"platform_admin"}),
]
SOME_ID = "0190163d-8694-739b-aea5-966c26f8ad91"


def test_a_password_gives_a_token(office: Office):
    office.joins(office.company(), "ada@acme.example")
    answer = office.sign_in("ADA@acme.example")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["password_is_short"], body["is_restricted"]) == (False, False)
    me = office.get(body["token"], "/me")
    assert me.status_code == 200
    assert me.json() == body["me"]
    assert (
        me.json()
        | {
            "email": "ada@acme.example",
            "role": "parent",
            "company_name": "Acme",
            "venue_id": None,
            "time_zone": "America/Chicago",
        }
        == me.json()
    )


def test_the_cookie_signs_a_browser_in(office: Office):
    answer = office.sign_in("root@nexus.example")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"nexus_session={answer.json()['token']};")
    stated = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert stated == {"httponly", "path=/", "samesite=lax", "max-age=2592000"}
    assert office.client.get(V1 + "/me").json()["email"] == "root@nexus.example"


def test_behind_tls_the_cookie_is_bound_to_the_host_and_secure(office: Office):
    app = build(office.nexus, Settings(pool_size=2, https=True))
    with TestClient(app, base_url="https://nexus.example") as client:
        client.headers["origin"] = "https://nexus.example"
        credentials = {"email": "root@nexus.example", "password": PASSWORD}
        cookie = client.post(V1 + "/auth/sign-in", json=credentials).headers["set-cookie"]
        assert cookie.startswith("__Host-nexus_session=")
        assert {"secure", "httponly", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
        assert client.get(V1 + "/me").status_code == 200
        gone = client.post(V1 + "/auth/sign-out").headers["set-cookie"]
        assert gone.startswith('__Host-nexus_session="";')
        assert {"secure", "max-age=0", "path=/"} <= {part.strip().lower() for part in gone.split(";")}
        assert client.get(V1 + "/me").status_code == 401


def test_behind_tls_a_cookie_that_a_neighbouring_host_could_set_signs_nobody_in(office: Office):
    """A browser sends it like any other: its owner would type a family's data into a stranger's account."""
    app = build(office.nexus, Settings(pool_size=2, https=True))
    with TestClient(app, base_url="https://nexus.example") as client:
        credentials = {"email": "root@nexus.example", "password": PASSWORD}
        token = client.post(V1 + "/auth/sign-in", json=credentials).json()["token"]
        client.cookies.clear()
        for name, status in (("nexus_session", 401), ("__Host-nexus_session", 200)):
            assert client.get(V1 + "/me", headers={"cookie": f"{name}={token}"}).status_code == status


def test_signing_in_never_tells_whether_there_is_an_account(office: Office):
    office.joins(office.company(), "ada@acme.example")
    office.joins(office.company("Other"), "gone@other.example")
    office.owner.execute("UPDATE users SET is_active = false WHERE email = 'gone@other.example'")
    answers = [
        office.sign_in("ada@acme.example", "not her password"),
        office.sign_in("nobody@acme.example"),
        office.sign_in("gone@other.example"),
        office.sign_in("not an address"),
    ]
    for answer in answers:
        assert_problem(answer, 401, "wrong-credentials")
        assert "set-cookie" not in answer.headers
    said = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in answers]
    assert said == [said[0]] * 4


def test_a_sign_in_gives_a_new_token_whatever_was_sent_along(office: Office):
    credentials = {"email": "root@nexus.example", "password": PASSWORD}
    again = office.post(office.admin, "/auth/sign-in", credentials)
    planted = office.post("planted-by-somebody-else", "/auth/sign-in", credentials)
    tokens = {office.admin, "planted-by-somebody-else", again.json()["token"], planted.json()["token"]}
    assert len(tokens) == 4
    assert office.get("planted-by-somebody-else", "/me").status_code == 401


def test_signing_out_ends_the_sign_in_and_clears_the_cookie(office: Office):
    other = office.token("root@nexus.example")
    answer = office.post(office.admin, "/auth/sign-out")
    assert (answer.status_code, answer.content) == (204, b"")
    assert 'nexus_session=""' in answer.headers["set-cookie"]
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    assert_problem(office.get(office.admin, "/me"), 401, "session-ended")
    assert office.get(other, "/me").status_code == 200


def test_a_disabled_account_is_signed_out_at_once(office: Office):
    ada = office.joins(office.company(), "ada@acme.example")
    assert office.get(ada, "/me").status_code == 200
    office.owner.execute("UPDATE users SET is_active = false WHERE email = 'ada@acme.example'")
    assert_problem(office.get(ada, "/me"), 401, "session-ended")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"email": "root@nexus.example"}, "body.password"),
        ({"email": 5, "password": PASSWORD}, "body.email"),
        ({"email": "root@nexus.example", "password": "p" * 1025}, "body.password"),
        ({"email": "root@nexus.example", "password": PASSWORD, "role": "platform_admin"}, "body.role"),
    ],
)
def test_what_is_no_sign_in_is_refused_without_repeating_it(office: Office, body, path):
    answer = office.post(None, "/auth/sign-in", body)
    assert_problem(answer, 422, "invalid-body")
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]
    assert PASSWORD not in answer.text
    assert "pppp" not in answer.text


def test_neither_tokens_nor_passwords_are_logged(office: Office, capfd):
    with capture_logs() as logs:
        token = office.token("root@nexus.example")
        office.sign_in("root@nexus.example", "a wrong password")
        office.get(token, "/me")
        office.get(token + "x", "/me")
        office.post(token, "/admin/users", user_body("ada@acme.example", "nobody"))
    seen = str(logs) + "".join(capfd.readouterr())
    assert len(logs) == 5
    for secret in (token, PASSWORD, "a wrong password"):
        assert secret not in seen


@pytest.mark.parametrize(("method", "path", "roles"), ROUTES)
def test_every_route_asks_who_is_there(office: Office, method, path, roles):
    answer = office.send(None, method, path.format(id=SOME_ID), {})
    assert_problem(answer, 401, "sign-in-required")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_every_route_is_for_its_roles_only(office: Office):
    company = office.company()
    venue = office.made(office.admin, "/admin/venues", venue_body())["id"]
    tokens = {
        "parent": office.joins(company, "parent@acme.example"),
        "hr_admin": office.joins(company, "hr@acme.example", role="hr_admin"),
        "venue_admin": office.joins(None, "val@barn.example", role="venue_admin", venue_id=venue),
        "platform_admin": office.admin,
    }
    for method, path, roles in ROUTES:
        if roles is None:
            continue
        for role, token in tokens.items():
            answer = office.send(token, method, path.format(id=SOME_ID), {"nonsense": 1})
            if role in roles:
                assert answer.status_code in (200, 404, 422), (method, path, role, answer.text)
            else:
                assert_problem(answer, 403, "not-for-this-role", role=role)


def test_a_password_goes_in_and_never_out(office: Office):
    document = office.client.get("/schema/openapi.json").json()
    for name in ("PasswordSignIn", "UserBody"):
        password = document["components"]["schemas"][name]["properties"]["password"]
        assert (password["format"], password["writeOnly"]) == ("password", True)
    made = office.made(office.admin, "/admin/users", user_body("root2@nexus.example", "platform_admin"))
    assert "password" not in str(made)


def test_signing_out_under_a_key_ends_the_sign_in_too(office: Office):
    answer = office.post(office.admin, "/auth/sign-out", idempotency_key="bye")
    assert (answer.status_code, answer.content) == (204, b"")
    assert 'nexus_session=""' in answer.headers["set-cookie"]
    again = office.post(office.admin, "/auth/sign-out", idempotency_key="bye")
    assert_problem(again, 401, "session-ended")


def test_another_site_cannot_use_a_browsers_cookie(office: Office):
    token = office.sign_in("root@nexus.example").json()["token"]
    cookie = {"cookie": f"nexus_session={token}"}
    for sent in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        office.client.cookies.clear()
        answer = office.client.post(V1 + "/auth/sign-out", headers=cookie | sent)
        assert_problem(answer, 403, "cross-site-request")
    assert office.get(token, "/me").status_code == 200
