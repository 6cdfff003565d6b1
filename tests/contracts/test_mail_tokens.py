"""What every store promises about mailed links."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from nexus.domain.identity.mail import AccountMail
from nexus.domain.identity.people import Role
from people import MONDAY, Stage

RESET, INVITATION, VERIFY = AccountMail.RESET_PASSWORD, AccountMail.INVITATION, AccountMail.VERIFY_EMAIL
ONE, OTHER = b"1" * 32, b"2" * 32
UNTIL = MONDAY + timedelta(minutes=30)


@pytest.fixture
def stage(any_begin):
    return Stage(any_begin)


@pytest.fixture
def ada(stage):
    return stage.user(company=stage.company(), email="Ada@Acme.example", is_verified=False).user


def replace(stage, user, purpose=RESET, token_hash=ONE, until=UNTIL):
    with stage.work() as work:
        work.mail_tokens.replace(user, purpose, token_hash, at=MONDAY, until=until)


def holder(stage, token_hash=ONE, purpose=RESET, at=MONDAY):
    with stage.work() as work:
        return work.mail_tokens.holder(token_hash, purpose, at=at)


def use(stage, token_hash=ONE, purpose=RESET, at=MONDAY):
    with stage.work() as work:
        return work.mail_tokens.use(token_hash, purpose, at=at)


def test_a_link_is_used_once_however_often_it_was_looked_at(stage, ada):
    replace(stage, ada)
    for _ in range(3):
        found = holder(stage)
        assert (found.user, found.email, found.belongs_to) == (ada, "Ada@Acme.example", "Acme")
    assert use(stage) == ada
    assert use(stage) is None
    assert holder(stage) is None


def test_it_is_good_until_its_very_end(stage, ada):
    replace(stage, ada)
    last = UNTIL - timedelta(microseconds=1)
    assert holder(stage, at=UNTIL) is None
    assert use(stage, at=UNTIL) is None
    assert holder(stage, at=last).user == ada
    assert use(stage, at=last) == ada


def test_only_the_newest_of_a_purpose_counts(stage, ada):
    replace(stage, ada)
    replace(stage, ada, INVITATION, b"3" * 32)
    replace(stage, ada, token_hash=OTHER)
    assert use(stage, ONE) is None
    assert use(stage, b"3" * 32, INVITATION) == ada, "another purpose is another matter"
    assert use(stage, OTHER) == ada
    replace(stage, ada)
    assert use(stage) == ada, "one that is sent after one was used is good"


def test_a_link_is_for_its_purpose_alone(stage, ada):
    replace(stage, ada)
    for purpose in (INVITATION, VERIFY):
        assert holder(stage, purpose=purpose) is None
        assert use(stage, purpose=purpose) is None
    assert use(stage) == ada


def test_none_is_left_when_all_are_void(stage, ada):
    eve = stage.user(Role.PLATFORM_ADMIN).user
    replace(stage, ada)
    replace(stage, ada, VERIFY, b"3" * 32)
    replace(stage, eve, token_hash=OTHER)
    with stage.work() as work:
        work.mail_tokens.void(ada, at=MONDAY)
    assert use(stage) is None
    assert use(stage, b"3" * 32, VERIFY) is None
    assert use(stage, OTHER) == eve


def test_an_address_is_proven_once_and_only_while_it_is_the_account_s(stage, ada):
    def verified():
        with stage.work() as work:
            return work.mail_tokens.addressee(ada).email_verified_at

    with stage.work() as work:
        work.mail_tokens.verify(ada, "other@acme.example", at=MONDAY)
    assert verified() is None
    for minutes in (1, 2):
        with stage.work() as work:
            work.mail_tokens.verify(ada, "ADA@acme.example", at=MONDAY + timedelta(minutes=minutes))
    assert verified() == MONDAY + timedelta(minutes=1)


def test_nobody_is_written_to_who_does_not_exist(stage):
    with stage.work() as work:
        assert work.mail_tokens.addressee(stage.new_id()) is None


def test_a_disabled_account_has_no_links(begin, owner):
    stage = Stage(begin)
    ada = stage.user(Role.PLATFORM_ADMIN).user
    replace(stage, ada)
    owner.execute("UPDATE users SET is_active = false")
    assert holder(stage) is None
    assert use(stage) is None
    with stage.work() as work:
        assert work.mail_tokens.addressee(ada) is None
    owner.execute("UPDATE users SET is_active = true")
    assert use(stage) == ada


def test_of_many_at_once_one_uses_it(stage, ada):
    replace(stage, ada)
    with ThreadPoolExecutor(8) as threads:
        used = list(threads.map(lambda _: use(stage), range(8)))
    assert sorted(used, key=str) == sorted([ada, *[None] * 7], key=str)
