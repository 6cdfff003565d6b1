"""What has served its purpose goes, and nothing else."""

from datetime import timedelta

import pytest

from nexus.application.platform.tidy_up import KEEP, TidyUp
from people import MONDAY, Stage
from tests.support.proofs import Proofs

WEEK = timedelta(days=7)
MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(("more", "left"), [(timedelta(0), 2), (MICROSECOND, 1)])
def test_sign_ins_go_a_week_after_their_end(begin, owner, more, left):
    """One that ended at midnight on Monday, and a remembered one that goes on."""
    desk = Proofs(Stage(begin))
    assert desk.root
    desk.comes()
    desk.comes(remember=True)
    TidyUp(begin, lambda: MONDAY + timedelta(hours=12) + WEEK + more)()
    assert KEEP == WEEK
    assert owner.execute("SELECT count(*) FROM user_sessions").fetchone() == (left,)


@pytest.mark.parametrize(("more", "left"), [(timedelta(0), 1), (MICROSECOND, 0)])
def test_half_done_sign_ins_go_a_week_after_their_end(begin, owner, more, left):
    desk = Proofs(Stage(begin))
    assert desk.root
    desk.enrol(desk.comes()[0])
    desk.challenge()
    ended = desk.stage.at + timedelta(minutes=5)
    TidyUp(begin, lambda: ended + WEEK + more)()
    assert owner.execute("SELECT count(*) FROM sign_in_challenges").fetchone() == (left,)
