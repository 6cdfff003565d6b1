"""Forgotten passwords, invitations, addresses: from the wish to the mail to the link."""

from datetime import timedelta
from hashlib import sha256
from statistics import median
from time import perf_counter

import pytest
from benchmarks.hearing import ears

from nexus.application.identity.account_mail import AskForVerification
from nexus.application.identity.attempts import SIGNING_IN
from nexus.application.identity.letters import plain
from nexus.application.identity.tokens import token_hash
from nexus.application.kernel.mail import MailDelayed, MailRefused
from nexus.domain.identity.credentials import TooManyAttempts, UnacceptablePassword
from nexus.domain.identity.mail import AccountMail, LinkNotValid
from nexus.domain.identity.passwords import GuessablePassword
from nexus.domain.identity.people import Role
from people import MONDAY, Stage
from tests.support.desk import EMAIL, INVITATION, NEXT, RESET, SECRET, Desk


@pytest.fixture
def desk(any_begin):
    return Desk(Stage(any_begin))


@pytest.fixture
def ada(desk):
    person = desk.stage.user(company=desk.stage.company(), email=EMAIL, password=SECRET, is_verified=True)
    desk.work_through()
    assert desk.mailer.mails == []
    return person


def test_a_forgotten_password_is_replaced_by_the_mailed_link(desk, ada):
    before = [desk.signs_in(ada.user, ada.role) for _ in range(2)]
    desk.forget(" ADA@acme.example ")
    assert desk.mailer.mails == [], "nothing is sent while somebody waits for the answer"
    desk.work_through()
    assert desk.mailer.mails[-1].to == EMAIL
    link = desk.link()
    assert desk.open_link(link, RESET).user == ada.user
    desk.choose(RESET)(link, NEXT)
    assert desk.password(ada.user) == f"new:{NEXT}"
    assert not any(desk.is_in(sign_in.token) for sign_in in before)
    with pytest.raises(LinkNotValid):
        desk.choose(RESET)(link, NEXT)
    desk.work_through()
    assert "was changed" in desk.mailer.mails[-1].subject


def test_the_link_ends_after_thirty_minutes(desk, ada):
    desk.forget()
    desk.work_through()
    desk.stage.at = MONDAY + timedelta(minutes=30)
    with pytest.raises(LinkNotValid):
        desk.choose(RESET)(desk.link(), NEXT)
    desk.stage.at -= timedelta(microseconds=1)
    desk.choose(RESET)(desk.link(), NEXT)


def test_an_invitation_sets_the_first_password_and_proves_the_address(desk):
    eve = desk.stage.user(company=desk.stage.company(), email="eve@acme.example")
    desk.work_through()
    assert "Acme\nhas opened an account" in desk.mailer.mails[-1].text
    desk.stage.at += timedelta(days=14) - timedelta(microseconds=1)
    desk.choose(INVITATION)(desk.link("invitation"), NEXT)
    assert desk.password(eve.user) == f"new:{NEXT}"
    with desk.stage.work() as work:
        assert work.mail_tokens.addressee(eve.user).email_verified_at == desk.stage.at
    desk.work_through()
    assert len(desk.mailer.mails) == 1, "a first password changes nothing that somebody must hear of"


def test_an_invitation_ends_after_fourteen_days_and_forgetting_helps(desk):
    eve = desk.stage.user(company=desk.stage.company(), email="eve@acme.example")
    desk.work_through()
    invitation = desk.link("invitation")
    desk.stage.at += timedelta(days=14)
    with pytest.raises(LinkNotValid):
        desk.choose(INVITATION)(invitation, NEXT)
    desk.forget("eve@acme.example")
    desk.work_through()
    desk.choose(RESET)(desk.link(), NEXT)
    assert desk.password(eve.user)


def test_choosing_a_password_makes_every_other_link_worthless(desk):
    eve = desk.stage.user(company=desk.stage.company(), email="eve@acme.example")
    desk.work_through()
    invitation = desk.link("invitation")
    desk.forget("eve@acme.example")
    desk.work_through()
    desk.choose(RESET)(desk.link(), NEXT)
    with pytest.raises(LinkNotValid):
        desk.choose(INVITATION)(invitation, "yet another secret")
    desk.send(desk.asked(eve.user, INVITATION))
    assert len(desk.mailer.mails) == 2, "an invitation that comes late has no reason any more"


def test_an_address_is_proven_by_its_link(desk):
    eve = desk.stage.user(
        company=desk.stage.company(), email="eve@acme.example", password=SECRET, is_verified=False
    )
    desk.work_through()
    first = desk.link("verify-email")
    AskForVerification(*desk.parts, desk.attempts)(actor=eve)
    desk.work_through()
    with pytest.raises(LinkNotValid):
        desk.verify(first)
    desk.stage.at += timedelta(hours=24) - timedelta(microseconds=1)
    desk.verify(desk.link("verify-email"))
    AskForVerification(*desk.parts, desk.attempts)(actor=eve)
    desk.work_through()
    assert len(desk.mailer.mails) == 2, "what is proven is not asked again"
    assert desk.password(eve.user) == f"new:{SECRET}"


def test_what_may_not_be_chosen_leaves_the_link_good(desk, ada):
    desk.forget()
    desk.work_through()
    link = desk.link()
    for password, error in (
        ("password1", GuessablePassword),
        ("Ada-Lind-2026", GuessablePassword),
        ("short", UnacceptablePassword),
    ):
        with pytest.raises(error):
            desk.choose(RESET)(link, password)
    desk.choose(RESET)(link, NEXT)


def test_no_hash_is_computed_for_a_link_that_is_worth_nothing(desk, ada):
    desk.stage.passwords.hashed.clear()
    for link in ("token-99", "", "x" * 5000, "\x00", "\ud800"):
        with pytest.raises(LinkNotValid):
            desk.choose(RESET)(link, NEXT)
    assert desk.stage.passwords.hashed == []


def test_sent_again_after_a_crash_only_the_newest_mail_works(desk, ada):
    """At least once: the worker may die between sending and noting it."""
    asked = desk.asked(ada.user, RESET)
    desk.send(asked)
    first = desk.link()
    desk.send(asked)
    assert first != desk.link()
    with pytest.raises(LinkNotValid):
        desk.choose(RESET)(first, NEXT)
    desk.choose(RESET)(desk.link(), NEXT)


def test_a_mail_that_is_delayed_is_an_error_and_one_that_is_refused_is_none(desk, ada):
    desk.mailer.failures = [MailDelayed("recipient 451")]
    with pytest.raises(MailDelayed):
        desk.send(desk.asked(ada.user, RESET))
    desk.mailer.failures = [MailRefused("recipient 550")]
    desk.send(desk.asked(ada.user, RESET))
    assert desk.mailer.mails == []
    with pytest.raises(LinkNotValid):
        desk.open_link("token-2", RESET)


def test_the_secret_is_nowhere_but_in_the_mail(desk, ada, any_begin, request):
    desk.forget()
    desk.work_through()
    stored = "".join(map(repr, desk.events()))
    with desk.stage.work() as work:
        if hasattr(work, "connection"):
            for table in ("outbox", "mail_tokens", "audit_logs"):
                stored += str(work.connection.execute(f"SELECT to_jsonb(t) FROM {table} t").fetchall())
            assert token_hash(desk.link()).hex() in stored
        else:
            stored += repr(work.world.mail_tokens)
    assert desk.link() not in stored
    assert EMAIL not in "".join(map(repr, desk.events()))
    assert desk.link() not in repr(desk.mailer.mails)


def test_asking_leaves_the_same_trace_whether_or_not_there_is_an_account(desk, ada):
    desk.forget()
    desk.forget("nobody@acme.example")
    for odd in ("", "\x00", "\ud800", "x" * 5000):
        desk.forget(odd)
    known, *unknown = desk.events()
    assert known.user == ada.user
    assert [event.user for event in unknown] == [None] * 5
    desk.work_through()
    assert len(desk.mailer.mails) == 1


def test_asking_takes_the_same_statements_and_time_whether_or_not_there_is_an_account(begin, database_url):
    """The same statements in the same order; the medians of 40 answers each lie within a factor of two."""
    Stage(begin).user(Role.PLATFORM_ADMIN, email=EMAIL, password=SECRET)
    said, taken = {}, {EMAIL: [], "nobody@acme.example": []}

    def ask(nexus, email):
        for name in (f"account-mail/account/{account(email)}/None", f"account-mail/account/{account(email)}"):
            nexus.limiter.forget(name)
        started = perf_counter()
        nexus.ask_for_reset(email)
        taken[email].append(perf_counter() - started)

    with ears(database_url) as hear:
        for _ in range(40):
            for email in taken:
                said[email] = [
                    heard.statement for heard in hear(lambda nexus, email=email: ask(nexus, email))
                ]
    known, unknown = said.values()
    assert known == unknown
    assert any("FROM users" in statement for statement in known)
    fast, slow = sorted(map(median, taken.values()))
    assert slow < 2 * fast


def account(email):
    return sha256(email.encode()).hexdigest()[:32]


def test_asking_again_and_again_is_refused_known_or_not(desk, ada):
    for email in (EMAIL, "nobody@acme.example"):
        for _ in range(3):
            desk.forget(email)
        with pytest.raises(TooManyAttempts) as refused:
            desk.forget(email.upper())
        assert 890 < refused.value.retry_after <= 900
    assert len(desk.events()) == 6


def test_a_disabled_account_gets_no_mail(begin, owner):
    desk = Desk(Stage(begin))
    eve = desk.stage.user(Role.PLATFORM_ADMIN, email=EMAIL, password=SECRET)
    owner.execute("UPDATE users SET is_active = false")
    desk.forget()
    desk.send(desk.asked(eve.user, RESET))
    assert desk.events()[-1].user is None
    assert desk.mailer.mails == []


def test_a_new_password_gives_back_the_attempts_that_others_used_up(desk, ada):
    for _ in range(10):
        desk.attempts.take(SIGNING_IN, EMAIL)
    with pytest.raises(TooManyAttempts):
        desk.attempts.take(SIGNING_IN, EMAIL)
    desk.forget()
    desk.work_through()
    desk.choose(RESET)(desk.link(), NEXT)
    desk.attempts.take(SIGNING_IN, EMAIL)


# --- the letters


def test_letters_are_short_and_their_links_whole(desk, ada):
    for kind in AccountMail:
        desk.send(desk.asked(ada.user, kind))
    for mail in desk.mailer.mails:
        assert mail.text.startswith("Hello Ada,\n\n")
        assert mail.text.endswith("\nNexus Family Pass\n")
        assert len(mail.text) < 600
        assert all(len(line) <= 78 or line.startswith("https://") for line in mail.text.splitlines())
        assert "{" not in mail.text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Ada\r\nBcc: eve@evil.example", "Ada Bcc: eve@evil. example"),
        ("Ada https://evil.example/", "Ada https evil. example/"),
        ("A\u202eda\x00", "A da"),
        ("  Zoë  Ann ", "Zoë Ann"),
    ],
)
def test_a_name_is_one_line_and_no_link(name, said):
    assert plain(name) == said
