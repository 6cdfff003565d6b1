"""API keys when several make and rotate at once, and behind the second wall."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import psycopg
import pytest

from nexus.adapters.passwords.api_keys import HmacDigests, new_key_text
from nexus.adapters.system.chance import new_id
from nexus.application.kernel.caller import NOBODY, Caller, caller
from nexus.application.platform.own_api_keys import KeyWish, MakeApiKey, RotateApiKey
from nexus.domain.identity.people import Role
from nexus.domain.platform.api_keys import MOST_KEYS, RotatedAlready, TooManyKeys
from people import Stage

DIGESTS = HmacDigests([b"s" * 32])
WISH = KeyWish(name="Payroll", scopes=["read:employees"])


@pytest.fixture
def stage(begin):
    return Stage(begin)


@pytest.fixture
def hr(stage):
    return stage.user(Role.HR_ADMIN, stage.company())


def maker(stage, begin=None):
    return MakeApiKey(begin or stage.begin, stage.now, new_id, new_key_text, DIGESTS)


def at_once(stage, count, deed):
    """What came of a deed in so many threads, each in a transaction opened before any goes on."""
    ready = Barrier(count)

    @contextmanager
    def begin():
        with stage.begin() as work:
            ready.wait(10)
            yield work

    def attempt(_):
        try:
            return deed(begin)
        except (TooManyKeys, RotatedAlready) as refusal:
            return type(refusal)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(attempt, range(count)))


def test_nobody_makes_more_keys_at_once_than_are_allowed(stage, hr):
    for _ in range(MOST_KEYS - 3):
        maker(stage)(WISH, actor=hr)
    came = at_once(stage, 8, lambda begin: maker(stage, begin)(WISH, actor=hr))
    assert came.count(TooManyKeys) == 5


def test_a_key_that_is_rotated_by_several_has_one_successor(stage, hr):
    made = maker(stage)(WISH, actor=hr).view

    def rotate(begin):
        return RotateApiKey(begin, stage.now, new_id, new_key_text, DIGESTS)(made.id, actor=hr)

    assert at_once(stage, 8, rotate).count(RotatedAlready) == 7


def test_the_database_shows_keys_to_their_owner_and_the_platform_only(stage, hr):
    colleague = stage.user(Role.HR_ADMIN, stage.company("Other"))
    for actor in (hr, colleague):
        maker(stage)(WISH, actor=actor)

    def seen(by):
        token = caller.set(by)
        try:
            with stage.begin() as work:
                return work.connection.execute("SELECT count(*) FROM api_keys").fetchone()[0]
        finally:
            caller.reset(token)

    assert seen(NOBODY) == 0
    assert seen(Caller(actor=hr)) == 1
    assert seen(Caller(actor=stage.user(Role.PLATFORM_ADMIN))) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM api_keys",
        "TRUNCATE api_keys",
        "UPDATE api_keys SET scopes = '{write:employees}'",
        "UPDATE api_keys SET user_id = gen_random_uuid()",
        "UPDATE api_keys SET allowed_networks = '{}'",
        "UPDATE api_keys SET rate_limit_per_day = 1000000",
    ],
)
def test_the_application_cannot_widen_or_remove_a_key(stage, hr, statement):
    maker(stage)(WISH, actor=hr)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), stage.begin() as work:
        work.connection.execute(statement)
