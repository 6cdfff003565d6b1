"""What somebody may attempt just now, for each verb: the part of fate that looks for whom and where."""

from collections import deque
from collections.abc import Sequence
from itertools import combinations
from random import Random
from typing import Any, Final, TypeVar

from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.kernel.ids import SessionId
from tests.sim.books import Books
from tests.sim.steps import DAY, HOUR, MINUTE
from tests.sim.units import SimWorld
from tests.sim.village import SIBLINGS, START, Village

T = TypeVar("T")

SINGLES: Final = tuple(number for number, siblings in enumerate(SIBLINGS) if siblings == 1)
TRIPLES: Final = tuple(number for number, siblings in enumerate(SIBLINGS) if siblings == 3)
GROUPS: Final = {
    siblings: [list(combinations(range(siblings), size)) for size in range(1, siblings + 1)]
    for siblings in set(SIBLINGS)
}
"""For so many siblings: those who may come together, by how many they are."""


class Attempts:
    """Somebody and something for each verb to be about; None where there is nobody."""

    def __init__(self, seed: int, world: SimWorld, village: Village, books: Books) -> None:
        self.random = Random(seed)
        self._luck = self.random.random
        self.world, self.village, self.books = world, village, books
        self.at = START
        self.count = 0
        self._due: deque[tuple[str, tuple[Any, ...]]] = deque()
        self._homes = {
            child: (number, place)
            for number, home in enumerate(village.households)
            for place, child in enumerate(home.children)
        }

    def _one_of(self, several: Sequence[T]) -> T:
        return several[int(self._luck() * len(several))]

    def _below(self, number: int) -> int:
        return int(self._luck() * number)

    def _hot(self) -> list[SessionId]:
        at = self.at
        return [
            row.id for row in self.world.sessions.values() if row.starts_at > at and row.status == "scheduled"
        ]

    def _of(self, session: SessionId, child: Any) -> tuple[int, int, int]:
        family, place = self._homes[child]
        return family, self.village.numbers[session], place

    # What each verb needs

    def _plan(self) -> tuple[Any, ...]:
        random = self.random
        day = (self.at + random.randint(1, 9) * DAY).replace(hour=15, minute=0, second=0, microsecond=0)
        starts_at = day + random.randint(0, 4) * HOUR
        times = {
            "starts_at": starts_at,
            "length": self._one_of((HOUR, 2 * HOUR)),
            "releases_at": starts_at - self._one_of((2 * HOUR, DAY, 3 * DAY)) if self._luck() < 0.5 else None,
            "opens_at": self.at + HOUR if self._luck() < 0.1 else None,
        }
        if times["releases_at"] is not None and times["releases_at"] <= self.at:
            times["releases_at"] = None
        return self.count, self._one_of((1, 2, 2, 3, 3, 4)), self._one_of((1, 1, 2, 3, 4)), times

    def _children(self, family: int) -> tuple[int, ...]:
        siblings = SIBLINGS[family]
        return (0,) if siblings == 1 else self._one_of(self._one_of(GROUPS[siblings]))

    def _number(self, hot: list[SessionId]) -> int:
        return self.village.numbers[self._one_of(hot)]

    def _book(self, hot: list[SessionId]) -> tuple[Any, ...]:
        family = self._below(len(SIBLINGS))
        return family, self._number(hot), self._children(family)

    def _join(self, hot: list[SessionId]) -> tuple[Any, ...]:
        """Mostly where it is full, and where the group could fit one day."""
        if self._luck() < 0.2:
            return self._book(hot)
        one = self._below(len(hot))
        another = (one + 1 + self._below(len(hot) - 1)) % len(hot) if len(hot) > 1 else one
        row, other = self.world.sessions[hot[one]], self.world.sessions[hot[another]]
        if (
            other.seats - other.booked_count - other.held_count
            < row.seats - row.booked_count - row.held_count
        ):
            row = other
        family = self._below(len(SIBLINGS))
        return family, self.village.numbers[row.id], self._children(family)[: max(1, row.seats)]

    def _race(self, hot: list[SessionId]) -> tuple[Any, ...]:
        """Somebody comes between reading and booking: another booking, a line that forms, a withdrawn consent."""
        session = [self._one_of(hot)]
        family, number, children = self._book(session)
        verb = self._one_of(("book", "book", "book", "join", "join", "cancel", "consent"))
        if verb == "consent":
            return family, number, children, verb, (family, self._one_of(children), False)
        args = self._cancel(session) if verb == "cancel" else self._book(session)
        if verb == "join":
            group = self._one_of(TRIPLES)
            args = group, number, (0, 1, 2)
        elif verb == "book" and self._luck() < 0.4:
            args = family, self._number(hot), (SIBLINGS[family] - 1,)
        if args is None or self._luck() < 0.1:
            verb, args = "book", (family, number, self._children(family))
        return family, number, children, verb, args

    def _collide(self, hot: list[SessionId]) -> tuple[Any, ...] | None:
        """Somebody changes a place between reading and cancelling it: the family itself, or the venue."""
        found = self._somebody(hot)
        if found is None:
            return None
        verb = self._one_of(("cancel", "confirm", "reject", "take_away"))
        return (*found, verb, (*found, False) if verb == "cancel" else found)

    def _somebody(self, hot: list[SessionId]) -> tuple[int, int, int] | None:
        there = [each for each in self.books.active.values() if each.session in hot]
        if not there or self._luck() < 0.05:
            there = [self.world.bookings[id_].booking for id_ in self.books.latest.values()]
        if not there:
            return None
        booking = self._one_of(there)
        return self._of(booking.session, booking.child)

    def _cancel(self, hot: list[SessionId]) -> tuple[Any, ...] | None:
        found = self._somebody(hot)
        return None if found is None else (*found, self._luck() < 0.3)

    def _intrude(self, hot: list[SessionId]) -> tuple[Any, ...] | None:
        found = self._somebody(hot)
        return None if found is None else (self._below(len(SIBLINGS)), *found)

    def _waiting(self, hot: list[SessionId]) -> tuple[int, int, int] | None:
        there = [(where, e) for where, e in self.books.line.values()]
        offered = [each for each in there if each[1].offer_expires_at is not None]
        there = offered if offered and self._luck() < 0.8 else there
        if not there:
            return None
        where, entry = self._one_of(there)
        return self._of(where, entry.children[0])

    _accept = _decline = _leave = _waiting

    def _confirm(self, hot: list[SessionId]) -> tuple[Any, ...] | None:
        pending = [each for each in self.books.active.values() if each.status is BookingStatus.PENDING]
        if not pending:
            return None
        booking = self._one_of(pending)
        return self._of(booking.session, booking.child)

    _reject = _confirm

    def _take_away(self, hot: list[SessionId]) -> tuple[Any, ...] | None:
        return self._somebody(hot)

    def _mark(self, hot: list[SessionId]) -> tuple[Any, ...] | None:
        begun = [each for each in self.books.active.values() if each.starts_at <= self.at]
        if not begun:
            return None
        booking = self._one_of(begun)
        return (*self._of(booking.session, booking.child), self._luck() < 0.5)

    def _change(self, hot: list[SessionId]) -> tuple[Any, ...]:
        random = self.random
        number = self._number(hot)
        offered = [where for where, entry in self.books.line.values() if entry.offer_expires_at is not None]
        if offered and self._luck() < 0.3:
            return self._change_offered(self.village.numbers[offered[0]])
        session = self.world.sessions[self.village.sessions[number]]
        length = int((session.ends_at - session.starts_at) / MINUTE)
        what: dict[str, Any] = self._one_of(
            (
                {"price": random.randint(1, 4)},
                {"total_capacity": random.randint(1, 2)},
                {"total_capacity": random.randint(1, 4)},
                {"starts_at": session.starts_at, "minutes": self._one_of((30, 40, 60, 90))},
                {"starts_at": session.starts_at + self._one_of((-2, -1, 1, 24)) * HOUR, "minutes": length},
                {"location": f"room {random.randint(1, 3)}"},
            )
        )
        return number, what

    def _change_offered(self, number: int) -> tuple[Any, ...]:
        """An earlier start, so near that it comes before offers end."""
        session = self.world.sessions[self.village.sessions[number]]
        soon = self.at.replace(second=0, microsecond=0) + self._one_of((61 * MINUTE, 2 * HOUR, 3 * HOUR))
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
                    family = self._one_of(SINGLES)
                    self._due.append(("join", (family, number, (0,))))
                    self._due.append(("cancel", (*self._of(session, booking.child), False)))
                    self._due.append(("accept", (family, number, 0)))
                return

    def _call_off(self, hot: list[SessionId]) -> tuple[Any, ...]:
        return (self._number(hot),)

    def _adjust(self, hot: list[SessionId]) -> tuple[Any, ...]:
        return self._below(len(SIBLINGS)), self._one_of((1, 2, 4, 8, -1, -2, -4))

    def _consent(self, hot: list[SessionId]) -> tuple[Any, ...]:
        family = self._below(len(SIBLINGS))
        child = self._below(SIBLINGS[family])
        homes = self.village.households
        without = [
            (number, home.children.index(each))
            for number, home in enumerate(homes)
            for each in home.children
            if "activity_booking" not in self.world.children[each].consents
        ]
        grouped = [entry for _, entry in self.books.line.values() if len(entry.children) > 1]
        if len(without) > 1:
            family, child = self._one_of(without)
        elif grouped:
            entry = self._one_of(grouped)
            family = next(number for number, home in enumerate(homes) if home.parent == entry.parent)
            child = homes[family].children.index(entry.children[-1])
        allowed = self.world.children[self.village.households[family].children[child]].consents
        return family, child, "activity_booking" not in allowed

    def _relay(self, hot: list[SessionId]) -> tuple[Any, ...]:
        return self._luck() < 0.1, self._luck() < 0.05

    def _deliver(self, hot: list[SessionId]) -> tuple[Any, ...]:
        return self._below(64), self._luck() < 0.1

    def _nothing(self, hot: list[SessionId]) -> tuple[Any, ...]:
        return ()

    _complete = _allocate = _expire = _warn = _wipe = _nothing
