"""Runs of the checks: the twin of their table."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from nexus.adapters.memory.world import World
from nexus.application.platform.verify_data import Verification


class MemoryVerifications:
    """Keeps the promises of ``PostgresVerifications``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, run: Verification) -> None:
        self._world.verifications[run.id] = run

    def forget(self, *, before: datetime) -> None:
        for run in [run for run in self._world.verifications.values() if run.at < before]:
            del self._world.verifications[run.id]

    def page(self, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[Verification]:
        runs = (run for run in self._world.verifications.values() if not after or (run.at, run.id) < after)
        return sorted(runs, key=lambda run: (run.at, run.id), reverse=True)[:limit]
