"""What every store promises about the life of sign-ins, and of accounts that are shut."""

from datetime import timedelta

import pytest

from nexus.domain.identity.people import DisabledAlready, EnabledAlready, OwnAccount, Role
from nexus.domain.identity.second_factor import ChallengeEnded, as_seed
from nexus.domain.identity.sessions import SessionEnded
from nexus.domain.identity.tenants import NoSeatsLeft
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from people import MONDAY, Stage
from tests.support.proofs import SECRET, Proofs

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def stage(any_begin):
    return Stage(any_begin)


@pytest.fixture
def desk(stage):
    made = Proofs(stage)
    assert made.root
    return made


@pytest.mark.parametrize(
    ("remember", "altogether", "idle"),
    [
        (False, timedelta(hours=12), timedelta(hours=1)),
        (True, timedelta(days=30), timedelta(days=14)),
    ],
)
def test_a_sign_in_ends_when_it_must_however_it_is_used(desk, remember, altogether, idle):
    result = desk.sign_in("root@example.com", SECRET, remember=remember)
    assert result.sign_in.signed_in.expires_at == MONDAY + altogether
    used = MONDAY
    while used + idle < MONDAY + altogether:
        used += idle - MICROSECOND
        desk.stage.at = used
        assert desk.authenticate(result.token)
    desk.stage.at = MONDAY + altogether - MICROSECOND
    assert desk.authenticate(result.token)
    desk.stage.at = MONDAY + altogether
    assert desk.authenticate(result.token) is None


@pytest.mark.parametrize(("remember", "idle"), [(False, timedelta(hours=1)), (True, timedelta(days=14))])
def test_a_sign_in_that_nobody_uses_ends_earlier(desk, remember, idle):
    token = desk.sign_in("root@example.com", SECRET, remember=remember).token
    desk.stage.at = MONDAY + idle - MICROSECOND
    assert desk.authenticate(token)
    token = desk.sign_in("root@example.com", SECRET, remember=remember).token
    desk.later(idle)
    assert desk.authenticate(token) is None


def test_use_is_noted_once_a_minute(desk):
    actor, token = desk.comes()

    def seen():
        return [entry.last_seen_at for entry in desk.list(actor=actor)]

    desk.later(timedelta(minutes=1) - MICROSECOND)
    desk.authenticate(token)
    assert seen() == [MONDAY]
    desk.later(MICROSECOND)
    desk.authenticate(token)
    assert seen() == [MONDAY + timedelta(minutes=1)]


def test_one_s_sign_ins_are_listed_and_ended(desk):
    company = desk.stage.company()
    desk.stage.user(company=company, email="p@example.com", password=SECRET)
    stranger, _ = desk.comes("p@example.com")
    one, first = desk.comes(device="Firefox on Windows")
    desk.later(timedelta(seconds=1))
    two, second = desk.comes(remember=True)
    desk.later(timedelta(seconds=1))
    _, third = desk.comes()
    listed = desk.list(actor=two)
    assert [str(entry.id) for entry in listed][1:] == [two.session, one.session]
    assert [(entry.device, entry.is_remembered) for entry in listed][1:] == [
        (None, True),
        ("Firefox on Windows", False),
    ]
    for foreign in (stranger.session, str(desk.stage.new_id())):
        with pytest.raises(NoSuchThing):
            desk.end(foreign, actor=two)
    desk.end(one.session, actor=two)
    desk.end(one.session, actor=two)
    assert desk.authenticate(first) is None
    desk.end_others(actor=two)
    assert desk.authenticate(third) is None
    assert desk.authenticate(second) == two
    assert [str(entry.id) for entry in desk.list(actor=two)] == [two.session]
    assert [str(entry.id) for entry in desk.list(actor=stranger)] == [stranger.session]


def test_what_ended_meanwhile_is_not_renewed(desk):
    """Somebody whose sign-in is ended while they confirm a factor gets no other one, and no factor."""
    actor, _ = desk.comes()
    seed = as_seed(desk.begin(actor=actor).secret)
    desk.end(actor.session, actor=actor)
    with pytest.raises(SessionEnded):
        desk.confirm(desk.code(seed), actor=actor)
    assert desk.comes()[0].is_restricted


def test_a_shut_account_is_out_at_once_and_comes_back_with_nothing(desk):
    company = desk.stage.company()
    desk.stage.user(company=company, email="p@example.com", password=SECRET)
    parent, _ = desk.comes("p@example.com")
    seed, codes, token = desk.enrol(parent)
    challenge = desk.challenge("p@example.com")
    desk.disable(parent.user, reason="Lost laptop", actor=desk.root)
    assert desk.authenticate(token) is None
    with pytest.raises(ChallengeEnded):
        desk.complete(challenge, codes[0])
    with pytest.raises(DisabledAlready):
        desk.disable(parent.user, reason="Lost laptop", actor=desk.root)
    desk.enable(parent.user, reason="Found")
    with pytest.raises(EnabledAlready):
        desk.enable(parent.user, reason="Found")
    assert desk.authenticate(token) is None
    with pytest.raises(ChallengeEnded):
        desk.complete(challenge, codes[0])
    assert desk.complete(desk.challenge("p@example.com"), desk.code(seed))


def test_nobody_shuts_themselves_out_or_whom_there_is_not(desk):
    with pytest.raises(OwnAccount):
        desk.disable(desk.root.user, reason="Tired", actor=desk.root)
    with pytest.raises(NoSuchThing):
        desk.disable(desk.stage.new_id(), reason="?", actor=desk.root)
    with pytest.raises(NoSuchThing):
        desk.enable(desk.stage.new_id(), reason="?")
    with pytest.raises(InvalidValue):
        desk.disable(desk.root.user, reason="  ", actor=desk.root)


def test_coming_back_takes_a_seat(desk):
    company = desk.stage.company()
    desk.stage.subscription(company, covered=1)
    gone = desk.stage.user(company=company, email="p@example.com")
    desk.disable(gone.user, reason="Leave", actor=desk.root)
    desk.stage.user(company=company, email="q@example.com")
    with pytest.raises(NoSeatsLeft):
        desk.enable(gone.user, reason="Back")


def test_hr_people_who_left_are_parents_from_then_on(desk):
    desk.need()
    company = desk.stage.company()
    hr = desk.stage.user(Role.HR_ADMIN, company=company, email="hr@example.com", password=SECRET)
    _, token = desk.comes("hr@example.com")
    left_at = MONDAY + timedelta(minutes=30)
    with desk.stage.begin() as work:
        work.staff.leave(hr.user, left_at=left_at)
    desk.stage.at = left_at - MICROSECOND
    assert desk.authenticate(token).role is Role.HR_ADMIN
    desk.stage.at = left_at
    assert desk.authenticate(token).role is Role.PARENT
