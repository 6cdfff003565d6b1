"""One unit of work over a world, with every repository that takes part in it."""

from functools import cached_property

from nexus.adapters.memory.outbox import MemoryOutbox
from nexus.adapters.memory.world import World


class MemoryWork:
    """Satisfies the ``Work`` protocol of every use case, as ``PostgresWork`` does."""

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def outbox(self) -> MemoryOutbox:
        return MemoryOutbox(self.world)
