"""One simulated life of the village: steps carried out, judged, recounted and, when old, put aside."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from time import process_time
from typing import Any

from attrs import define, field, frozen

from nexus.adapters.memory.tables import ABSENT
from tests.sim.books import Books, Broken, must
from tests.sim.fate import YEAR, Fate
from tests.sim.habits import Habits
from tests.sim.hands import KILLED, Hands
from tests.sim.judge import Judge
from tests.sim.recount import recount
from tests.sim.steps import DAY, HOUR, MINUTE, Step
from tests.sim.units import SimWorld, Units, Unsealed
from tests.sim.village import START, in_memory, plainly_numbered

RECOUNT_EVERY = 1000
PUT_ASIDE_EVERY = 200
FORGET_EVERY = 1000


@frozen
class Failure:
    """What broke, and the steps that led to it."""

    seed: int | None
    promise: str
    text: str
    steps: tuple[Step, ...]


@define(slots=False)
class Life:
    """A village from its first day, in memory."""

    punctual: bool = False
    varied: bool = True
    world: SimWorld = field(factory=SimWorld)
    books: Books = field(factory=Books)
    steps: int = 0
    outcomes: dict[tuple[str, str], int] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        new_id = plainly_numbered()
        self.units = Units(self.world, new_id)
        self.village = in_memory(self.world, new_id, varied=self.varied)
        self.hands = Hands(self.units, self.village, self.books, new_id, Unsealed())
        self.judge = Judge(self.world, self.village, self.books)

    def begin(self) -> None:
        """
        Everybody moves in.

        Raises:
            Broken: Not even that works.
        """
        self.hands.settle_in()
        self.judge.judge(Step(START, "allocate"), "done", self.units.taken())

    def live(self, step: Step) -> Any:
        """
        Carry a step out and judge it.

        Raises:
            Broken: A promise does not hold, or the product fell over.
        """
        self.units.dies = step.dies
        try:
            outcome = self.hands.perform(step)
        except Broken:
            raise
        except Exception as error:
            raise Broken("I11", f"{step.verb} fell over: {type(error).__name__}: {error}") from error
        finally:
            self.units.dies = 0
        if outcome == KILLED:
            self.units.stale.forget()
        self.judge.judge(step, outcome, self.units.taken())
        if self.punctual:
            self.judge.nothing_overdue(step.at, MINUTE)
        self.steps += 1
        key = step.verb, outcome if isinstance(outcome, str) else type(outcome).__name__
        self.outcomes[key] = self.outcomes.get(key, 0) + 1
        if self.steps % RECOUNT_EVERY == 0:
            recount(self.judge, step.at)
        if self.steps % PUT_ASIDE_EVERY == 0:
            self.put_aside(step.at)
        if self.steps % FORGET_EVERY == 0:
            self.forget(step.at)
        return outcome

    def end(self, at: datetime) -> None:
        """
        Nobody comes any more; the jobs run until nothing is left to do.

        Raises:
            Broken: Something is left for ever.
        """
        late = max([at, *(row.ends_at for row in self.world.sessions.values())]) + 2 * DAY
        for verb in ("sweep", "complete", "expire"):
            self.live(Step(late, verb))
        self.live(Step(late, "relay", (True, False)))
        while self.hands.broker:
            self.live(Step(late, "deliver", (0, False)))
        must(not self.books.line, "I9", "somebody waits for ever")
        must(not self.books.active, "I10", "a booking never ends")
        must(self.world.sent.keys() <= self.world.handled.keys(), "I12", "an event is never handled")
        recount(self.judge, late)

    def put_aside(self, at: datetime) -> None:
        """What is over and was counted moves out of the tables, which the twins scan from end to end."""
        world = self.world
        over = at - 26 * HOUR
        old = {row.id for row in world.sessions.values() if row.ends_at < over}
        old -= {each.session for each in self.books.active.values()}
        old -= {session for session, _ in self.books.line.values()}
        if not old:
            return
        bookings = {key for key, row in world.bookings.items() if row.booking.session in old}
        for key in bookings:
            world.bookings.restore(key, ABSENT)
        for key in [key for key, row in world.queue.items() if row.session in old]:
            world.queue.restore(key, ABSENT)
        for key in old:
            world.sessions.restore(key, ABSENT)
        self.books.forget(set(old), set(bookings))

    def forget(self, at: datetime) -> None:
        """Periods long closed and events that were handled are history, too."""
        world = self.world
        paying = {row.booking.balance for row in world.bookings.values()}
        closed = {
            key
            for key, row in world.balances.items()
            if row.closed_at is not None and key not in paying and row.closes_at < at - 35 * DAY
        }
        for key in [key for key, row in world.lines.items() if row.view.balance in closed]:
            world.lines.restore(key, ABSENT)
        for key in closed:
            world.balances.restore(key, ABSENT)
        on_their_way = set(self.hands.broker)
        for key in [key for key in world.handled if key not in on_their_way]:
            if key in world.sent:
                world.sent.restore(key, ABSENT)
            world.handled.restore(key, ABSENT)
        for told in [told for told in world.told if told[0] not in world.sent]:
            world.told.restore(told, ABSENT)


@contextmanager
def undisturbed() -> Iterator[None]:
    """
    A run without the collector of cycles, which looks through everything again and again.

    That was a quarter of the time. A life that is over leaves no cycle behind; a test holds it to that.
    """
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def live_a_year(
    seed: int, *, most: int | None = None, until: float | None = None, habits: Habits | None = None
) -> tuple[Life, Failure | None]:
    """A year from that seed, or as many steps of it as asked for, or until so much processor time is used."""
    habits = habits or Habits()
    life = Life(punctual=habits.punctual)
    fate = Fate(seed, life.world, life.village, life.books, habits)
    told: list[Step] = []
    try:
        life.begin()
        while fate.at < START + YEAR and (most is None or life.steps < most):
            if until is not None and process_time() > until:
                return life, None
            step = fate.next()
            told.append(step)
            life.live(step)
        life.end(fate.at)
    except Broken as found:
        return life, Failure(seed, found.promise, str(found), tuple(told))
    return life, None


def relive(steps: Iterable[Step], *, punctual: bool = False) -> Failure | None:
    """The same steps again, and what breaks."""
    life, told, at = Life(punctual=punctual), [], START
    try:
        life.begin()
        for step in steps:
            told.append(step)
            at = step.at
            life.live(step)
        recount(life.judge, at)
        life.end(at)
    except Broken as found:
        return Failure(None, found.promise, str(found), tuple(told))
    return None
