"""The product with a clock that a story moves, and its background work done in between."""

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Final

from attrs import define, field

from nexus.domain.kernel.errors import Refusal
from nexus.entrypoints.wiring import Nexus

EVENTS_AT_ONCE: Final = 500


@define
class StoryClock:
    """Shows the instant that the story has come to."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


@define
class Stage:
    """
    Where the story happens: things to do, each at its instant, in order.

    What would happen after ``end`` is left to the people who look around.
    """

    nexus: Nexus
    clock: StoryClock
    end: datetime
    random: Random
    _agenda: list[tuple[datetime, int, Callable[[], object]]] = field(factory=list, init=False)
    _order: Iterator[int] = field(factory=count, init=False)

    @property
    def now(self) -> datetime:
        return self.clock.at

    def before_end(self, *, days: float = 0, hours: float = 0) -> datetime:
        return self.end - timedelta(days=days, hours=hours)

    def at(self, when: datetime, do: Callable[[], object]) -> None:
        """Do something at that instant, or as the next thing if it has passed."""
        if when <= self.end:
            heapq.heappush(self._agenda, (max(when, self.now), next(self._order), do))

    def play(self, progress: Callable[[datetime], None]) -> None:
        """Do everything, in the order of time, up to the end."""
        while self._agenda:
            when, _, do = heapq.heappop(self._agenda)
            self.clock.at = when
            do()
            self.handle_events()
            progress(when)
        self.clock.at = self.end

    def handle_events(self) -> None:
        """Tell people of what has happened since."""
        with self.nexus.begin() as work:
            # More at once than a single thing causes: what is left comes with the next.
            for event_id in work.inbox.claim_unsent(limit=EVENTS_AT_ONCE):
                taken = work.inbox.take(event_id)
                if taken is not None:
                    self.nexus.announce(work, taken.event)
                    work.inbox.done(event_id)


@contextmanager
def unless_refused() -> Iterator[None]:
    """Life goes on: what somebody meant to do may have become impossible meanwhile."""
    try:
        yield
    except Refusal:
        return
