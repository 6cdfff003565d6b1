"""What every store promises about second factors."""

from datetime import timedelta

import pytest

from nexus.application.kernel.actor import Actor
from nexus.application.kernel.vault import SealBroken
from nexus.domain.identity.credentials import TooManyAttempts
from nexus.domain.identity.second_factor import (
    ChallengeEnded,
    CodeRequired,
    NoSecondFactor,
    NothingToConfirm,
    SecondFactorStays,
    WrongCode,
    as_seed,
)
from nexus.domain.identity.sessions import SessionEnded, SignInTooOld
from nexus.domain.kernel.errors import NoSuchThing
from people import MONDAY, Stage
from tests.support.proofs import SECRET, STEP, Proofs

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def stage(any_begin):
    return Stage(any_begin)


@pytest.fixture
def desk(stage):
    made = Proofs(stage)
    assert made.root
    return made


def test_without_a_factor_a_role_that_must_have_one_is_restricted(desk):
    actor, token = desk.comes()
    assert actor.is_restricted
    assert desk.sign_in("root@example.com", SECRET).sign_in.is_restricted
    seed, _, renewed = desk.enrol(actor)
    assert desk.authenticate(token) is None
    assert not desk.authenticate(renewed).is_restricted
    challenge = desk.challenge()
    assert not desk.complete(challenge, desk.code(seed)).sign_in.is_restricted


def test_the_setting_decides_at_each_moment_who_must_have_one(desk):
    desk.need()
    actor, token = desk.comes(remember=True)
    assert not actor.is_restricted
    with desk.stage.begin() as work:
        work.settings.change(
            {"second_factor_required_roles": ["platform_admin"]},
            effective_from=MONDAY + timedelta(hours=1),
            by=actor.user,
        )
    desk.later(timedelta(hours=1) - MICROSECOND)
    assert not desk.authenticate(token).is_restricted
    desk.later(MICROSECOND)
    assert desk.authenticate(token).is_restricted


def test_parents_may_go_without(desk):
    company = desk.stage.company()
    desk.stage.user(company=company, email="p@example.com", password=SECRET)
    actor, _ = desk.comes("p@example.com")
    assert not actor.is_restricted
    assert not desk.show(actor=actor).is_required
    seed, codes, token = desk.enrol(actor)
    assert len(set(codes)) == 10
    actor = desk.authenticate(token)
    shown = desk.show(actor=actor)
    assert (shown.is_set_up, shown.set_up_at, shown.recovery_codes_left) == (True, MONDAY, 10)
    with pytest.raises(WrongCode):
        desk.remove("000000", actor=actor)
    renewed = desk.remove(desk.code(seed), actor=actor)
    assert desk.authenticate(token) is None
    assert desk.authenticate(renewed.token).user == actor.user
    assert desk.comes("p@example.com")[0].user == actor.user, "the password is enough again"
    with pytest.raises(NoSecondFactor):
        desk.remove(codes[0], actor=desk.authenticate(renewed.token))


def test_a_role_that_must_have_a_factor_keeps_it(desk):
    seed, codes, token = desk.enrol(desk.comes()[0])
    actor = desk.authenticate(token)
    for code in (desk.code(seed), codes[0]):
        with pytest.raises(SecondFactorStays):
            desk.remove(code, actor=actor)
    assert desk.show(actor=actor).is_set_up


def test_a_code_works_once(desk):
    seed, _, _ = desk.enrol(desk.comes()[0])
    one, other = desk.challenge(), desk.challenge()
    code = desk.code(seed)
    assert desk.complete(one, code).me.email == "root@example.com"
    with pytest.raises(WrongCode):
        desk.complete(other, code)
    with pytest.raises(WrongCode):
        desk.complete(other, desk.code(seed, -1))
    assert desk.complete(other, desk.code(seed, 1)).me.email == "root@example.com"


def test_the_code_that_confirmed_signs_nobody_in(desk):
    actor, _ = desk.comes()
    seed = as_seed(desk.begin(actor=actor).secret)
    code = desk.code(seed)
    desk.confirm(code, actor=actor)
    with pytest.raises(WrongCode):
        desk.complete(desk.challenge(), code)


@pytest.mark.parametrize(("steps", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(desk, steps, counts):
    seed, _, _ = desk.enrol(desk.comes()[0])
    desk.later(5 * STEP)
    challenge = desk.challenge()
    if counts:
        assert desk.complete(challenge, desk.code(seed, steps))
    else:
        with pytest.raises(WrongCode):
            desk.complete(challenge, desk.code(seed, steps))


def test_a_recovery_code_works_once_and_nobody_else_s(desk):
    company = desk.stage.company()
    desk.stage.user(company=company, email="p@example.com", password=SECRET)
    _, others, _ = desk.enrol(desk.comes("p@example.com")[0])
    _, codes, token = desk.enrol(desk.comes()[0])
    with pytest.raises(WrongCode):
        desk.complete(desk.challenge(), others[0])
    assert desk.complete(desk.challenge(), codes[0].lower().replace("-", " "))
    with pytest.raises(WrongCode):
        desk.complete(desk.challenge(), codes[0])
    assert desk.show(actor=desk.authenticate(token)).recovery_codes_left == 9


def test_new_recovery_codes_replace_the_old(desk):
    seed, codes, token = desk.enrol(desk.comes()[0])
    renewed = desk.renew_codes(desk.code(seed), actor=desk.authenticate(token))
    assert not set(renewed.recovery_codes) & set(codes)
    assert desk.authenticate(token) is None
    with pytest.raises(WrongCode):
        desk.complete(desk.challenge(), codes[0])
    assert desk.complete(desk.challenge(), renewed.recovery_codes[0])


def test_a_challenge_is_answered_once(desk):
    seed, codes, _ = desk.enrol(desk.comes()[0])
    challenge = desk.challenge()
    desk.complete(challenge, desk.code(seed))
    with pytest.raises(ChallengeEnded):
        desk.complete(challenge, codes[0])


def test_a_challenge_lasts_five_minutes(desk):
    _, codes, _ = desk.enrol(desk.comes()[0])
    challenge = desk.challenge()
    desk.later(timedelta(minutes=5) - MICROSECOND)
    assert desk.complete(challenge, codes[0])
    challenge = desk.challenge()
    desk.later(timedelta(minutes=5))
    with pytest.raises(ChallengeEnded):
        desk.complete(challenge, codes[1])


def test_a_challenge_is_tried_five_times_at_most(desk):
    seed, codes, _ = desk.enrol(desk.comes()[0])
    challenge = desk.challenge()
    for _ in range(4):
        with pytest.raises(WrongCode):
            desk.complete(challenge, "000000")
    assert desk.complete(challenge, desk.code(seed))
    challenge = desk.challenge()
    for _ in range(5):
        with pytest.raises(WrongCode):
            desk.complete(challenge, "000000")
    with pytest.raises(ChallengeEnded):
        desk.complete(challenge, codes[0])


def test_ten_wrong_codes_an_hour_whatever_the_challenge(desk):
    seed, codes, _ = desk.enrol(desk.comes()[0])
    for _ in range(2):
        challenge = desk.challenge()
        for _ in range(5):
            with pytest.raises(WrongCode):
                desk.complete(challenge, "000000")
    with pytest.raises(TooManyAttempts) as refused:
        desk.complete(desk.challenge(), codes[0])
    assert refused.value.retry_after == 3600
    desk.later(timedelta(hours=1))
    assert desk.complete(desk.challenge(), desk.code(seed)), "the count begins anew"
    for _ in range(5):
        with pytest.raises(WrongCode):
            desk.complete(desk.challenge(), "000000")


def test_a_challenge_is_no_sign_in_and_a_sign_in_no_challenge(desk):
    seed, _, token = desk.enrol(desk.comes()[0])
    challenge = desk.challenge()
    assert desk.authenticate(challenge) is None
    for other in (token, "token-0", "", "x" * 5000, "\x00", "\ud800"):
        with pytest.raises(ChallengeEnded):
            desk.complete(other, desk.code(seed))
    assert desk.complete(challenge, desk.code(seed))


def test_what_was_begun_is_confirmed_within_fifteen_minutes(desk):
    actor, _ = desk.comes()
    with pytest.raises(NothingToConfirm):
        desk.confirm("000000", actor=actor)
    seed = as_seed(desk.begin(actor=actor).secret)
    desk.later(timedelta(minutes=15))
    with pytest.raises(NothingToConfirm):
        desk.confirm(desk.code(seed), actor=actor)
    assert desk.comes()[0].is_restricted, "nothing was set up"
    desk.stage.at = MONDAY + timedelta(minutes=15) - MICROSECOND
    assert desk.confirm(desk.code(seed), actor=actor)


def test_beginning_again_forgets_the_first_secret(desk):
    actor, _ = desk.comes()
    first = as_seed(desk.begin(actor=actor).secret)
    second = as_seed(desk.begin(actor=actor).secret)
    with pytest.raises(WrongCode):
        desk.confirm(desk.code(first), actor=actor)
    assert desk.confirm(desk.code(second), actor=actor)


def test_setting_up_takes_a_fresh_sign_in(desk):
    actor, _ = desk.comes()
    desk.later(timedelta(minutes=10))
    assert desk.begin(actor=actor)
    desk.later(MICROSECOND)
    with pytest.raises(SignInTooOld):
        desk.begin(actor=actor)
    with pytest.raises(SessionEnded):
        desk.begin(actor=Actor(actor.user, actor.role))


def test_replacing_a_factor_takes_a_code_of_it_and_keeps_it_until_the_other_is_confirmed(desk):
    seed, codes, token = desk.enrol(desk.comes()[0])
    actor = desk.authenticate(token)
    with pytest.raises(CodeRequired):
        desk.begin(actor=actor)
    with pytest.raises(WrongCode):
        desk.begin(actor=actor, code="000000")
    other = as_seed(desk.begin(actor=actor, code=codes[0]).secret)
    assert desk.complete(desk.challenge(), desk.code(seed)), "the first one is good until then"
    enrolled = desk.confirm(desk.code(other), actor=actor)
    desk.later(STEP)
    with pytest.raises(WrongCode):
        desk.complete(desk.challenge(), desk.code(seed))
    with pytest.raises(WrongCode):
        desk.complete(desk.challenge(), codes[1])
    assert desk.complete(desk.challenge(), desk.code(other))
    assert desk.complete(desk.challenge(), enrolled.recovery_codes[0])


def test_a_moved_seed_does_not_open(desk):
    company = desk.stage.company()
    desk.stage.user(company=company, email="p@example.com", password=SECRET)
    parent, _ = desk.comes("p@example.com")
    desk.enrol(parent)
    seed, _, _ = desk.enrol(desk.comes()[0])
    with desk.stage.begin() as work:
        mine, theirs = work.second_factors.get(desk.root.user), work.second_factors.get(parent.user)
        work.second_factors.begin(parent.user, mine.seed, at=desk.stage.at)
        assert work.second_factors.confirm(parent.user, mine.seed, seed=mine.seed, step=0, at=desk.stage.at)
    assert theirs.seed != mine.seed
    with pytest.raises(SealBroken):
        desk.complete(desk.challenge("p@example.com"), desk.code(seed))


def test_a_lost_factor_is_taken_off_and_everything_with_it(desk):
    seed, codes, token = desk.enrol(desk.comes()[0])
    challenge = desk.challenge()
    desk.reset(" ROOT@example.com ")
    assert desk.authenticate(token) is None
    with pytest.raises(ChallengeEnded):
        desk.complete(challenge, codes[0])
    actor, _ = desk.comes()
    assert actor.is_restricted
    with pytest.raises(NoSecondFactor):
        desk.reset("root@example.com")
    with pytest.raises(NoSuchThing):
        desk.reset("nobody@example.com")
    again, _, _ = desk.enrol(actor)
    with pytest.raises(WrongCode):
        desk.complete(desk.challenge(), desk.code(seed))
    assert desk.complete(desk.challenge(), desk.code(again))
