"""
Chooses the next step from a seed: hot sessions, small numbers, and instants at the very edges.

Fate may look at the judge's books; what it chose is data, and needs no look to be repeated.
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.kernel.ids import SessionId
from tests.sim.books import Books
from tests.sim.habits import WEIGHTS, Habits
from tests.sim.steps import DAY, HOUR, MICRO, MINUTE, Step
from tests.sim.units import SimWorld
from tests.sim.village import SIBLINGS, START, Village

YEAR: Final = 365 * DAY
OFFS: Final = (-MICRO, timedelta(0), MICRO)


class Fate:
    """The next step, and the next; the same ones for the same seed and the same product."""

    def __init__(
        self, seed: int, world: SimWorld, village: Village, books: Books, habits: Habits | None = None
    ) -> None:
        self.random = Random(seed)
        self.world, self.village, self.books = world, village, books
        self.habits = habits or Habits()
        self.at = START
        self.count = 0
        self.swept = START
        self._due: deque[tuple[str, tuple[Any, ...]]] = deque()
        self._verbs = list(WEIGHTS)
        total = 0.0
        self._cumulative = [total := total + weight for weight in WEIGHTS.values()]

    def next(self) -> Step:
        """The next step, never earlier than the one before."""
        hot = self._hot()
        if not self._due:
            if len(hot) < self.habits.open_sessions:
                self.count += 1
                return Step(self.at, "plan", self._plan())
            self._pass_time()
            if not (self._due and (self._due[0][0] == "sweep" or self.random.random() < 0.75)):
                self._due.clear()
                self._choose(hot)
        verb, args = self._due.popleft()
        if verb == "sweep":
            self.swept = self.at
        return Step(self.at, verb, args, self._death(verb))

    def _choose(self, hot: list[SessionId]) -> None:
        """Something to do now, at once or in a few steps."""
        random = self.random
        if random.random() < self.habits.sweeps:
            self._due.append(("sweep", ()))
            return
        if random.random() < self.habits.turnovers:
            self._turn_over(hot)
        if not self._due:
            verb = random.choices(self._verbs, cum_weights=self._cumulative)[0]
            args = getattr(self, f"_{verb}")(hot)
            self._due.append(("book", self._book(hot)) if args is None else (verb, args))

    def _death(self, verb: str) -> int:
        """Long jobs die more often, in the middle."""
        if self.habits.punctual:
            return 0
        likely = 0.3 if verb in {"allocate", "expire"} else 0.01
        return self.random.choice((1, 1, 2, 3, 4, 5)) if self.random.random() < likely else 0

    def _hot(self) -> list[SessionId]:
        return [
            row.id
            for row in self.world.sessions.values()
            if row.starts_at > self.at and row.status == "scheduled"
        ]

    def _pass_time(self) -> None:
        random, luck = self.random, self.random.random()
        goal = self.at
        if luck < 0.14:
            edges = self._edges()
            if edges:
                when, *then = min(random.sample(edges, min(len(edges), 8)), key=lambda edge: edge[0])
                goal = max(when + random.choice(OFFS), self.at)
                if len(then) == 2:
                    self._due.append((then[0], then[1]))
                    if random.random() < 0.2:
                        self._due.append(("sweep", ()))
        elif luck < 0.22:
            goal += random.choice((MICRO, MINUTE, 10 * MINUTE, HOUR, 3 * HOUR, 5 * HOUR))
        if self.habits.punctual:
            goal = self._in_time(goal)
        self.at = goal

    def _in_time(self, goal: datetime) -> datetime:
        """Never past an edge by more than a minute without a sweep."""
        first = min((edge[0] for edge in self._edges(passed=True)), default=goal)
        if first + MINUTE <= goal:
            self._due.clear()
            self._due.append(("sweep", ()))
            return max(self.at, first + self.random.choice((timedelta(0), MICRO, 30_000_000 * MICRO)))
        return goal

    def _edges(self, *, passed: bool = False) -> list[tuple[Any, ...]]:
        """
        Instants ahead at which something changes, each with what is interesting to try just then.

        *passed*: instead those which a sweeper must not be late for, from its last run on.
        """
        if passed:
            found = [*self._ends_of_offers(), *self._starts(), *self._ends_of_confirming()]
            return [edge for edge in found if edge[0] > self.swept]
        found = [
            *self._ends_of_offers(),
            *self._starts(),
            *self._ends_of_confirming(),
            *self._ends_of_bookings(),
            *self._month_ends(),
        ]
        return [edge for edge in found if edge[0] >= self.at]

    def _ends_of_offers(self) -> Iterator[tuple[Any, ...]]:
        for where, entry in self.books.line.values():
            if entry.offer_expires_at is not None:
                verb = self.random.choice(("accept", "accept", "decline", "sweep"))
                args = () if verb == "sweep" else self._of(where, entry.parent, entry.children[0])
                yield entry.offer_expires_at, verb, args

    def _starts(self) -> Iterator[tuple[Any, ...]]:
        for row in self.world.sessions.values():
            if row.status != "scheduled":
                continue
            if row.releases_at is not None and row.released_at is None:
                verb = self.random.choice(("book", "sweep", "cancel", "join"))
                yield row.releases_at, *self._about(verb, row.id)
            verb = self.random.choice(("cancel", "join", "book"))
            yield row.starts_at - HOUR, *self._about(verb, row.id)
            verb = self.random.choice(("cancel", "book", "sweep"))
            yield row.starts_at, *self._about(verb, row.id)
            if row.opens_at is not None:
                yield row.opens_at, *self._about("book", row.id)

    def _ends_of_confirming(self) -> Iterator[tuple[Any, ...]]:
        for booking in self.books.active.values():
            if booking.status is BookingStatus.PENDING:
                args = self._of(booking.session, booking.parent, booking.child)
                yield booking.confirm_by, *self.random.choice((("confirm", args), ("sweep", ())))

    def _ends_of_bookings(self) -> Iterator[tuple[Any, ...]]:
        for booking in self.books.active.values():
            args = self._of(booking.session, booking.parent, booking.child)
            yield booking.refundable_until, "cancel", (*args, False)
            yield booking.starts_at, "mark", (*args, False)
            done = booking.ends_at + 24 * HOUR
            yield done, *self.random.choice((("mark", (*args, False)), ("complete", ())))

    def _month_ends(self) -> list[tuple[Any, ...]]:
        closing = [b.closes_at for b in self.world.balances.values() if b.closed_at is None]
        if not closing:
            return []
        family = self.random.randrange(len(SIBLINGS))
        choice = self.random.choice(
            (("expire", ()), ("allocate", ()), ("adjust", (family, 1)), ("cancel", None), ("book", None))
        )
        hot = self._hot()
        if choice[1] is None:
            args = getattr(self, f"_{choice[0]}")(hot) if hot else None
            choice = (choice[0], args) if args is not None else ("expire", ())
        return [(min(closing), *choice), (min(closing) - 7 * DAY, "warn", ())]

    def _about(self, verb: str, session: SessionId) -> tuple[str, tuple[Any, ...]]:
        if verb == "sweep":
            return verb, ()
        args = getattr(self, f"_{verb}")([session])
        return ("sweep", ()) if args is None else (verb, args)

    def _of(self, session: SessionId, parent: Any, child: Any) -> tuple[int, int, int]:
        for number, household in enumerate(self.village.households):
            if household.parent == parent:
                return number, self.village.numbers[session], household.children.index(child)
        raise KeyError(parent)

    # What each verb needs

    def _plan(self) -> tuple[Any, ...]:
        random = self.random
        day = (self.at + random.randint(1, 9) * DAY).replace(hour=15, minute=0, second=0, microsecond=0)
        starts_at = day + random.randint(0, 4) * HOUR
        times = {
            "starts_at": starts_at,
            "length": random.choice((HOUR, 2 * HOUR)),
            "releases_at": starts_at - random.choice((2 * HOUR, DAY, 3 * DAY))
            if random.random() < 0.5
            else None,
            "opens_at": self.at + HOUR if random.random() < 0.1 else None,
        }
        if times["releases_at"] is not None and times["releases_at"] <= self.at:
            times["releases_at"] = None
        return self.count, random.choice((1, 2, 2, 3, 3, 4)), random.choice((1, 1, 2, 3, 4)), times

    def _children(self, family: int) -> tuple[int, ...]:
        siblings = SIBLINGS[family]
        if siblings == 1:
            return (0,)
        some = self.random.sample(range(siblings), self.random.randint(1, siblings))
        return tuple(sorted(some))

    def _number(self, hot: list[SessionId]) -> int:
        return self.village.numbers[self.random.choice(hot)]

    def _book(self, hot: list[SessionId]) -> tuple[Any, ...]:
        family = self.random.randrange(len(SIBLINGS))
        return family, self._number(hot), self._children(family)

    def _join(self, hot: list[SessionId]) -> tuple[Any, ...]:
        """Mostly where it is full, and where the group could fit one day."""
        if self.random.random() < 0.2:
            return self._book(hot)
        rows = [self.world.sessions[each] for each in hot]
        row = min(
            self.random.sample(rows, min(len(rows), 2)),
            key=lambda row: row.seats - row.booked_count - row.held_count,
        )
        family = self.random.randrange(len(SIBLINGS))
        return family, self.village.numbers[row.id], self._children(family)[: max(1, row.seats)]

    def _race(self, hot: list[SessionId]) -> tuple[Any, ...]:
        """Somebody comes between reading and booking: another booking, a line that forms, a withdrawn consent."""
        session = [self.random.choice(hot)]
        family, number, children = self._book(session)
        verb = self.random.choice(("book", "book", "book", "join", "join", "cancel", "consent"))
        if verb == "consent":
            return family, number, children, verb, (family, self.random.choice(children), False)
        args = self._cancel(session) if verb == "cancel" else self._book(session)
        if verb == "join":
            group = self.random.choice([n for n, siblings in enumerate(SIBLINGS) if siblings == 3])
            args = group, number, (0, 1, 2)
        elif verb == "book" and self.random.random() < 0.4:
            args = family, self._number(hot), (SIBLINGS[family] - 1,)
        if args is None or self.random.random() < 0.1:
            verb, args = "book", (family, number, self._children(family))
        return family, number, children, verb, args

    def _somebody(self, hot: list[SessionId]) -> tuple[int, int, int] | None:
        there = [each for each in self.books.active.values() if each.session in hot]
        if not there or self.random.random() < 0.05:
            there = [self.world.bookings[id_].booking for id_ in self.books.latest.values()]
        if not there:
            return None
        booking = self.random.choice(there)
        return self._of(booking.session, booking.parent, booking.child)

    def _cancel(self, hot: list[SessionId]) -> tuple[Any, ...] | None:
        found = self._somebody(hot)
        return None if found is None else (*found, self.random.random() < 0.3)

    def _intrude(self, hot: list[SessionId]) -> tuple[Any, ...] | None:
        found = self._somebody(hot)
        return None if found is None else (self.random.randrange(len(SIBLINGS)), *found)

    def _waiting(self, hot: list[SessionId]) -> tuple[int, int, int] | None:
        there = [(where, e) for where, e in self.books.line.values()]
        offered = [each for each in there if each[1].offer_expires_at is not None]
        there = offered if offered and self.random.random() < 0.8 else there
        if not there:
            return None
        where, entry = self.random.choice(there)
        return self._of(where, entry.parent, entry.children[0])

    _accept = _decline = _leave = _waiting

    def _confirm(self, hot: list[SessionId]) -> tuple[Any, ...] | None:
        pending = [each for each in self.books.active.values() if each.status is BookingStatus.PENDING]
        if not pending:
            return None
        booking = self.random.choice(pending)
        return self._of(booking.session, booking.parent, booking.child)

    _reject = _confirm

    def _take_away(self, hot: list[SessionId]) -> tuple[Any, ...] | None:
        return self._somebody(hot)

    def _mark(self, hot: list[SessionId]) -> tuple[Any, ...] | None:
        begun = [each for each in self.books.active.values() if each.starts_at <= self.at]
        if not begun:
            return None
        booking = self.random.choice(begun)
        return (*self._of(booking.session, booking.parent, booking.child), self.random.random() < 0.5)

    def _change(self, hot: list[SessionId]) -> tuple[Any, ...]:
        random = self.random
        number = self._number(hot)
        offered = [where for where, entry in self.books.line.values() if entry.offer_expires_at is not None]
        if offered and random.random() < 0.3:
            return self._change_offered(self.village.numbers[offered[0]])
        session = self.world.sessions[self.village.sessions[number]]
        length = int((session.ends_at - session.starts_at) / MINUTE)
        what: dict[str, Any] = random.choice(
            (
                {"price": random.randint(1, 4)},
                {"total_capacity": random.randint(1, 2)},
                {"total_capacity": random.randint(1, 4)},
                {"starts_at": session.starts_at, "minutes": random.choice((30, 40, 60, 90))},
                {"starts_at": session.starts_at + random.choice((-2, -1, 1, 24)) * HOUR, "minutes": length},
                {"location": f"room {random.randint(1, 3)}"},
            )
        )
        return number, what

    def _change_offered(self, number: int) -> tuple[Any, ...]:
        """An earlier start, so near that it comes before offers end."""
        session = self.world.sessions[self.village.sessions[number]]
        soon = self.at.replace(second=0, microsecond=0) + self.random.choice(
            (61 * MINUTE, 2 * HOUR, 3 * HOUR)
        )
        length = int((session.ends_at - session.starts_at) / MINUTE)
        return number, {"starts_at": soon, "minutes": length}

    def _turn_over(self, hot: list[SessionId]) -> None:
        """Single seats change hands behind the back of a group that waits."""
        for session in hot:
            line = [entry for where, entry in self.books.line.values() if where == session]
            there = [each for each in self.books.active.values() if each.session == session]
            if there and any(len(entry.children) > 1 for entry in line):
                number = self.village.numbers[session]
                for booking in self.random.sample(there, min(len(there), 4)):
                    family = self.random.choice([n for n, siblings in enumerate(SIBLINGS) if siblings == 1])
                    self._due.append(("join", (family, number, (0,))))
                    self._due.append(("cancel", (*self._of(session, booking.parent, booking.child), False)))
                    self._due.append(("accept", (family, number, 0)))
                return

    def _call_off(self, hot: list[SessionId]) -> tuple[Any, ...]:
        return (self._number(hot),)

    def _adjust(self, hot: list[SessionId]) -> tuple[Any, ...]:
        return self.random.randrange(len(SIBLINGS)), self.random.choice((1, 2, 4, 8, -1, -2, -4))

    def _consent(self, hot: list[SessionId]) -> tuple[Any, ...]:
        family = self.random.randrange(len(SIBLINGS))
        child = self.random.randrange(SIBLINGS[family])
        homes = self.village.households
        without = [
            (number, home.children.index(each))
            for number, home in enumerate(homes)
            for each in home.children
            if "activity_booking" not in self.world.children[each].consents
        ]
        grouped = [entry for _, entry in self.books.line.values() if len(entry.children) > 1]
        if len(without) > 1:
            family, child = self.random.choice(without)
        elif grouped:
            entry = self.random.choice(grouped)
            family = next(number for number, home in enumerate(homes) if home.parent == entry.parent)
            child = homes[family].children.index(entry.children[-1])
        allowed = self.world.children[self.village.households[family].children[child]].consents
        return family, child, "activity_booking" not in allowed

    def _relay(self, hot: list[SessionId]) -> tuple[Any, ...]:
        return self.random.random() < 0.1, self.random.random() < 0.05

    def _deliver(self, hot: list[SessionId]) -> tuple[Any, ...]:
        return self.random.randrange(64), self.random.random() < 0.1

    def _nothing(self, hot: list[SessionId]) -> tuple[Any, ...]:
        return ()

    _complete = _allocate = _expire = _warn = _wipe = _nothing
