"""What every store promises about credits: over PostgreSQL and in memory."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from attrs import evolve

from nexus.application.credits.adjust import AdjustCredits
from nexus.application.credits.allocate import AllocateCredits
from nexus.application.credits.expire import ExpireCredits, WarnOfExpiry
from nexus.application.credits.ports import Grant
from nexus.application.credits.show import ShowCredits
from nexus.domain.credits.ledger import InsufficientCredits, Movement, NoOpenBalance
from nexus.domain.identity.people import Role
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from people import Stage

APRIL = datetime(2026, 4, 1, 4, tzinfo=UTC)
"""The first instant of April in New York."""


@pytest.fixture
def stage(any_begin):
    return Stage(any_begin)


def shown(stage, actor, **more):
    return ShowCredits(stage.begin, stage.now)(actor=actor, **more)


def allocate(stage, batch=1000):
    return AllocateCredits(stage.begin, stage.now, stage.new_id, batch=batch)()


def expire(stage, batch=1000):
    return ExpireCredits(stage.begin, stage.now, stage.new_id, batch=batch)()


def warn(stage, batch=1000):
    return WarnOfExpiry(stage.begin, stage.now, stage.new_id, batch=batch)()


def test_an_employee_who_joins_in_mid_period_has_the_full_amount_at_once(stage):
    company = stage.company()
    stage.subscription(company, credits_each=8)
    stage.at = datetime(2026, 3, 20, tzinfo=UTC)
    parent = stage.user(company=company)
    view = shown(stage, parent)
    assert view.available == view.current.allocated == 8
    assert (view.current.period_start, view.current.period_end) == (date(2026, 3, 1), date(2026, 4, 1))
    assert view.current.closes_at == APRIL
    assert [(line.movement, line.amount, line.balance_after, line.sequence) for line in view.lines] == [
        (Movement.ALLOCATION, 8, 8, 1)
    ]


def test_an_amount_of_one_s_own_replaces_the_subscription_s(stage):
    company = stage.company()
    stage.subscription(company, credits_each=8)
    assert shown(stage, stage.user(company=company, monthly_credits=3)).available == 3


@pytest.mark.parametrize("batch", [1, 2, 3, 1000])
def test_each_period_is_allocated_once_however_often_the_job_runs(stage, batch):
    company = stage.company()
    stage.subscription(company)
    parents = [stage.user(company=company) for _ in range(3)]
    assert allocate(stage, batch) == 0, "they were given March when they joined"
    stage.at = APRIL - timedelta(microseconds=1)
    assert allocate(stage, batch) == 0
    stage.at = APRIL
    assert allocate(stage, batch) == 3
    assert allocate(stage, batch) == 0
    stage.at = datetime(2026, 6, 20, tzinfo=UTC)
    assert allocate(stage, batch) == 3, "late: May is gone, June is given"
    assert [balance.period_start.month for balance in shown(stage, parents[0]).balances] == [6, 4, 3]


def test_the_first_to_join_are_covered(stage):
    company = stage.company()
    parents = []
    for day in (3, 4, 5):
        stage.at = datetime(2026, 3, day, tzinfo=UTC)
        parents.append(stage.user(company=company))
    stage.subscription(company, covered=2)
    assert allocate(stage) == 2
    assert [shown(stage, parent).available for parent in parents] == [8, 8, 0]


def test_companies_in_other_zones_have_their_own_midnight(stage):
    east = stage.company("East", "Pacific/Auckland")
    west = stage.company("West", "Pacific/Honolulu")
    for company in (east, west):
        stage.user(company=company)
        stage.subscription(company, start=date(2026, 4, 1))
    stage.at = datetime(2026, 3, 31, 11, tzinfo=UTC)
    assert allocate(stage) == 1
    stage.at = datetime(2026, 4, 1, 10, tzinfo=UTC) - timedelta(microseconds=1)
    assert allocate(stage) == 0
    stage.at = datetime(2026, 4, 1, 10, tzinfo=UTC)
    assert allocate(stage) == 1


def test_a_company_s_periods_never_overlap_whatever_is_asked_for(stage):
    """Whoever has a balance and whoever has none: nobody is given one while another period is in the way."""
    company = stage.company()
    has_none = stage.user(company=company)
    stage.subscription(company)
    has_march = stage.user(company=company)
    with stage.work() as work:
        (plan,) = work.credits.plans(around=stage.at.date())
    march = plan.calendar.period_at(stage.at)
    day = timedelta(days=1)

    def given(period, *users):
        with stage.work() as work:
            grants = [
                Grant(user=user, amount=1, balance=stage.new_id(), line=stage.new_id()) for user in users
            ]
            return list(work.credits.allocate(grants, plan, period, at=stage.at))

    for wrong in (
        evolve(march, until=march.until + day, closes_at=march.closes_at + day),
        evolve(march, first=march.first + day, opens_at=march.closes_at - timedelta(microseconds=1)),
        evolve(march, first=march.first - day, opens_at=march.opens_at - day),
    ):
        assert given(wrong, has_march.user, has_none.user) == []
    april = plan.calendar.period_at(march.closes_at)
    assert april.opens_at == march.closes_at
    assert set(given(april, has_march.user, has_none.user)) == {has_march.user, has_none.user}
    assert given(march, has_march.user, has_none.user) == [has_none.user]


def test_nobody_is_given_anything_after_the_subscription_s_end(stage):
    company = stage.company()
    stage.subscription(company, end=date(2026, 3, 15))
    parent = stage.user(company=company)
    assert shown(stage, parent).current.period_end == date(2026, 3, 15)
    stage.at = APRIL
    assert allocate(stage) == 0


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_what_is_left_expires_when_the_period_closes_and_not_before(stage, batch):
    company = stage.company()
    stage.subscription(company)
    parents = [stage.user(company=company) for _ in range(3)]
    stage.at = APRIL - timedelta(microseconds=1)
    assert expire(stage, batch) == 0
    stage.at = APRIL
    assert expire(stage, batch) == 3
    assert expire(stage, batch) == 0
    view = shown(stage, parents[0])
    assert view.current is None
    assert view.available == 0
    assert (view.balances[0].expired, view.balances[0].available) == (8, 0)
    assert {(line.movement, line.amount, line.balance_after) for line in view.lines} == {
        (Movement.ALLOCATION, 8, 8),
        (Movement.EXPIRY, -8, 0),
    }


def test_an_empty_balance_closes_without_a_line(stage):
    company = stage.company()
    stage.subscription(company, credits_each=2)
    parent = stage.user(company=company)
    adjust(stage, parent.user, -2)
    stage.at = APRIL
    assert expire(stage) == 1
    assert {line.movement for line in shown(stage, parent).lines} == {
        Movement.ALLOCATION,
        Movement.ADJUSTMENT,
    }


@pytest.mark.parametrize("batch", [1, 1000])
def test_the_warning_comes_once_and_seven_days_before(stage, batch):
    company = stage.company()
    stage.subscription(company, credits_each=2)
    stage.user(company=company)
    poor = stage.user(company=company)
    adjust(stage, poor.user, -2)
    stage.at = APRIL - timedelta(days=7, microseconds=1)
    assert warn(stage, batch) == 0
    stage.at = APRIL - timedelta(days=7)
    assert warn(stage, batch) == 1, "whoever has nothing left is not warned"
    assert warn(stage, batch) == 0


def adjust(stage, user, amount, reason="goodwill"):
    admin = stage.user(Role.PLATFORM_ADMIN)
    return AdjustCredits(stage.begin, stage.now, stage.new_id)(user, amount, reason=reason, actor=admin)


def test_an_adjustment_never_takes_more_than_there_is(stage):
    company = stage.company()
    stage.subscription(company, credits_each=2)
    parent = stage.user(company=company)
    with pytest.raises(InsufficientCredits) as refused:
        adjust(stage, parent.user, -3)
    assert refused.value.members() == {"balance": 2, "price": 3}
    after = adjust(stage, parent.user, -2)
    assert (after.available, after.adjusted) == (0, -2)
    assert adjust(stage, parent.user, 4).available == 4
    lines = sorted(shown(stage, parent).lines, key=lambda line: line.sequence)
    assert [line.amount for line in lines] == [2, -2, 4]
    for before, line in pairwise(lines):
        assert line.balance_after == before.balance_after + line.amount


def test_adjustments_need_an_open_balance_a_reason_and_an_employee(stage):
    company = stage.company()
    parent = stage.user(company=company)
    with pytest.raises(NoOpenBalance):
        adjust(stage, parent.user, 1)
    with pytest.raises(InvalidValue):
        adjust(stage, parent.user, 1, reason=" ")
    with pytest.raises(InvalidValue):
        adjust(stage, parent.user, 0)
    with pytest.raises(NoSuchThing):
        adjust(stage, stage.user(Role.PLATFORM_ADMIN).user, 1)


def test_movements_come_in_pages_and_others_do_not_exist(stage):
    company = stage.company()
    stage.subscription(company)
    parent, other = stage.user(company=company), stage.user(company=company)
    for _ in range(4):
        stage.at += timedelta(minutes=1)
        adjust(stage, parent.user, 1)
    everything = shown(stage, parent).lines
    assert len(everything) == 5
    paged, after = [], None
    while page := shown(stage, parent, after=after, limit=2).lines:
        paged += page
        after = (page[-1].occurred_at, page[-1].id)
    assert tuple(paged) == everything
    assert len(shown(stage, other).lines) == 1
