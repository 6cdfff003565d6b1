"""The platform's settings."""

from datetime import datetime
from typing import Any, Final

from attrs import field, frozen, validators
from litestar import Controller, Response, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.application.platform.settings import ChangeSettings, ReadSettings, SettingView
from nexus.domain.kernel.errors import InvalidValue
from nexus.domain.platform.settings import UnknownSetting
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.policies import Policy, allow


@frozen(kw_only=True)
class SettingsChange:
    """Values to put in force; settings left out stay as they are."""

    values: dict[str, Any] = field(
        validator=validators.min_len(1),
        metadata={
            "description": "By key: a whole number, for amounts an object of minor units and currency, "
            "or a list of names.",
            "examples": [
                {"waitlist_confirmation_hours": 6, "credit_value": {"minor": 550, "currency": "USD"}}
            ],
        },
    )
    effective_from: datetime | None = field(
        default=None, metadata={"description": "Not in the past; at once when left out."}
    )


@frozen
class SettingsView:
    """Every setting."""

    items: list[SettingView]


class SettingsController(Controller):
    """What the platform's administration decides."""

    path = "/api/v1/admin/settings"
    opt = allow(Policy.ADMIN)
    tags = ("Administration",)

    @get("/", sync_to_thread=True)
    def show(self, *, read_settings: NamedDependency[SkipValidation[ReadSettings]]) -> SettingsView:
        """List every setting: its meaning, its value now, and what is planned."""
        return SettingsView(list(read_settings()))

    @put("/", sync_to_thread=True, responses=problem_responses(UnknownSetting, InvalidValue))
    def change(
        self,
        *,
        data: JSONBody[SettingsChange],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        change_settings: NamedDependency[SkipValidation[ChangeSettings]],
        read_settings: NamedDependency[SkipValidation[ReadSettings]],
    ) -> Response[SettingsView]:
        """Put settings in force, now or later; bookings keep the terms they were made under."""

        def run() -> SettingsView:
            change_settings(data.values, actor=actor, effective_from=data.effective_from)
            return SettingsView(list(read_settings()))

        return Once(begin, actor.user)(attempt.key, attempt.fingerprint, 200, run)


HANDLERS: Final[list[ControllerRouterHandler]] = [SettingsController]
