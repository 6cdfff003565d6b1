"""Load the demo world, all of it or nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from attrs import frozen

from nexus.domain.kernel.errors import Conflict
from nexus.entrypoints.demo.history import History
from nexus.entrypoints.demo.people import invite_everybody
from nexus.entrypoints.demo.stage import Stage, StoryClock
from nexus.entrypoints.demo.story import LENGTH, Story
from nexus.entrypoints.demo.town import open_town
from nexus.entrypoints.wiring import Nexus

SEED: Final = 2026
STEPS: Final = 60 + 40 + LENGTH


class NotEmpty(Conflict):
    """There is data already: the demo world is loaded into an empty database only."""


@frozen
class DemoSummary:
    """What was loaded, in numbers."""

    companies: int
    employees: int
    children: int
    venues: int
    activities: int
    coming_sessions: int
    bookings: int


def load_demo(
    nexus: Nexus,
    *,
    now: datetime | None = None,
    seed: int = SEED,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> DemoSummary:
    """
    Make a world whose past leads up to *now* (by default the clock's present).

    Everything goes through the use cases, at the instant at which it happens, and in
    one transaction: interrupted, it leaves nothing behind. The same seed and the
    same *now* make the same world.

    Parameters:
        progress: Told how many steps are done, and of how many.

    Raises:
        NotEmpty: Somebody or something is here already.
    """
    end = (now or nexus.now()).astimezone(UTC).replace(microsecond=0)
    clock = StoryClock(end - timedelta(days=LENGTH))
    replay = nexus.replaying(clock, seed=seed)
    stage = Stage(replay, clock, end, Random(seed))  # noqa: S311 - a story, not a secret
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        progress(min(done, STEPS), STEPS)

    def day(when: datetime) -> None:
        nonlocal done
        reached = STEPS - (end - when).days
        while done < reached:
            step()

    with replay.begin() as work:
        if not work.beginnings.claim():
            raise NotEmpty
        town = open_town(stage, step)
        people = invite_everybody(stage, step)
        stage.handle_events()
        history = History(stage, town, people)
        history.look_around()
        Story(history).write()
        stage.play(day)
    return DemoSummary(
        companies=len({family.company for family in people.families}),
        employees=len(people.families),
        children=sum(len(family.kids) for family in people.families) + 1,
        venues=len({offer.venue.id for offer in town.offers.values()}),
        activities=len(town.offers),
        coming_sessions=len(history.sessions),
        bookings=sum(len(booked) for booked in history.booked.values()),
    )
