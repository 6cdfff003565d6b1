"""Changing one's own password."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from nexus.adapters.memory.limiter import MemoryLimiter
from nexus.application.kernel.actor import Actor
from nexus.domain.identity.credentials import TooManyAttempts, UnacceptablePassword, WrongPassword
from nexus.domain.identity.mail import LinkNotValid
from nexus.domain.identity.passwords import GuessablePassword
from nexus.domain.identity.sessions import SessionEnded
from people import MONDAY, Stage
from tests.support.desk import EMAIL, NEXT, RESET, SECRET, Desk


@pytest.fixture
def desk(any_begin):
    return Desk(Stage(any_begin))


@pytest.fixture
def ada(desk):
    person = desk.stage.user(company=desk.stage.company(), email=EMAIL, password=SECRET, is_verified=True)
    desk.work_through()
    assert desk.mailer.mails == []
    return person


def asking(desk, ada, sign_in):
    return Actor(ada.user, ada.role, ada.company, None, sign_in.signed_in.id)


def test_a_changed_password_leaves_the_present_sign_in_alone_under_a_new_token(desk, ada):
    here, elsewhere = (desk.signs_in(ada.user, ada.role) for _ in range(2))
    desk.forget()
    desk.work_through()
    link = desk.link()
    renewed = desk.change(SECRET, NEXT, actor=asking(desk, ada, here))
    assert [desk.is_in(each.token) for each in (here, elsewhere, renewed)] == [False, False, True]
    assert desk.password(ada.user) == f"new:{NEXT}"
    with pytest.raises(LinkNotValid):
        desk.choose(RESET)(link, "yet another secret")
    desk.work_through()
    assert "was changed" in desk.mailer.mails[-1].subject


def test_the_present_password_must_be_right_and_is_not_guessed_here_either(desk, ada):
    here = desk.signs_in(ada.user, ada.role)
    desk.stage.passwords.verified.clear()
    for _ in range(10):
        with pytest.raises(WrongPassword):
            desk.change("wrong horse", NEXT, actor=asking(desk, ada, here))
    with pytest.raises(TooManyAttempts):
        desk.change(SECRET, NEXT, actor=asking(desk, ada, here))
    assert len(desk.stage.passwords.verified) == 10
    assert desk.password(ada.user) == f"new:{SECRET}"
    assert desk.is_in(here.token)


@pytest.mark.parametrize(
    ("password", "error"), [("password1", GuessablePassword), ("short", UnacceptablePassword)]
)
def test_a_password_that_may_not_be_chosen_changes_nothing(desk, ada, password, error):
    here = desk.signs_in(ada.user, ada.role)
    with pytest.raises(error):
        desk.change(SECRET, password, actor=asking(desk, ada, here))
    assert desk.is_in(here.token)


def test_a_sign_in_that_ended_meanwhile_changes_nothing(desk, ada):
    here = desk.signs_in(ada.user, ada.role)
    with desk.stage.work() as work:
        work.sign_ins.end_all(ada.user, at=MONDAY)
    with pytest.raises(SessionEnded):
        desk.change(SECRET, NEXT, actor=asking(desk, ada, here))
    assert desk.password(ada.user) == f"new:{SECRET}"


def test_changed_and_replaced_at_once_one_of_the_two_holds(begin):
    """Both touch the account, its links and its sign-ins: in one order, so that neither waits for the other."""
    desk = Desk(Stage(begin))
    ada = desk.stage.user(company=desk.stage.company(), email=EMAIL, password=SECRET, is_verified=True)
    for turn in range(8):
        here = desk.signs_in(ada.user, ada.role)
        desk.limiter = MemoryLimiter()
        desk.send(desk.asked(ada.user, RESET))
        link, old = desk.link(), desk.password(ada.user).partition(":")[2]
        changed, replaced = f"changed in turn {turn}", f"replaced in turn {turn}"
        with ThreadPoolExecutor(2) as threads:
            one = threads.submit(desk.change, old, changed, actor=asking(desk, ada, here))
            other = threads.submit(desk.choose(RESET), link, replaced)
        errors = [error for error in (one.exception(), other.exception()) if error]
        assert all(isinstance(error, SessionEnded | LinkNotValid | WrongPassword) for error in errors), errors
        assert len(errors) < 2
        assert desk.password(ada.user) in {f"new:{changed}", f"new:{replaced}"}
