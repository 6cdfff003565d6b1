"""Units of work that can die before they commit, and a store that keeps what the background needs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import define, field

from nexus.adapters.memory.audit import MemoryAudit
from nexus.adapters.memory.places import MemoryPlaces
from nexus.adapters.memory.tables import Change
from nexus.adapters.memory.work import MemoryWork
from nexus.adapters.memory.world import World
from nexus.application.booking.ports import Facts
from nexus.application.kernel.inbox import Taken
from nexus.domain.booking.bookings import Booking
from nexus.domain.kernel.events import Event
from nexus.domain.kernel.ids import BookingId, ChildId, EventId, SessionId, UserId, VenueId
from nexus.domain.notifications.messages import Message


class Killed(BaseException):
    """The process was killed at this point."""


@define
class SimWorld(World):
    """A world with an inbox and with the messages that people got."""

    handled: dict[UUID, int] = field(factory=dict)
    told: dict[tuple[UUID, UUID, str], int] = field(factory=dict)
    sent: dict[UUID, Event] = field(factory=dict)


class Inbox:
    """Events on their way, as handlers see them."""

    def __init__(self, world: SimWorld) -> None:
        self._world = world

    def take(self, event: EventId) -> Taken | None:
        found = None if event in self._world.handled else self._world.sent.get(event)
        return None if found is None else Taken(found)

    def done(self, event: EventId) -> None:
        self._world.handled[event] = 1

    def failed(self, event: EventId, error: str) -> None:
        raise AssertionError(f"a handler failed: {error}")


class Notifications:
    """Messages in the application; one event tells one person of one thing once."""

    def __init__(self, world: SimWorld) -> None:
        self._world = world

    def add(self, event: EventId, messages: Sequence[Message], *, at: datetime) -> None:
        for message in messages:
            key = (event, message.to, message.type)
            self._world.told[key] = self._world.told.get(key, 0) + 1

    def session_in_words(self, session: SessionId) -> str:
        return f"session {session}"

    def time_zones(self, people: Sequence[UserId]) -> dict[UserId, str]:
        return dict.fromkeys(people, "UTC")


@define
class Stale:
    """What was read before somebody else committed; the next who asks is told it once more."""

    facts: Facts | None = None
    bookings: tuple[Booking, ...] | None = None

    def forget(self) -> None:
        self.facts = self.bookings = None


class RacingPlaces(MemoryPlaces):
    """Places that may tell something stale, as if nothing had been locked."""

    def __init__(self, world: World, stale: Stale) -> None:
        super().__init__(world)
        self._stale = stale

    def facts(
        self, session: SessionId, children: Sequence[ChildId], *, parent: UserId, at: datetime
    ) -> Facts:
        stale, self._stale.facts = self._stale.facts, None
        return stale or super().facts(session, children, parent=parent, at=at)

    def lock(
        self,
        booking: BookingId,
        *,
        parent: UserId | None = None,
        venue: VenueId | None = None,
        with_group: bool = False,
    ) -> tuple[Booking, ...]:
        stale, self._stale.bookings = self._stale.bookings, None
        return stale or super().lock(booking, parent=parent, venue=venue, with_group=with_group)


class Unsealed:
    """A vault that seals nothing: ciphers are tried elsewhere, and here only take time."""

    def seal(self, plaintext: str, *, context: str) -> bytes:
        return plaintext.encode()

    def open(self, sealed: bytes, *, context: str) -> str:
        return sealed.decode()

    def new_key(self, *, context: str) -> bytes:
        return context.encode()

    def under(self, key: bytes | None, *, context: str) -> "Unsealed":
        return self


class SimWork(MemoryWork):
    """A unit of work with everything that the simulated processes need."""

    def __init__(self, world: SimWorld, stale: Stale, new_id: Callable[[], UUID]) -> None:
        super().__init__(world)
        self.audit = MemoryAudit(world, new_id)  # type: ignore[misc]
        self.inbox = Inbox(world)
        self.notifications = Notifications(world)
        self.places = RacingPlaces(world, stale)  # type: ignore[misc]


class Units:
    """
    Opens units of work on a world and keeps what each step changed.

    ``dies`` counts down: at 1 the process is killed instead of committing.
    """

    def __init__(self, world: SimWorld, new_id: Callable[[], UUID]) -> None:
        self.world = world
        self.dies = 0
        self.stale = Stale()
        self._marks: list[int] = []
        self._work = SimWork(world, self.stale, new_id)

    def __call__(self) -> "Units":
        return self

    def __enter__(self) -> SimWork:
        self._marks.append(len(self.world.changes))
        return self._work

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        mark = self._marks.pop()
        if kind is not None:
            self.world.undo(mark)
        elif self.dies and not self._marks:
            self.dies -= 1
            if not self.dies:
                self.world.undo(mark)
                raise Killed

    def taken(self) -> list[Change]:
        """What was committed since this was asked last, in order."""
        changes = self.world.changes[:]
        if changes:
            self.world.forget_changes()
        return changes


def mortal(begin: Callable[[], AbstractContextManager[Any]]) -> tuple[Callable[..., Any], list[int]]:
    """Units of work of any store that die as :class:`Units` do; the list holds the countdown."""
    countdown, depth = [0], [0]

    @contextmanager
    def opened() -> Iterator[Any]:
        depth[0] += 1
        try:
            with begin() as work:
                yield work
                if countdown[0] and depth[0] == 1:
                    countdown[0] -= 1
                    if not countdown[0]:
                        raise Killed
        finally:
            depth[0] -= 1

    return opened, countdown
