"""Read and change the platform's settings."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock
from nexus.application.platform.ports import SettingsWork
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.errors import InvalidValue
from nexus.domain.platform.settings import PlatformSettings, bounds, choices, keys, meaning


@frozen(kw_only=True)
class Planned:
    """A value that will hold from an instant on."""

    value: Any
    effective_from: datetime


@frozen(kw_only=True)
class SettingView:
    """
    One setting: its value now, and what is planned.

    Values are JSON: a whole number, for amounts ``{"minor": 500, "currency": "USD"}``, or
    a list of some of the ``choices``. What is not a number has no ``least`` and ``most``.
    """

    key: str
    meaning: str
    value: Any
    default: Any
    least: int | None
    most: int | None
    choices: tuple[str, ...] | None
    effective_from: datetime | None
    planned: tuple[Planned, ...]


@frozen
class ReadSettings:
    """Every setting, in the catalogue's order."""

    begin: Begin[SettingsWork]
    now: Clock

    def __call__(self) -> tuple[SettingView, ...]:
        at = self.now()
        with self.begin() as work:
            entries = work.settings.history(since=at)
        defaults = PlatformSettings().stated()
        views = []
        for key in keys():
            mine = [entry for entry in entries if entry.key == key]
            now = next((entry for entry in mine if entry.effective_from <= at), None)
            least, most = bounds(key) or (None, None)
            views.append(
                SettingView(
                    key=key,
                    meaning=meaning(key),
                    value=defaults[key] if now is None else now.value,
                    default=defaults[key],
                    least=least,
                    most=most,
                    choices=choices(key),
                    effective_from=None if now is None else now.effective_from,
                    planned=tuple(
                        Planned(value=entry.value, effective_from=entry.effective_from)
                        for entry in mine
                        if entry.effective_from > at
                    ),
                )
            )
        return tuple(views)


@frozen
class ChangeSettings:
    """Put values in force, now or later; never in the past, which bookings have relied on."""

    begin: Begin[SettingsWork]
    now: Clock

    def __call__(
        self, changes: Mapping[str, Any], *, actor: Actor, effective_from: datetime | None = None
    ) -> None:
        """
        Put each value (as JSON) in force from *effective_from*, by default now.

        Raises:
            UnknownSetting: A name is no setting's.
            InvalidValue: A value is out of bounds, or the instant has passed.
        """
        at = self.now()
        start = at if effective_from is None else effective_from
        if start < at:
            raise InvalidValue("effective_from", "must not be in the past")
        PlatformSettings.of(changes)
        with self.begin() as work:
            before = work.settings.at(start).stated()
            work.audit.add(
                Deed(
                    Action.SETTINGS_CHANGED,
                    old={key: before[key] for key in changes},
                    new={**changes, "effective_from": start},
                )
            )
            work.settings.change(changes, effective_from=start, by=actor.user)
