"""What every store promises about settings."""

from datetime import UTC, datetime, timedelta

import pytest

from nexus.application.platform.settings import ChangeSettings, ReadSettings
from nexus.domain.identity.people import Role
from nexus.domain.kernel.errors import Invalid, InvalidValue
from nexus.domain.kernel.money import Money
from nexus.domain.platform.settings import PlatformSettings, UnknownSetting
from people import MONDAY, Stage


@pytest.fixture
def stage(any_begin):
    return Stage(any_begin)


def change(stage, values, **more):
    admin = stage.user(Role.PLATFORM_ADMIN)
    ChangeSettings(stage.begin, stage.now)(values, actor=admin, **more)


def at(stage, instant):
    with stage.begin() as work:
        return work.settings.at(instant)


def test_defaults_hold_until_something_is_said(stage):
    assert at(stage, MONDAY) == PlatformSettings()
    assert at(stage, MONDAY).cancellation_window == timedelta(hours=48)


def test_a_value_holds_from_its_instant_on(stage):
    later = MONDAY + timedelta(days=1)
    change(
        stage,
        {"cancellation_window_hours": 24, "credit_value": {"minor": 600, "currency": "USD"}},
        effective_from=later,
    )
    assert at(stage, later - timedelta(microseconds=1)) == PlatformSettings()
    assert at(stage, later) == PlatformSettings(cancellation_window_hours=24, credit_value=Money(600))
    change(stage, {"cancellation_window_hours": 36}, effective_from=later)
    assert at(stage, later).cancellation_window_hours == 36, "what was planned for then is replaced"
    views = {view.key: view for view in ReadSettings(stage.begin, stage.now)()}
    assert views["cancellation_window_hours"].value == 48
    assert [each.value for each in views["cancellation_window_hours"].planned] == [36]
    stage.at = later
    views = {view.key: view for view in ReadSettings(stage.begin, stage.now)()}
    assert (views["cancellation_window_hours"].value, views["cancellation_window_hours"].default) == (36, 48)
    assert views["cancellation_window_hours"].planned == ()
    assert views["credit_value"].value == {"minor": 600, "currency": "USD"}


def test_the_past_cannot_be_changed(stage):
    change(stage, {"generation_horizon_days": 30}, effective_from=MONDAY)
    with pytest.raises(InvalidValue):
        change(stage, {"generation_horizon_days": 31}, effective_from=MONDAY - timedelta(microseconds=1))


@pytest.mark.parametrize(
    "values",
    [
        {"cancellation_window_hours": -1},
        {"cancellation_window_hours": 721},
        {"cancellation_window_hours": "48"},
        {"cancellation_window_hours": True},
        {"cancellation_window_hours": 48.0},
        {"cancellation_window_hours": None},
        {"generation_horizon_days": 29},
        {"credit_value": 500},
        {"credit_value": {"minor": 500}},
        {"credit_value": {"minor": "500", "currency": "USD"}},
        {"credit_value": {"minor": 500, "currency": "dollars"}},
        {"credit_value": {"minor": -1, "currency": "USD"}},
    ],
)
def test_unusable_values_are_refused_and_nothing_is_changed(stage, values):
    with pytest.raises(Invalid):
        change(stage, {"waitlist_confirmation_hours": 5, **values})
    assert at(stage, datetime(2030, 1, 1, tzinfo=UTC)) == PlatformSettings()


def test_unknown_names_are_refused(stage):
    with pytest.raises(UnknownSetting):
        change(stage, {"colour": 1})
