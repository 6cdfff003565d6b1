"""The platform's settings over time: the twin of their table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nexus.adapters.memory.world import World
from nexus.application.platform.ports import Entry
from nexus.domain.kernel.ids import UserId
from nexus.domain.platform.settings import DEFAULTS, PlatformSettings


class MemorySettings:
    """Keeps the promises of ``PostgresSettings``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def at(self, instant: datetime) -> PlatformSettings:
        if not self._world.settings:
            return DEFAULTS
        entries = [entry for entry in self._world.settings.values() if entry.effective_from <= instant]
        entries.sort(key=lambda entry: entry.effective_from)
        return PlatformSettings.of({entry.key: entry.value for entry in entries})

    def history(self, *, since: datetime) -> list[Entry]:
        entries = sorted(self._world.settings.values(), key=lambda each: (each.key, each.effective_from))
        in_force = {entry.key: entry for entry in entries if entry.effective_from <= since}
        return [entry for entry in entries if entry.effective_from > since or in_force[entry.key] is entry]

    def change(self, values: Mapping[str, Any], *, effective_from: datetime, by: UserId) -> None:
        for key, value in values.items():
            self._world.settings[key, effective_from] = Entry(
                key=key, value=value, effective_from=effective_from, updated_by=by
            )
