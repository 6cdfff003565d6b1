"""Each hot path beside its ceiling; what is measured in one round is measured within seconds."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from attrs import define, evolve, field, frozen

from benchmarks import lean
from benchmarks.dataset import (
    BOOKING,
    CHILD,
    COMPANY,
    HR,
    SESSION,
    SESSIONS,
    USER,
    VENUE,
    VENUE_STAFF,
    Size,
    awaited_booking,
    awaited_bookings,
    free_place,
    free_places,
    id_of,
    token_of,
)
from benchmarks.hearing import Heard, Script, ears, script
from benchmarks.pgbench import Pgbench
from benchmarks.prepared import Prepared
from benchmarks.report import Path, Round
from benchmarks.serving import Answers, Served, question
from benchmarks.whole import whole_booking, whole_cancellation
from nexus.adapters.postgres.pool import open_pool
from nexus.application.catalogue.search import Search, Sort
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.caller import NOBODY, caller
from nexus.domain.catalogue.activities import Category
from nexus.domain.catalogue.places import Position
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import CompanyId, SessionId, UserId, VenueId
from nexus.domain.kernel.time import TimeOfDay
from nexus.entrypoints.wiring import Nexus

SAMPLES: Final = 24
"""Different askers of a read; pgbench takes one of them at random each time."""


class Unexpected(Exception):
    """The product answered something else than it was asked for."""


@define
class Numbers:
    """Places and bookings that nobody has used yet in this run."""

    limit: int
    taken: int = 0

    def take(self, many: int) -> int:
        """The first of so many numbers in a row."""
        if self.taken + many > self.limit:
            raise Unexpected(f"the dataset is used up after {self.taken}: choose a larger scale")
        self.taken += many
        return self.taken - many


WALLED: Final = {"role": "nexus_app"}
"""Of pgbench: it says what it says as the product does, behind its walls."""

UNDER_WAY: Final = 0.5
"""Seconds after which a client that was begun has read its questions and asks."""


@define
class Writing:
    """Booking and cancelling: what a round may take is a share of what the dataset has."""

    at: Prepared
    web: Served
    pgbench: Pgbench
    rounds: int
    places: Numbers = field(init=False)
    bookings: Numbers = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.places = Numbers(free_places(self.at.size))
        self.bookings = Numbers(awaited_bookings(self.at.size))

    @property
    def many_places(self) -> int:
        """For pgbench, three times; HTTP takes a third of it, and a twelfth twice."""
        return min(12_000, self.places.limit // (self.rounds + 1) // 5 // 12 * 12)

    @property
    def many_bookings(self) -> int:
        return min(4_500, self.bookings.limit // (self.rounds + 1) // 3 // 12 * 12)

    def book(self) -> tuple[Round, Round, Round]:
        """
        The product's writing statements under pgbench beside the leanest statement, and the product over HTTP
        beside all that it says to PostgreSQL, and beside the leanest statement.
        """
        size, many, clients = self.at.size, self.many_places, self.pgbench.clients
        leanest = self.pgbench(
            [lean.leanest_booking(size, self.places.take(many), clients)], transactions=many
        )
        own = self.pgbench(
            [lean.own_booking(size, self.places.take(many), clients)], transactions=many, settings=lean.OWN
        )
        whole = self.pgbench(
            [whole_booking(size, self.places.take(many), clients)], transactions=many, settings=WALLED
        )
        answers = self.web.ask(self.booking_questions(many // 3))
        only(answers, "201")
        return (
            Round(ceiling=leanest, product=own),
            Round(ceiling=whole, product=answers.rate, p50=answers.p50, p99=answers.p99),
            Round(ceiling=leanest, product=answers.rate),
        )

    def booking_questions(self, many: int) -> list[str]:
        """So many bookings, each in another session, by another family."""
        first = self.places.take(many)
        asked = []
        for number in range(first, first + many):
            family, session = free_place(number, self.at.size)
            wanted = {"session_id": str(id_of(SESSION, session)), "child_ids": [str(id_of(CHILD, family))]}
            asked.append(question("POST", "/api/v1/bookings", token_of(USER, family), wanted))
        return asked

    def cancel(self) -> tuple[Round, Round]:
        """
        With a refund, and an offer to the first in line: over HTTP beside all that it says to PostgreSQL,
        and beside one lean statement.
        """
        size, many = self.at.size, self.many_bookings
        first = self.bookings.take(many)
        leanest = self.pgbench(
            [lean.leanest_cancellation(size, first, self.pgbench.clients)], transactions=many
        )
        first = self.bookings.take(many)
        whole = self.pgbench(
            [whole_cancellation(size, first, self.pgbench.clients)], transactions=many, settings=WALLED
        )
        first = self.bookings.take(many // 3)
        asked = []
        for number in range(first, first + many // 3):
            family, booking = awaited_booking(number, size)
            path = f"/api/v1/bookings/{id_of(BOOKING, booking)}/cancel"
            asked.append(question("POST", path, token_of(USER, family), {"reason": "other"}))
        answers = self.web.ask(asked)
        only(answers, "200")
        return (
            Round(ceiling=whole, product=answers.rate, p50=answers.p50, p99=answers.p99),
            Round(ceiling=leanest, product=answers.rate),
        )

    def hot(self) -> tuple[Round, Round]:
        """500 families at once for 20 seats: refusals beside bookings, and what it costs everybody else."""
        many = max(200, self.many_places // 12)
        alone = self.web.ask(self.booking_questions(many), clients=8)
        only(alone, "201")
        session = _hot_session(self.at.database_url, self.bookings.taken + self.places.taken)
        rush = [_rush(session, family) for family in range(500)]
        answers = self.web.ask(rush, clients=64)
        if answers.statuses != {"201": 20, "409": 480}:
            raise Unexpected(f"20 seats, 500 families: {answers.statuses}")
        with self.web.asking(rush, clients=8, seconds=alone.seconds * 2, again=True) as rushing:
            time.sleep(UNDER_WAY)
            beside = self.web.ask(self.booking_questions(many), clients=8)
            rushing()
        only(beside, "201")
        return (
            Round(ceiling=alone.rate, product=answers.rate, p50=answers.p50, p99=answers.p99),
            Round(ceiling=alone.rate, product=beside.rate, p50=beside.p50, p99=beside.p99),
        )


def only(answers: Answers, status: str) -> None:
    """
    Nothing else may have been answered.

    Raises:
        Unexpected: It was.
    """
    if set(answers.statuses) != {status} or answers.unasked:
        raise Unexpected(f"expected {status} only, not {answers.statuses}, {answers.unasked} unasked")


def _rush(session: str, family: int) -> str:
    wanted = {"session_id": session, "child_ids": [str(id_of(CHILD, family))]}
    return question("POST", "/api/v1/bookings", token_of(USER, family), wanted)


def _hot_session(database_url: str, number: int) -> str:
    """A new session with twenty seats, at night, when nobody has another one."""
    with psycopg.connect(database_url) as owner:
        made = owner.execute(
            """
            INSERT INTO activity_sessions (id, activity_id, venue_id, session_date, start_time, end_time, timezone,
                                           time_of_day, starts_at, ends_at, credits_required, total_capacity,
                                           sellable, created_at)
            SELECT gen_random_uuid(), activity_id, venue_id, at::date, at::time, (at + interval '1 hour')::time,
                   'UTC', 'morning', at, at + interval '1 hour', 1, 20, 20, now()
              FROM activity_sessions,
                   LATERAL (SELECT date_trunc('day', now()) + make_interval(days => 12, mins => %s) AS at) night
             WHERE id = %s
            RETURNING id::text
            """,
            [number % 400, id_of(SESSION, SESSIONS)],
        ).fetchone()
    if made is None:
        raise Unexpected("there is no session to take as an example")
    return str(made[0])


@frozen
class Asker:
    """Somebody who is signed in."""

    kind: int
    number: int
    actor: Actor

    @property
    def token(self) -> str:
        return token_of(self.kind, self.number)


def _asker(
    kind: int, number: int, role: Role, *, company: CompanyId | None = None, venue: VenueId | None = None
) -> Asker:
    return Asker(
        kind, number, Actor(user=UserId(id_of(kind, number)), role=role, company=company, venue=venue)
    )


@frozen(kw_only=True)
class Read:
    """A route, the use case behind it, who asks for it and its goal; a number chooses among several."""

    name: str
    goal: float
    who: Callable[[int], Asker]
    path: Callable[[int], str]
    run: Callable[[Nexus, int], object]

    def ask(self, number: int) -> str:
        return question("GET", self.path(number), self.who(number).token)


def reads(size: Size) -> Iterator[Read]:
    """Every read that is measured, in a dataset of this size."""

    def family(number: int) -> Asker:
        family = number * 37 % size.families
        company = CompanyId(id_of(COMPANY, family % size.companies))
        return _asker(USER, family, Role.PARENT, company=company)

    def parent(number: int) -> Actor:
        return family(number).actor

    def search(number: int) -> Search:
        return Search(
            categories=frozenset({list(Category)[number % 10], list(Category)[(number + 3) % 10]}),
            age=7,
            time_of_day=TimeOfDay.AFTERNOON,
            near=Position(round(41.7 + 0.01 * (number % 20), 4), round(-87.8 + 0.01 * (number % 23), 4)),
            within_minutes=30,
            max_credits=4,
            available=True,
            sort=Sort.NEAREST if number % 2 else Sort.SOONEST,
        )

    def address(number: int) -> str:
        wanted = search(number)
        categories = "".join(f"&category={each}" for each in sorted(map(str, wanted.categories)))
        near = f"{wanted.near.latitude},{wanted.near.longitude}" if wanted.near else ""
        return (
            f"/api/v1/activities?age=7&time_of_day=afternoon&near={near}"
            f"&within_minutes=30&max_credits=4&available=true&sort={wanted.sort}{categories}"
        )

    yield Read(
        name="browse, first page, all filters",
        goal=0.5,
        who=family,
        path=address,
        run=lambda nexus, n: nexus.browse_activities(search(n), parent=parent(n).user, limit=21),
    )
    yield Read(
        name="GET /bookings",
        goal=0.4,
        who=family,
        path=lambda _: "/api/v1/bookings",
        run=lambda nexus, n: nexus.list_bookings(
            parent=parent(n).user, status=None, upcoming=False, after=None, limit=21
        ),
    )
    yield Read(
        name="GET /me/credits",
        goal=0.4,
        who=family,
        path=lambda _: "/api/v1/me/credits",
        run=lambda nexus, n: nexus.show_credits(actor=parent(n), after=None, limit=21),
    )

    def session(number: int) -> SessionId:
        return SessionId(id_of(SESSION, number * 37 % size.activities * SESSIONS + 12))

    def staff(number: int) -> Asker:
        venue = number * 37 % size.activities % size.venues
        return _asker(VENUE_STAFF, venue, Role.VENUE_ADMIN, venue=VenueId(id_of(VENUE, venue)))

    yield Read(
        name="a roster",
        goal=0.4,
        who=staff,
        path=lambda n: f"/api/v1/venue/sessions/{session(n)}/roster",
        run=lambda nexus, n: nexus.show_roster(session(n), venue=VenueId(id_of(VENUE, staff(n).number))),
    )

    def hr(number: int) -> Asker:
        company = number % size.companies
        return _asker(HR, company, Role.HR_ADMIN, company=CompanyId(id_of(COMPANY, company)))

    yield Read(
        name="HR overview",
        goal=0.4,
        who=hr,
        path=lambda _: "/api/v1/hr/overview",
        run=lambda nexus, n: nexus.overview_hr(actor=hr(n).actor),
    )


@frozen
class Reading:
    """A read with the scripts of its ceiling."""

    read: Read
    scripts: Sequence[Script]
    statements: int

    def measure(self, web: Served, pgbench: Pgbench, *, seconds: int) -> Round:
        ceiling = pgbench(
            [each.text for each in self.scripts],
            variables={name: value for each in self.scripts for name, value in each.variables.items()},
            seconds=seconds,
            settings=WALLED,
        )
        questions = [self.read.ask(number % SAMPLES) for number in range(6000 * seconds)]
        answers = web.ask(questions, seconds=seconds)
        if set(answers.statuses) != {"200"}:
            raise Unexpected(f"{self.read.name}: {answers.statuses}")
        return Round(ceiling=ceiling, product=answers.rate, p50=answers.p50, p99=answers.p99)


def readings(at: Prepared) -> list[Reading]:
    """Every read; its ceiling is all that it says to PostgreSQL, said by pgbench."""
    made = []
    with ears(at.database_url) as hear, open_pool(at.database_url, size=1) as pool:
        for read in reads(at.size):
            scripts: list[Script] = []
            heard: list[Heard] = []
            for number in range(SAMPLES):
                asker = read.who(number)
                with acting(asker.actor):
                    heard = hear(_bound(read, number))
                scripts.append(script(pool, heard, f"s{number}", token=asker.token, bound=True))
            made.append(Reading(read, scripts, len(heard)))
    return made


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """What is done inside is done by them, as far as row-level security can tell."""
    before = caller.set(evolve(NOBODY, actor=actor))
    try:
        yield
    finally:
        caller.reset(before)


def _bound(read: Read, number: int) -> Callable[[Nexus], Any]:
    return lambda nexus: read.run(nexus, number)


def named(name: str, unit: str, goal: float, rounds: Sequence[Round], note: str = "") -> Path:
    """A path as it is reported."""
    return Path(name=name, unit=unit, goal=goal, rounds=rounds, note=note)
