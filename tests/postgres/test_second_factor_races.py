"""A code, a challenge and a token are good for one time, also when many use them at the same moment."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import monotonic, sleep

import pytest

from nexus.adapters.postgres import second_factors
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.pool import open_pool
from nexus.application.identity.second_factor import Enrolled
from nexus.application.identity.sign_in import SignInResult
from nexus.application.identity.views import SecondFactorNeeded
from nexus.domain.identity.credentials import TooManyAttempts, WrongCredentials
from nexus.domain.identity.second_factor import ChallengeEnded, NothingToConfirm, WrongCode, as_seed
from nexus.domain.identity.sessions import SessionEnded
from nexus.domain.kernel.errors import Refusal
from people import Stage
from tests.support.proofs import SECRET, STEP, Proofs

THREADS = 8
ROUNDS = 5


@pytest.fixture(scope="module")
def crowd(database_url):
    """Connections enough for every thread."""
    with open_pool(database_url, size=THREADS) as connections:
        yield connections


@pytest.fixture
def desk(begin, crowd):
    made = Proofs(Stage(PostgresBegin(crowd)))
    assert made.root
    return made


@pytest.fixture
def enrolled(desk):
    """The seed, recovery codes and token of an administrator."""
    return desk.enrol(desk.comes()[0])


def at_once(*tasks):
    """What each came to, by kind; all start together."""
    gate = Barrier(len(tasks))

    def run(task):
        gate.wait(timeout=30)
        try:
            return task()
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(len(tasks)) as pool:
        return Counter(
            type(future.result(timeout=60)) for future in [pool.submit(run, task) for task in tasks]
        )


def answering(desk, code, challenges):
    return [lambda challenge=challenge: desk.complete(challenge, code) for challenge in challenges]


def same_code_in_every_challenge(desk, seed):
    desk.later(STEP)
    return at_once(*answering(desk, desk.code(seed), [desk.challenge() for _ in range(THREADS)]))


def test_a_code_sent_many_times_at_once_signs_in_once(desk, enrolled):
    for _ in range(ROUNDS):
        assert same_code_in_every_challenge(desk, enrolled[0]) == {SignInResult: 1, WrongCode: THREADS - 1}
        with desk.stage.begin() as work:
            work.second_factors.forget_attempts(desk.root.user)


def test_without_the_guard_a_code_works_more_than_once(desk, enrolled, monkeypatch):
    """The negative control: these threads would find a check before the update wanting."""
    monkeypatch.setattr(
        second_factors, "ACCEPT_STEP", second_factors.ACCEPT_STEP.replace("AND last_step < %(step)s", "")
    )
    signed_in = 0
    for _ in range(ROUNDS):
        signed_in += same_code_in_every_challenge(desk, enrolled[0])[SignInResult]
        with desk.stage.begin() as work:
            work.second_factors.forget_attempts(desk.root.user)
    assert signed_in > ROUNDS


def test_a_recovery_code_sent_many_times_at_once_signs_in_once(desk, enrolled):
    results = at_once(*answering(desk, enrolled[1][0], [desk.challenge() for _ in range(THREADS)]))
    assert results == {SignInResult: 1, WrongCode: THREADS - 1}
    assert desk.show(actor=desk.authenticate(enrolled[2])).recovery_codes_left == 9


def test_a_challenge_answered_rightly_many_times_at_once_is_one_sign_in(desk, enrolled):
    """Five different codes, all right: one sign-in, and no code is used up for nothing."""
    challenge = desk.challenge()
    results = at_once(*(lambda code=code: desk.complete(challenge, code) for code in enrolled[1][:5]))
    assert results == {SignInResult: 1, ChallengeEnded: 4}
    assert desk.show(actor=desk.authenticate(enrolled[2])).recovery_codes_left == 9


def test_a_challenge_has_five_tries_however_many_come_at_once(desk, enrolled):
    challenge = desk.challenge()
    results = at_once(*answering(desk, "000000", [challenge] * THREADS))
    assert results == {WrongCode: 5, ChallengeEnded: THREADS - 5}


def test_ten_guesses_an_hour_however_many_come_at_once(desk, enrolled):
    guesses = [desk.challenge() for _ in range(2 * THREADS)]
    results = at_once(*answering(desk, "000000", guesses[:THREADS]))
    results += at_once(*answering(desk, "000000", guesses[THREADS:]))
    assert results == {WrongCode: 10, TooManyAttempts: 2 * THREADS - 10}


def test_a_factor_is_confirmed_once_and_the_sign_in_renewed_once(desk):
    actor, token = desk.comes()
    seed = as_seed(desk.begin(actor=actor).secret)
    code = desk.code(seed)
    results = at_once(*[lambda: desk.confirm(code, actor=actor)] * THREADS)
    assert results[Enrolled] == 1
    assert results.keys() <= {Enrolled, NothingToConfirm, SessionEnded}
    assert desk.authenticate(token) is None
    with desk.stage.begin() as work:
        assert len(work.sign_ins.of(actor.user, at=desk.stage.at)) == 1


def test_whoever_signs_in_while_the_account_is_shut_is_out(desk, enrolled):
    """Whichever comes first: nobody has a sign-in of a shut account that is worth anything."""
    helper = desk.stage.user(desk.root.role, email="helper@example.com")
    tokens = []

    def complete():
        tokens.append(desk.complete(challenge, desk.code(enrolled[0])).token)

    challenge = desk.challenge()
    at_once(complete, lambda: desk.disable(desk.root.user, reason="Lost laptop", actor=helper))
    assert all(desk.authenticate(token) is None for token in tokens)
    desk.enable(desk.root.user, reason="Found")
    assert all(desk.authenticate(token) is None for token in tokens)


@pytest.mark.parametrize(
    "change",
    ["is_active = false", "password_hash = 'new:another password'"],
    ids=["shut", "another password"],
)
def test_whoever_signs_in_while_that_stops_being_right_stays_out(desk, owner, change):
    """The password was right when it was compared, and is not when the sign-in is about to begin."""
    with ThreadPoolExecutor(1) as pool:
        with owner.transaction():
            owner.execute(f"UPDATE users SET {change}")
            signing_in = pool.submit(desk.sign_in, "root@example.com", SECRET)
            wait_for_lock(owner)
        with pytest.raises(WrongCredentials):
            signing_in.result(timeout=30)
    assert owner.execute("SELECT count(*) FROM user_sessions").fetchone() == (0,)


def test_whoever_signs_in_while_a_factor_is_set_up_needs_it(desk, owner):
    """The factor is confirmed but not committed: the sign-in waits, and then finds it."""
    actor, _ = desk.comes()
    seed = as_seed(desk.begin(actor=actor).secret)
    with ThreadPoolExecutor(1) as pool:
        with desk.stage.begin():
            desk.confirm(desk.code(seed), actor=actor)
            signing_in = pool.submit(desk.sign_in, "root@example.com", SECRET)
            wait_for_lock(owner)
        assert isinstance(signing_in.result(timeout=30), SecondFactorNeeded)


def wait_for_lock(owner):
    """Until somebody waits for one."""
    deadline = monotonic() + 30
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while owner.execute(waiting).fetchone() == (0,):
        assert monotonic() < deadline
        sleep(0.01)
