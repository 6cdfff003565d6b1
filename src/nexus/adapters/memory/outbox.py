"""Events, kept in the order in which they were added."""

from nexus.adapters.memory.world import World
from nexus.domain.kernel.events import Event


class MemoryOutbox:
    """The twin of the table ``outbox``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, *events: Event) -> None:
        for event in events:
            self._world.events[event.id] = event
