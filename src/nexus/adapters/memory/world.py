"""Everything that the in-memory twins know, one dictionary per table."""

from typing import Any
from uuid import UUID

from attrs import define, field, fields

from nexus.adapters.memory.rows import SessionRow
from nexus.domain.catalogue.activities import Activity
from nexus.domain.catalogue.schedules import Schedule
from nexus.domain.catalogue.venues import Venue
from nexus.domain.kernel.events import Event


@define
class World:
    """
    The tables. Rows are frozen objects, so that copying the dictionaries is a snapshot.
    """

    events: dict[UUID, Event] = field(factory=dict)
    venues: dict[UUID, Venue] = field(factory=dict)
    activities: dict[UUID, Activity] = field(factory=dict)
    schedules: dict[UUID, Schedule] = field(factory=dict)
    sessions: dict[UUID, SessionRow] = field(factory=dict)
    replies: dict[tuple[UUID, str], Any] = field(factory=dict)

    def snapshot(self) -> "World":
        return World(**{a.name: dict(getattr(self, a.name)) for a in fields(World)})

    def restore(self, before: "World") -> None:
        for a in fields(World):
            table: dict[Any, Any] = getattr(self, a.name)
            table.clear()
            table.update(getattr(before, a.name))
