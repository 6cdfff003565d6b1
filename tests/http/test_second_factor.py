"""Second factors and the life of sign-ins, over the served application."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic, sleep
from uuid import uuid4

import pytest
from litestar.testing import TestClient

from nexus.domain.identity.second_factor import as_seed, hotp, step_at
from nexus.entrypoints.http.api import build
from nexus.entrypoints.http.policies import Policy, policy_of, routes_of
from nexus.entrypoints.settings import Settings
from tests.support.front import V1, assert_problem
from tests.support.office import PASSWORD, Office, child_body, user_body

ROOT = "root@nexus.example"
ALL = ("hr_admin", "venue_admin", "platform_admin")
OPEN_TO_RESTRICTED = {
    ("GET", "/api/v1/me"),
    ("POST", "/api/v1/auth/sign-out"),
    ("GET", "/api/v1/me/second-factor"),
    ("POST", "/api/v1/me/second-factor"),
    ("POST", "/api/v1/me/second-factor/confirm"),
}


def code_of(office: Office, secret: str) -> str:
    return hotp(as_seed(secret), step_at(office.clock.at))


def enrol(office: Office, token: str) -> tuple[str, dict]:
    """The secret and what confirming it answered, half a minute later."""
    begun = office.made(token, "/me/second-factor", {})
    confirmed = office.made(token, "/me/second-factor/confirm", {"code": code_of(office, begun["secret"])})
    office.clock.at += timedelta(seconds=30)
    return begun["secret"], confirmed


def challenged(office: Office, email: str = ROOT, **more) -> str:
    answer = office.sign_in(email, **more)
    assert answer.status_code == 202, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert answer.json().keys() == {"challenge", "expires_at"}
    found: str = answer.json()["challenge"]
    return found


def complete(office: Office, challenge: str, code: str):
    return office.post(None, "/auth/second-factor", {"challenge": challenge, "code": code})


def test_an_administrator_sets_up_a_factor_before_anything_else(office: Office):
    office.ask_for_second_factors(*ALL)
    first = office.sign_in(ROOT).json()
    assert first["is_restricted"] is True
    assert_problem(office.get(first["token"], "/admin/settings"), 403, "second-factor-required")
    shown = office.get(first["token"], "/me/second-factor").json()
    assert shown == {"is_set_up": False, "is_required": True, "set_up_at": None, "recovery_codes_left": 0}
    begun = office.post(first["token"], "/me/second-factor", {})
    assert begun.headers["cache-control"] == "no-store"
    assert begun.json()["uri"].startswith("otpauth://totp/Nexus%20Family%20Pass:root@nexus.example?secret=")
    code = code_of(office, begun.json()["secret"])
    confirmed = office.post(first["token"], "/me/second-factor/confirm", {"code": code})
    assert confirmed.status_code == 200
    assert confirmed.headers["cache-control"] == "no-store"
    body = confirmed.json()
    assert len(set(body["recovery_codes"])) == 10
    assert body["is_restricted"] is False
    assert f"nexus_session={body['token']}" in confirmed.headers["set-cookie"]
    assert_problem(office.get(first["token"], "/me"), 401, "session-ended")
    assert office.get(body["token"], "/admin/settings").status_code == 200
    office.clock.at += timedelta(seconds=30)
    answer = complete(office, challenged(office), code_of(office, begun.json()["secret"]))
    assert answer.status_code == 200
    assert answer.json()["password_is_short"] is None
    assert answer.json()["me"]["email"] == ROOT
    assert office.get(answer.json()["token"], "/admin/settings").status_code == 200


def test_a_restricted_sign_in_is_refused_by_every_route_but_those_that_end_it(office: Office):
    """Asked of the running application's own routes, so that a new one is covered by itself."""
    token = office.admin
    office.ask_for_second_factors(*ALL)
    asked = set()
    for path, method, handler in routes_of(office.client.app):
        public = policy_of(handler) is Policy.PUBLIC and not handler.opt.get("recognise")
        if public or (method, path) == ("POST", "/api/v1/auth/sign-out"):
            continue
        address = re.sub(r"{\w+}", str(uuid4()), path)
        office.client.cookies.clear()
        answer = office.client.request(method, address, headers={"authorization": f"Bearer {token}"}, json={})
        asked.add((method, path))
        if (method, path) in OPEN_TO_RESTRICTED:
            assert answer.status_code != 403, (method, path, answer.text)
        else:
            assert_problem(answer, 403, "second-factor-required")
    assert len(asked) > 60
    assert asked >= OPEN_TO_RESTRICTED - {("POST", "/api/v1/auth/sign-out")}
    assert office.post(token, "/auth/sign-out").status_code == 204


def test_codes_count_once_and_clocks_may_be_one_step_off(office: Office):
    secret, _ = enrol(office, office.admin)
    code = code_of(office, secret)
    assert complete(office, challenged(office), code).status_code == 200
    assert_problem(complete(office, challenged(office), code), 403, "wrong-code")
    office.clock.at += timedelta(seconds=60)
    late = hotp(as_seed(secret), step_at(office.clock.at) - 1)
    assert complete(office, challenged(office), late).status_code == 200


def test_a_recovery_code_gets_in_once(office: Office):
    _, confirmed = enrol(office, office.admin)
    one = confirmed["recovery_codes"][3]
    answer = complete(office, challenged(office), one.lower())
    assert answer.status_code == 200
    assert_problem(complete(office, challenged(office), one), 403, "wrong-code")
    left = office.get(answer.json()["token"], "/me/second-factor").json()
    assert left["recovery_codes_left"] == 9


def test_a_challenge_and_a_token_cannot_be_taken_for_each_other(office: Office):
    secret, confirmed = enrol(office, office.admin)
    challenge = challenged(office)
    assert_problem(office.get(challenge, "/me"), 401, "session-ended")
    office.client.cookies.clear()
    by_cookie = office.client.get(V1 + "/me", headers={"cookie": f"nexus_session={challenge}"})
    assert_problem(by_cookie, 401, "session-ended")
    code = code_of(office, secret)
    for other in (confirmed["token"], "x" * 43, ""):
        assert_problem(complete(office, other, code), 401, "challenge-ended")
    assert complete(office, challenge, code).status_code == 200
    assert_problem(complete(office, challenge, confirmed["recovery_codes"][0]), 401, "challenge-ended")


def test_without_the_password_nobody_learns_who_has_a_factor(office: Office):
    enrol(office, office.admin)
    with_factor = office.sign_in(ROOT, "a wrong password")
    nobody = office.sign_in("nobody@nexus.example", "a wrong password")
    for answer in (with_factor, nobody):
        assert_problem(answer, 401, "wrong-credentials")
    said = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in (with_factor, nobody)]
    assert said[0] == said[1]


def test_what_a_client_sends_along_never_becomes_its_token(office: Office):
    """Session fixation: neither a planted cookie nor a planted header is adopted, at any step."""
    planted = "planted-by-somebody-else-0123456789abcdefgh"
    sent = {
        "cookie": f"nexus_session={planted}",
        "authorization": f"Bearer {planted}",
        "origin": "http://testserver.local",
    }

    def post(path, body):
        office.client.cookies.clear()
        return office.client.post(V1 + path, json=body, headers=sent)

    tokens = [post("/auth/sign-in", {"email": ROOT, "password": PASSWORD}).json()["token"]]
    secret, confirmed = enrol(office, tokens[0])
    tokens.append(confirmed["token"])
    challenge = post("/auth/sign-in", {"email": ROOT, "password": PASSWORD}).json()["challenge"]
    answer = post("/auth/second-factor", {"challenge": challenge, "code": code_of(office, secret)})
    tokens.append(answer.json()["token"])
    assert f"nexus_session={tokens[-1]}" in answer.headers["set-cookie"]
    assert len({planted, challenge, *tokens}) == 5
    for dead in (planted, tokens[0]):
        assert_problem(office.get(dead, "/me"), 401, "session-ended")


def test_remembering_is_asked_for(office: Office):
    plain = office.sign_in(ROOT, remember=False)
    assert plain.json()["expires_at"] == "2026-03-03T00:00:00Z"
    assert plain.json()["idle_limit_seconds"] == 3600
    assert "max-age" not in plain.headers["set-cookie"].lower()
    kept = office.sign_in(ROOT)
    assert kept.json()["expires_at"] == "2026-04-01T12:00:00Z"
    assert kept.json()["idle_limit_seconds"] == 14 * 86400
    assert "max-age=2592000" in kept.headers["set-cookie"].lower()
    secret, confirmed = enrol(office, kept.json()["token"])
    assert confirmed["idle_limit_seconds"] == 14 * 86400, "renewed as it was"
    short = complete(office, challenged(office, remember=False), code_of(office, secret))
    assert "max-age" not in short.headers["set-cookie"].lower()


def test_behind_tls_the_renewed_cookie_is_bound_to_the_host(office: Office):
    app = build(office.nexus, Settings(pool_size=2, https=True))
    with TestClient(app, base_url="https://nexus.example") as client:
        client.post(V1 + "/auth/sign-in", json={"email": ROOT, "password": PASSWORD})
        origin = {"origin": "https://nexus.example"}
        begun = client.post(V1 + "/me/second-factor", json={}, headers=origin).json()
        code = code_of(office, begun["secret"])
        answer = client.post(V1 + "/me/second-factor/confirm", json={"code": code}, headers=origin)
        cookie = answer.headers["set-cookie"].lower()
        assert cookie.startswith("__host-nexus_session=")
        assert "secure" in cookie
        assert client.get(V1 + "/me").status_code == 200, "the browser goes on"


def test_where_one_is_signed_in_is_listed_and_ended(office: Office):
    parent = office.joins(office.company(), "ada@acme.example")
    office.client.headers["user-agent"] = "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko Firefox/128.0"
    try:
        here = office.token("ada@acme.example")
    finally:
        office.client.headers["user-agent"] = "testclient"
    items = office.get(here, "/me/sign-ins").json()["items"]
    assert [item["is_current"] for item in items] in ([True, False], [False, True])
    mine = next(item for item in items if item["is_current"])
    other = next(item for item in items if not item["is_current"])
    assert (mine["device"], mine["has_second_factor"]) == ("Firefox on Windows", False)
    assert_problem(office.send(office.admin, "DELETE", f"/me/sign-ins/{other['id']}"), 404, "no-such-thing")
    assert office.get(parent, "/me").status_code == 200
    ended = office.send(here, "DELETE", f"/me/sign-ins/{other['id']}", idempotency_key="end")
    assert (ended.status_code, ended.content) == (204, b"")
    assert_problem(office.get(parent, "/me"), 401, "session-ended")
    third = office.token("ada@acme.example")
    assert office.send(here, "DELETE", "/me/sign-ins").status_code == 204
    assert_problem(office.get(third, "/me"), 401, "session-ended")
    assert office.get(here, "/me").status_code == 200


def test_a_disabled_account_is_out_at_once_everywhere(office: Office):
    company = office.company()
    ada = office.joins(company, "ada@acme.example")
    id_ = office.get(ada, "/me").json()["id"]
    path = f"/admin/users/{id_}"
    assert_problem(office.post(ada, f"{path}/disable", {"reason": "?"}), 403, "not-for-this-role")
    assert_problem(office.post(office.admin, f"{path}/disable", {"reason": ""}), 422, "invalid-body")
    shut = office.post(office.admin, f"{path}/disable", {"reason": "Lost laptop"})
    assert (shut.status_code, shut.json()["is_active"]) == (200, False)
    assert_problem(office.get(ada, "/me"), 401, "session-ended")
    assert_problem(office.sign_in("ada@acme.example"), 401, "wrong-credentials")
    assert_problem(office.post(office.admin, f"{path}/disable", {"reason": "?"}), 409, "disabled-already")
    assert office.post(office.admin, f"{path}/enable", {"reason": "Found"}).json()["is_active"] is True
    assert_problem(office.post(office.admin, f"{path}/enable", {"reason": "?"}), 409, "enabled-already")
    assert_problem(office.get(ada, "/me"), 401, "session-ended")
    assert office.sign_in("ada@acme.example").status_code == 200
    root = office.get(office.admin, "/me").json()["id"]
    assert_problem(
        office.post(office.admin, f"/admin/users/{root}/disable", {"reason": "?"}), 409, "own-account"
    )
    nobody = f"/admin/users/{uuid4()}/disable"
    assert_problem(office.post(office.admin, nobody, {"reason": "?"}), 404, "no-such-thing")


def test_what_began_before_its_sign_in_was_ended_is_finished_and_nothing_after(office: Office):
    """A command waits for a lock, its sign-in is ended meanwhile: it is done, and the next request is refused."""
    parent = office.joins(office.company(), "ada@acme.example")
    child = office.made(parent, "/children", child_body())["id"]
    phone = office.token("ada@acme.example")

    def change():
        sent = {"authorization": f"Bearer {phone}"}
        return office.client.patch(f"{V1}/children/{child}", json={"first_name": "Lea"}, headers=sent)

    with ThreadPoolExecutor(1) as pool:
        with office.owner.transaction():
            office.owner.execute("SELECT FROM children WHERE id = %s FOR UPDATE", [child])
            changing = pool.submit(change)
            deadline = monotonic() + 20
            while not waiting(office):
                assert monotonic() < deadline
                sleep(0.02)
            assert office.send(parent, "DELETE", "/me/sign-ins").status_code == 204
            assert_problem(office.get(phone, "/me"), 401, "session-ended")
            assert not changing.done()
        assert changing.result(timeout=20).status_code == 200
    assert office.get(parent, f"/children/{child}").json()["first_name"] == "Lea"
    assert_problem(office.get(phone, f"/children/{child}"), 401, "session-ended")


def waiting(office: Office) -> bool:
    found = office.owner.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    ).fetchone()
    return found != (0,)


@pytest.mark.parametrize(
    "path", ["/me/second-factor/confirm", "/me/second-factor/remove", "/auth/second-factor"]
)
def test_codes_and_secrets_are_in_no_refusal(office: Office, path: str):
    enrol(office, office.admin)
    answer = office.post(office.admin, path, {"code": "424242", "challenge": "a-challenge-of-somebody"})
    assert answer.status_code >= 400
    assert "424242" not in answer.text
    assert "a-challenge-of-somebody" not in answer.text


def test_who_may_give_a_factor_up_does_so_with_a_code(office: Office):
    parent = office.joins(office.company(), "ada@acme.example")
    secret, confirmed = enrol(office, parent)
    again = office.post(confirmed["token"], "/me/second-factor", {})
    assert_problem(again, 409, "code-required")
    renewed = office.made(
        confirmed["token"], "/me/second-factor/recovery-codes", {"code": confirmed["recovery_codes"][0]}
    )
    removed = office.made(renewed["token"], "/me/second-factor/remove", {"code": code_of(office, secret)})
    assert_problem(office.get(renewed["token"], "/me"), 401, "session-ended")
    gone = office.post(removed["token"], "/me/second-factor/remove", {"code": "000000"})
    assert_problem(gone, 409, "no-second-factor")
    assert office.sign_in("ada@acme.example").status_code == 200
    office.ask_for_second_factors(*ALL)
    hr = user_body("hr@acme.example", "hr_admin")
    assert_problem(office.post(office.admin, "/admin/users", hr), 403, "second-factor-required")
