"""What every store promises about the runs of the checks."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from nexus.application.platform.verify_data import KEPT, ListVerifications, Verification, VerifyData
from tests.support.front import Setting
from tests.support.town import NOON


@pytest.fixture
def clock() -> Setting:
    return Setting()


def checking(begin: Any, clock: Setting, found: Any) -> VerifyData:
    return VerifyData(begin, clock, uuid4, lambda _at, _last_offer: found)


def test_what_was_found_is_kept_for_ninety_days(any_begin: Any, clock: Setting) -> None:
    clock.at = NOON
    checking(any_begin, clock, (0.5, {"I1": 0, "I2": 3}))()
    clock.at = NOON + KEPT
    checking(any_begin, clock, (0.5, {"I1": 0}))()
    first, second = ListVerifications(any_begin)()
    assert (second.at, second.seconds, dict(second.findings)) == (NOON, 0.5, {"I1": 0, "I2": 3})
    clock.at += timedelta(microseconds=1)
    checking(any_begin, clock, (0.5, {"I1": 1}))()
    assert [run.at for run in ListVerifications(any_begin)()] == [clock.at, first.at]


def test_who_finds_others_checking_keeps_nothing(any_begin: Any, clock: Setting) -> None:
    assert checking(any_begin, clock, None)() is None
    assert ListVerifications(any_begin)() == []


def test_pages_show_every_run_once_also_those_of_one_instant(any_begin: Any) -> None:
    runs = [
        Verification(id=UUID(int=number), at=NOON + timedelta(hours=number // 2), seconds=1, findings={})
        for number in range(5)
    ]
    with any_begin() as work:
        for run in runs:
            work.verifications.add(run)
    seen, after = [], None
    while page := ListVerifications(any_begin)(after=after, limit=2):
        seen += page
        after = (page[-1].at, page[-1].id)
    assert seen == runs[::-1]
