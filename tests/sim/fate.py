"""
Chooses the next step from a seed: hot sessions, small numbers, and instants at the very edges.

Fate may look at the judge's books; what it chose is data, and needs no look to be repeated.
"""

from bisect import bisect
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.kernel.ids import SessionId
from tests.sim.attempts import Attempts
from tests.sim.books import Books
from tests.sim.habits import WEIGHTS, Habits
from tests.sim.steps import DAY, HOUR, MICRO, MINUTE, Step
from tests.sim.units import SimWorld
from tests.sim.village import SIBLINGS, START, Village

YEAR: Final = 365 * DAY
OFFS: Final = (-MICRO, timedelta(0), MICRO)
STRIDES: Final = (MICRO, MINUTE, 10 * MINUTE, HOUR, 3 * HOUR, 5 * HOUR)

Edge = tuple[datetime, Callable[[Any], tuple[str, tuple[Any, ...]]], Any]
"""An instant at which something changes; what to try just then is asked only of the one that is chosen."""


class Fate(Attempts):
    """The next step, and the next; the same ones for the same seed and the same product."""

    def __init__(
        self, seed: int, world: SimWorld, village: Village, books: Books, habits: Habits | None = None
    ) -> None:
        super().__init__(seed, world, village, books)
        self.habits = habits or Habits()
        self.swept = START
        self._verbs = [(verb, getattr(type(self), f"_{verb}")) for verb in WEIGHTS]
        total = 0.0
        self._cumulative = [total := total + weight for weight in WEIGHTS.values()]

    def next(self) -> Step:
        """The next step, never earlier than the one before."""
        if not self._due:
            hot = self._hot()
            if len(hot) < self.habits.open_sessions:
                self.count += 1
                return Step(self.at, "plan", self._plan())
            self._pass_time()
            if not (self._due and (self._due[0][0] == "sweep" or self._luck() < 0.75)):
                self._due.clear()
                self._choose(hot)
        verb, args = self._due.popleft()
        if verb == "sweep":
            self.swept = self.at
        return Step(self.at, verb, args, self._death(verb))

    def _choose(self, hot: list[SessionId]) -> None:
        """Something to do now, at once or in a few steps."""
        if self._luck() < self.habits.sweeps:
            self._due.append(("sweep", ()))
            return
        if self._luck() < self.habits.turnovers:
            self._turn_over(hot)
        if not self._due:
            verb, chosen = self._verbs[bisect(self._cumulative, self._luck() * self._cumulative[-1])]
            args = chosen(self, hot)
            self._due.append(("book", self._book(hot)) if args is None else (verb, args))

    def _death(self, verb: str) -> int:
        """Long jobs die more often, in the middle."""
        if self.habits.punctual:
            return 0
        likely = 0.3 if verb in {"allocate", "expire"} else 0.01
        return self._one_of((1, 1, 2, 3, 4, 5)) if self._luck() < likely else 0

    def _pass_time(self) -> None:
        luck = self._luck()
        goal = self.at
        if luck < 0.14:
            edges = self._edges()
            if edges:
                some = self.random.sample(edges, min(len(edges), 8))
                when, then, about = min(some, key=lambda edge: edge[0])
                goal = max(when + self._one_of(OFFS), self.at)
                self._due.append(then(about))
                if self._luck() < 0.2:
                    self._due.append(("sweep", ()))
        elif luck < 0.22:
            goal += self._one_of(STRIDES)
        if self.habits.punctual:
            goal = self._in_time(goal)
        self.at = goal

    def _in_time(self, goal: datetime) -> datetime:
        """Never past an edge by more than a minute without a sweep."""
        first = min((edge[0] for edge in self._edges(passed=True)), default=goal)
        if first + MINUTE <= goal:
            self._due.clear()
            self._due.append(("sweep", ()))
            return max(self.at, first + self._one_of((timedelta(0), MICRO, 30_000_000 * MICRO)))
        return goal

    def _edges(self, *, passed: bool = False) -> list[Edge]:
        """
        Instants ahead at which something changes, each with what is interesting to try just then.

        *passed*: instead those which a sweeper must not be late for, from its last run on.
        """
        if passed:
            swept = self.swept
            found = [*self._ends_of_offers(), *self._starts(), *self._ends_of_confirming()]
            return [edge for edge in found if edge[0] > swept]
        found = [
            *self._ends_of_offers(),
            *self._starts(),
            *self._ends_of_confirming(),
            *self._ends_of_bookings(),
            *self._month_ends(),
        ]
        at = self.at
        return [edge for edge in found if edge[0] >= at]

    def _ends_of_offers(self) -> Iterator[Edge]:
        for entry in self.books.line.values():
            if entry[1].offer_expires_at is not None:
                yield entry[1].offer_expires_at, self._at_the_end_of_an_offer, entry

    def _at_the_end_of_an_offer(self, waiting: tuple[SessionId, Any]) -> tuple[str, tuple[Any, ...]]:
        verb = self._one_of(("accept", "accept", "decline", "sweep"))
        return verb, () if verb == "sweep" else self._of(waiting[0], waiting[1].children[0])

    def _starts(self) -> Iterator[Edge]:
        for row in self.world.sessions.values():
            if row.status != "scheduled":
                continue
            if row.releases_at is not None and row.released_at is None:
                yield row.releases_at, self._at_the_release, row.id
            yield row.starts_at - HOUR, self._an_hour_before, row.id
            yield row.starts_at, self._at_the_start, row.id
            if row.opens_at is not None:
                yield row.opens_at, self._when_it_opens, row.id

    def _at_the_release(self, session: SessionId) -> tuple[str, tuple[Any, ...]]:
        return self._about(self._one_of(("book", "sweep", "cancel", "join")), session)

    def _an_hour_before(self, session: SessionId) -> tuple[str, tuple[Any, ...]]:
        return self._about(self._one_of(("cancel", "join", "book")), session)

    def _at_the_start(self, session: SessionId) -> tuple[str, tuple[Any, ...]]:
        return self._about(self._one_of(("cancel", "book", "sweep")), session)

    def _when_it_opens(self, session: SessionId) -> tuple[str, tuple[Any, ...]]:
        return self._about("book", session)

    def _ends_of_confirming(self) -> Iterator[Edge]:
        for booking in self.books.active.values():
            if booking.status is BookingStatus.PENDING:
                yield booking.confirm_by, self._at_the_end_of_confirming, booking

    def _at_the_end_of_confirming(self, booking: Any) -> tuple[str, tuple[Any, ...]]:
        return ("confirm", self._of(booking.session, booking.child)) if self._luck() < 0.5 else ("sweep", ())

    def _ends_of_bookings(self) -> Iterator[Edge]:
        for booking in self.books.active.values():
            yield booking.refundable_until, self._at_the_end_of_free_cancelling, booking
            yield booking.starts_at, self._when_it_begins, booking
            yield booking.ends_at + DAY, self._when_marking_ends, booking

    def _at_the_end_of_free_cancelling(self, booking: Any) -> tuple[str, tuple[Any, ...]]:
        return "cancel", (*self._of(booking.session, booking.child), False)

    def _when_it_begins(self, booking: Any) -> tuple[str, tuple[Any, ...]]:
        return "mark", (*self._of(booking.session, booking.child), False)

    def _when_marking_ends(self, booking: Any) -> tuple[str, tuple[Any, ...]]:
        return self._when_it_begins(booking) if self._luck() < 0.5 else ("complete", ())

    def _month_ends(self) -> list[Edge]:
        closing = [b.closes_at for b in self.world.balances.values() if b.closed_at is None]
        if not closing:
            return []
        first = min(closing)
        return [(first, self._at_the_end_of_a_month, None), (first - 7 * DAY, self._a_week_before, None)]

    def _at_the_end_of_a_month(self, _: None) -> tuple[str, tuple[Any, ...]]:
        verb = self._one_of(("expire", "allocate", "adjust", "cancel", "book"))
        if verb == "adjust":
            return verb, (self._below(len(SIBLINGS)), 1)
        if verb in {"expire", "allocate"}:
            return verb, ()
        hot = self._hot()
        args = (self._cancel(hot) if verb == "cancel" else self._book(hot)) if hot else None
        return ("expire", ()) if args is None else (verb, args)

    def _a_week_before(self, _: None) -> tuple[str, tuple[Any, ...]]:
        return "warn", ()

    def _about(self, verb: str, session: SessionId) -> tuple[str, tuple[Any, ...]]:
        if verb == "sweep":
            return verb, ()
        args = getattr(self, f"_{verb}")([session])
        return ("sweep", ()) if args is None else (verb, args)
