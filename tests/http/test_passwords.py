"""Forgotten passwords, invitations, addresses and changed passwords, over HTTP and on pages."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from attrs import define
from litestar.testing import TestClient
from structlog.testing import capture_logs

from nexus.adapters.memory.limiter import MemoryLimiter
from nexus.adapters.memory.mailbox import MemoryMailer
from nexus.application.kernel.mail import MailDelayed, MailRefused
from nexus.domain.kernel.ids import EventId
from nexus.entrypoints.http.api import build
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring import Nexus
from tests.support.front import V1, Door, assert_problem
from tests.support.office import PASSWORD, Office, user_body
from tests.support.passwords import QUICK

NEXT = "another long secret"
EMAIL = "ada@acme.example"


@define
class Desk:
    """The application with an inbox, and with limits of its own."""

    client: TestClient[Any]
    nexus: Nexus
    mailer: MemoryMailer
    limiter: MemoryLimiter


@pytest.fixture(scope="module")
def desks(door: Door) -> Iterator[Desk]:
    """Started once for all of these tests."""
    mailer, limiter = MemoryMailer(), MemoryLimiter()
    nexus = Nexus(
        door.nexus.pool,
        now=door.clock,
        secret_key=bytes(range(32)),
        passwords=QUICK,
        limiter=limiter,
        mailer=mailer,
        public_url="https://pass.example",
    )
    settings = Settings(pool_size=4, rate_limit_per_address=0)
    with TestClient(build(nexus, settings), raise_server_exceptions=False) as client:
        yield Desk(client, nexus, mailer, limiter)


@pytest.fixture
def mailer(desks: Desk) -> MemoryMailer:
    desks.mailer.mails.clear()
    desks.mailer.failures.clear()
    return desks.mailer


@pytest.fixture
def desk(office: Office, desks: Desk, mailer: MemoryMailer) -> Office:
    """The office, with nothing in its inbox and every attempt left."""
    desks.limiter._taken.clear()
    office.client, office.nexus = desks.client, desks.nexus
    return office


def work_through(desk: Office) -> None:
    for (event,) in desk.owner.execute("SELECT id FROM outbox WHERE handled_at IS NULL ORDER BY position"):
        assert desk.nexus.handle_event(EventId(event))


def link(mailer: MemoryMailer) -> str:
    """The path of the newest mail's link."""
    [path] = re.findall(r"https://pass\.example(/account/\S+)\n", mailer.mails[-1].text)
    return path


def token(mailer: MemoryMailer) -> str:
    return link(mailer).rpartition("/")[2]


@pytest.fixture
def ada(desk: Office, mailer: MemoryMailer) -> str:
    """The token of somebody who has proven her address."""
    signed_in = desk.joins(desk.company(), EMAIL)
    work_through(desk)
    assert desk.post(None, "/auth/verify-email", {"token": token(mailer)}).status_code == 204
    mailer.mails.clear()
    return signed_in


def test_a_forgotten_password_is_replaced(desk: Office, mailer, ada):
    answer = desk.post(None, "/auth/password-reset", {"email": EMAIL.upper()})
    assert answer.status_code == 202
    work_through(desk)
    body = {"token": token(mailer), "password": NEXT}
    answer = desk.post(None, "/auth/password-reset/confirm", body)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "set-cookie" not in answer.headers
    assert_problem(desk.get(ada, "/me"), 401, "session-ended")
    assert_problem(desk.sign_in(EMAIL), 401, "wrong-credentials")
    assert desk.sign_in(EMAIL, NEXT).status_code == 200
    assert_problem(desk.post(None, "/auth/password-reset/confirm", body), 404, "link-not-valid")


def test_the_answer_to_a_forgotten_password_never_tells_whether_there_is_an_account(desk: Office, ada):
    desk.owner.execute("UPDATE users SET is_active = false WHERE email = 'root@nexus.example'")
    answers = [
        desk.post(None, "/auth/password-reset", {"email": email})
        for email in (EMAIL, "nobody@acme.example", "root@nexus.example", "not an address", "")
    ]
    said = [(answer.status_code, answer.content) for answer in answers]
    assert said == [(202, answers[0].content)] * 5
    own = {"x-request-id", "ratelimit", "ratelimit-remaining", "ratelimit-reset"}
    headers = [{k: v for k, v in answer.headers.items() if k not in own} for answer in answers]
    assert headers == [headers[0]] * 5


def test_asking_too_often_is_refused_known_or_not(desk: Office, ada):
    for email in (EMAIL, "nobody@acme.example"):
        for _ in range(3):
            assert desk.post(None, "/auth/password-reset", {"email": email}).status_code == 202
        answer = desk.post(None, "/auth/password-reset", {"email": email})
        assert_problem(answer, 429, "too-many-attempts")
        assert 0 < int(answer.headers["retry-after"]) == answer.json()["retry_after"] <= 900


def test_the_eleventh_wrong_password_is_refused_with_when_to_come_back(desk: Office, ada):
    for email in (EMAIL, "nobody@acme.example"):
        for _ in range(10):
            assert_problem(desk.sign_in(email, "a wrong password"), 401, "wrong-credentials")
        answer = desk.sign_in(email)
        assert_problem(answer, 429, "too-many-attempts")
        assert 0 < int(answer.headers["retry-after"]) <= 900
    assert desk.get(ada, "/me").status_code == 200, "whoever is signed in stays signed in"


def test_who_is_invited_chooses_a_password(desk: Office, mailer):
    desk.made(desk.admin, "/admin/users", user_body(EMAIL, company_id=desk.company(), password=None))
    work_through(desk)
    assert "Acme" in mailer.mails[-1].text
    body = {"token": token(mailer), "password": NEXT}
    assert_problem(desk.post(None, "/auth/password-reset/confirm", body), 404, "link-not-valid")
    assert desk.post(None, "/auth/accept-invitation", body).status_code == 204
    me = desk.get(desk.sign_in(EMAIL, NEXT).json()["token"], "/me").json()
    assert me["email_verified"] is True


def test_an_address_is_proven_by_a_link_that_can_be_sent_again(desk: Office, mailer):
    signed_in = desk.joins(desk.company(), EMAIL)
    assert desk.get(signed_in, "/me").json()["email_verified"] is False
    work_through(desk)
    first = token(mailer)
    answer = desk.post(signed_in, "/me/verify-email")
    assert answer.status_code == 202
    work_through(desk)
    assert_problem(desk.post(None, "/auth/verify-email", {"token": first}), 404, "link-not-valid")
    assert desk.post(None, "/auth/verify-email", {"token": token(mailer)}).status_code == 204
    assert desk.get(signed_in, "/me").json()["email_verified"] is True


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("password1234", {"slug": "guessable-password", "reason": "common"}),
        ("Lind-Ada-2026", {"slug": "guessable-password", "reason": "own_words"}),
        ("short", {"slug": "invalid-body"}),
    ],
)
def test_a_password_that_would_be_guessed_is_refused_everywhere(desk: Office, mailer, ada, password, problem):
    change = {"current_password": PASSWORD, "new_password": password}
    desk.post(None, "/auth/password-reset", {"email": EMAIL})
    work_through(desk)
    for answer in (
        desk.post(
            desk.admin, "/admin/users", user_body("eve@acme.example", "platform_admin", password=password)
        ),
        desk.post(ada, "/me/password", change),
        desk.post(None, "/auth/password-reset/confirm", {"token": token(mailer), "password": password}),
    ):
        assert_problem(answer, 422, **problem)
        assert password not in answer.text


def test_a_changed_password_ends_every_other_sign_in(desk: Office, mailer, ada):
    elsewhere = desk.token(EMAIL)
    answer = desk.post(ada, "/me/password", {"current_password": PASSWORD, "new_password": NEXT})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    renewed = answer.json()["token"]
    assert f"={renewed};" in answer.headers["set-cookie"]
    assert [desk.get(each, "/me").status_code for each in (ada, elsewhere, renewed)] == [401, 401, 200]
    assert desk.sign_in(EMAIL, NEXT).status_code == 200
    work_through(desk)
    assert mailer.mails[-1].subject == "Your password for Nexus Family Pass was changed"


def test_the_present_password_must_be_right(desk: Office, ada):
    answer = desk.post(ada, "/me/password", {"current_password": "wrong", "new_password": NEXT})
    assert_problem(answer, 403, "wrong-password")
    assert desk.get(ada, "/me").status_code == 200


def test_nothing_secret_is_logged_or_kept(desk: Office, mailer, ada, capfd):
    with capture_logs() as logs:
        desk.post(None, "/auth/password-reset", {"email": EMAIL})
        work_through(desk)
        secret = token(mailer)
        desk.client.get(link(mailer))
        desk.post(None, "/auth/password-reset/confirm", {"token": secret, "password": "short"})
        desk.post(None, "/auth/password-reset/confirm", {"token": secret, "password": NEXT})
        desk.client.get(link(mailer))
    seen = str(logs) + "".join(capfd.readouterr())
    stored = str(desk.owner.execute("SELECT to_jsonb(o) FROM outbox o").fetchall())
    stored += str(desk.owner.execute("SELECT to_jsonb(a) FROM audit_logs a").fetchall())
    for text in (secret, NEXT, EMAIL):
        assert text not in seen
        assert text not in stored
    assert len(logs) >= 5


# --- the pages


def test_looking_at_a_link_does_not_use_it(desk: Office, mailer, ada):
    desk.post(None, "/auth/password-reset", {"email": EMAIL})
    work_through(desk)
    for _ in range(3):
        page = desk.client.get(link(mailer))
        assert page.status_code == 200
        assert desk.client.head(link(mailer)).status_code == 200
        assert desk.client.options(link(mailer)).status_code == 204
    assert '<form method="post">' in page.text
    assert token(mailer) not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
    body = {"token": token(mailer), "password": NEXT}
    assert desk.post(None, "/auth/password-reset/confirm", body).status_code == 204


def test_a_password_is_chosen_on_its_page(desk: Office, mailer, ada):
    sent = desk.client.post("/account/forgot-password", data={"email": EMAIL})
    assert (sent.status_code, "on its way" in sent.text) == (200, True)
    assert desk.client.post("/account/forgot-password", data={"email": "no@acme.example"}).text == sent.text
    work_through(desk)
    for password, why_not in (
        ("password1234", "guessed first"),
        ("short", "8 to 128 characters"),
        ("ada-ada-ada", "your name"),
        ("", "8 to 128 characters"),
    ):
        page = desk.client.post(link(mailer), data={"password": password})
        assert page.status_code == 422
        assert why_not in page.text
        assert 'role="alert"' in page.text
    done = desk.client.post(link(mailer), data={"password": NEXT})
    assert (done.status_code, "is set" in done.text) == (200, True)
    assert "set-cookie" not in done.headers
    assert desk.sign_in(EMAIL, NEXT).status_code == 200
    for again in (desk.client.get(link(mailer)), desk.client.post(link(mailer), data={"password": NEXT})):
        assert again.status_code == 404
        assert "This link does not work" in again.text


def test_invitations_and_addresses_have_pages_too(desk: Office, mailer):
    desk.made(desk.admin, "/admin/users", user_body(EMAIL, company_id=desk.company(), password=None))
    work_through(desk)
    assert link(mailer).startswith("/account/invitation/")
    assert desk.client.get(link(mailer)).status_code == 200
    assert desk.client.post(link(mailer), data={"password": NEXT}).status_code == 200
    desk.joins(desk.company("Other"), "bo@other.example")
    work_through(desk)
    assert link(mailer).startswith("/account/verify-email/")
    assert "This address is mine" in desk.client.get(link(mailer)).text
    assert desk.client.post(link(mailer)).status_code == 200
    assert desk.client.post(link(mailer)).status_code == 404


@pytest.mark.parametrize("page", ["reset-password", "invitation", "verify-email"])
@pytest.mark.parametrize("secret", ["x", "%00", "%F0%9F", "..%2f", "x" * 3000])
def test_what_is_no_link_is_no_page(desk: Office, page, secret):
    for method in ("GET", "POST"):
        answer = desk.client.request(method, f"/account/{page}/{secret}")
        assert answer.status_code in (400, 404), answer.text


def test_the_page_says_when_it_was_asked_too_often(desk: Office):
    answers = [desk.client.post("/account/forgot-password", data={"email": EMAIL}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert "Too many attempts" in answers[-1].text
    assert int(answers[-1].headers["retry-after"]) > 0


def test_a_form_that_is_no_form_is_an_empty_one(desk: Office):
    for content, kind in (
        (b'{"email": 5}', "application/json"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
    ):
        answer = desk.client.post("/account/forgot-password", content=content, headers={"content-type": kind})
        assert answer.status_code in (200, 400, 415), answer.text


def test_a_delayed_mail_waits_and_a_refused_one_does_not(desk: Office, mailer, ada):
    desk.post(None, "/auth/password-reset", {"email": EMAIL})
    [(event,)] = desk.owner.execute("SELECT id FROM outbox WHERE handled_at IS NULL").fetchall()
    mailer.failures = [MailDelayed("recipient 451"), MailRefused("recipient 550")]
    with pytest.raises(MailDelayed):
        desk.nexus.handle_event(EventId(event))
    waiting = desk.owner.execute(
        "SELECT handled_at, last_error FROM outbox WHERE id = %s", [event]
    ).fetchone()
    assert waiting[0] is None
    assert waiting[1].startswith("nexus.application.kernel.mail.MailDelayed recipient 451\n")
    assert desk.nexus.handle_event(EventId(event))
    assert not desk.nexus.handle_event(EventId(event))
    assert mailer.mails == []


def test_a_sign_in_waits_no_longer_than_the_clock_says(desk: Office, ada):
    """Limits count real time, not the product's: a moved clock opens nothing."""
    for _ in range(10):
        desk.sign_in(EMAIL, "a wrong password")
    desk.clock.at += timedelta(hours=1)
    assert_problem(desk.sign_in(EMAIL), 429, "too-many-attempts")


def test_every_password_route_is_in_the_document(desk: Office):
    paths = desk.client.get("/schema/openapi.json").json()["paths"]
    for path in ("password-reset", "password-reset/confirm", "accept-invitation", "verify-email"):
        assert "429" in paths[f"{V1}/auth/{path}"]["post"]["responses"]
