"""
`python -m benchmarks.floor`: what a web process of these libraries can reach at all.

Between pgbench and the product stands a third: a handler of Litestar, served as the product is, that says what
a request says to PostgreSQL in the same way as the product, fetches what is answered, and answers. It checks,
decides, converts, logs and counts nothing. What it does not reach, nothing on these libraries does.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import cycle, groupby
from pathlib import Path
from statistics import median
from typing import Any, Final

from attrs import evolve, frozen
from litestar import Litestar, Response, get, post
from psycopg import Cursor
from uuid_utils.compat import uuid7

from benchmarks.dataset import CHILD, COMPANY, SESSION, USER, Size, free_place, free_places, id_of
from benchmarks.hearing import Heard, ears
from benchmarks.paths import SAMPLES, Asker, Read, Reading, Writing, acting, only, readings, reads
from benchmarks.pgbench import Pgbench
from benchmarks.prepared import prepared
from benchmarks.report import machine
from benchmarks.serving import Answers, Served, question, served, wait_for
from nexus.adapters.embedded.process import free_port
from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.fibers import begin_fiber
from nexus.adapters.postgres.pool import Pool, open_pool
from nexus.adapters.postgres.whom import PLATFORM, Whom
from nexus.adapters.system.chance import new_code
from nexus.application.kernel.actor import Actor
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import ChildId, CompanyId, SessionId, UserId
from nexus.entrypoints.http.asgi import OBJECTS_BETWEEN_LOOKS
from nexus.entrypoints.http.calls import BoundedCalls
from nexus.entrypoints.http.server import http_server
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring import Nexus

ANSWER: Final = b"[" + b" " * 1000 + b"]"
WHERE: Final = "FLOOR"
"""The environment variable that tells the process of the floor about the dataset, as JSON."""

Trip = Sequence[Heard]
"""What is said in one round trip."""


def _trips(heard: Sequence[Heard]) -> list[Trip]:
    said = [each for each in heard if each.is_always_said]
    return [list(each) for _, each in groupby(said, key=lambda each: each.trip)]


@frozen
class Said:
    """What the product says for each request: reads by their number, with several askers each, and one booking."""

    reads: Sequence[Sequence[Sequence[Trip]]]
    recognition: Trip
    booking: Sequence[Trip]

    @classmethod
    def over(cls, database_url: str, size: Size) -> "Said":
        with ears(database_url) as hear:

            def request(asker: Asker, run: Callable[[Nexus], object]) -> list[Trip]:
                recognised = hear(lambda nexus: nexus.authenticate(asker.token))
                with acting(asker.actor):
                    return [*_trips(recognised), *_trips(hear(run))]

            made = [
                [request(read.who(number), partial(_run, read, number)) for number in range(SAMPLES)]
                for read in reads(size)
            ]
            recognition, *booking = request(*_first_booking(size))
        return cls(made, recognition, booking)

    def another_booking(self, number: int, size: Size) -> list[Trip]:
        """The same by another family, in another session."""
        family, session = free_place(number, size)
        parent, company, made = id_of(USER, family), id_of(COMPANY, family % size.companies), uuid7()
        whom = Whom("tenant", user=str(parent), company=str(company))
        other: Mapping[str, Any] = {
            "session": id_of(SESSION, session),
            "children": [id_of(CHILD, family)],
            "parent": parent,
            "user": parent,
            "company": company,
            "bookings": [made],
            "entity": made,
            "debits": [uuid7()],
            "codes": [new_code()],
        }
        return [self.recognition] + [
            [
                evolve(
                    each,
                    whom=whom,
                    values={name: other.get(name, value) for name, value in each.values.items()},
                )
                for each in trip
            ]
            for trip in self.booking
        ]


def _run(read: Read, number: int, nexus: Nexus) -> object:
    return read.run(nexus, number)


def _first_booking(size: Size) -> tuple[Asker, Callable[[Nexus], object]]:
    """The last one that the dataset has room for."""
    family, session = free_place(free_places(size) - 1, size)
    company = CompanyId(id_of(COMPANY, family % size.companies))
    parent = UserId(id_of(USER, family))
    asker = Asker(USER, family, Actor(user=parent, role=Role.PARENT, company=company))
    children = (ChildId(id_of(CHILD, family)),)
    return asker, lambda nexus: nexus.book(
        SessionId(id_of(SESSION, session)), children, parent=parent, company=company
    )


def _fresh(each: Heard) -> Any:
    return each.values | {"id": uuid7()} if each.adds else each.values


def _say(pool: Pool, trips: Sequence[Trip], *, is_unit: bool = False) -> None:
    """All of it; a unit of work begins behind who asks, and ends with the last."""
    recognition, *rest = trips
    with pool.connection() as connection:
        with connection.acting_for(PLATFORM):
            _fetch(connection, recognition, connection.said_first())
        if is_unit:
            with connection.unit(rest[0][0].whom):
                for trip in rest[:-1]:
                    _fetch(connection, trip, connection.said_first())
                _fetch(connection, rest[-1], connection.said_last())
            return
        for trip in rest:
            with connection.acting_for(trip[0].whom), _planning(connection, trip[0]):
                _fetch(connection, trip, connection.said_first())


def _planning(connection: WalledConnection, first: Heard) -> AbstractContextManager[None]:
    return connection.walking(sort_ties=first.sorts_ties) if first.is_walk else nullcontext()


def _fetch(connection: WalledConnection, trip: Trip, said: AbstractContextManager[None]) -> None:
    with said:
        cursors = [
            Cursor(connection).execute(each.statement, _fresh(each), prepare=not each.is_looking_up)
            for each in trip
        ]
    for cursor in cursors:
        if cursor.pgresult and cursor.pgresult.nfields:
            cursor.fetchall()


def create() -> Litestar:
    """The floor over the dataset that the environment names."""
    where = json.loads(os.environ[WHERE])
    size = Size.of(where["scale"])
    said = Said.over(where["database_url"], size)
    samples = [cycle(each) for each in said.reads]
    settings = Settings()
    pool = open_pool(where["database_url"], size=settings.pool_size)
    calls = BoundedCalls(settings.pool_size, light=begin_fiber)
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS, 10, 10)

    @get("/{number:int}")
    async def read(number: int) -> Response[bytes]:
        await calls.lightly(partial(_say, pool, next(samples[number])))
        return Response(ANSWER)

    @post("/{number:int}")
    async def book(number: int) -> Response[bytes]:
        await calls.lightly(partial(_say, pool, said.another_booking(number, size), is_unit=True))
        return Response(ANSWER, status_code=201)

    @get("/healthz")
    async def healthz() -> Response[bytes]:
        return Response(ANSWER)

    return Litestar([read, book, healthz], lifespan=[calls.serving], openapi_config=None)


@contextmanager
def floor(database_url: str, scale: float) -> Iterator[Served]:
    """The floor, as a process of its own."""
    port = free_port()
    environment = os.environ | {WHERE: json.dumps({"database_url": database_url, "scale": scale})}
    with subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", __spec__.name, "--serve", str(port)], env=environment
    ) as process:
        try:
            wait_for(port, process)
            yield Served(port, process.pid)
        finally:
            process.terminate()


@frozen
class Rates:
    """Requests a second."""

    pgbench: float
    floor: float
    product: float


def _read(each: Reading, number: int, least: Served, web: Served, pgbench: Pgbench, *, seconds: int) -> Rates:
    measured = each.measure(web, pgbench, seconds=seconds)
    asked = [question("GET", f"/{number}", "none")] * (20_000 * seconds)
    return Rates(measured.ceiling or 0, _answered(least.ask(asked, seconds=seconds), "200"), measured.product)


def _book(writing: Writing, least: Served) -> Rates:
    _, measured, _ = writing.book()
    many = writing.many_places // 3
    first = writing.places.take(many)
    asked = [question("POST", f"/{number}", "none") for number in range(first, first + many)]
    answers = least.ask(asked)
    only(answers, "201")
    return Rates(measured.ceiling or 0, answers.rate, measured.product)


def _answered(answers: Answers, status: str) -> float:
    if set(answers.statuses) != {status}:
        raise RuntimeError(f"the floor answered {answers.statuses}")
    return answers.rate


def _line(name: str, rounds: Sequence[Rates]) -> str:
    rates = [median(map(of, rounds)) for of in (lambda r: r.pgbench, lambda r: r.floor, lambda r: r.product)]
    ratios = [
        median(map(of, rounds))
        for of in (
            lambda r: r.floor / r.pgbench,
            lambda r: r.product / r.pgbench,
            lambda r: r.product / r.floor,
        )
    ]
    figures = [f"{rate:,.0f}" for rate in rates] + [f"{ratio:.2f}" for ratio in ratios]
    return f"| {name} | " + " | ".join(figures) + " |"


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.floor", description=__doc__)
    asked.add_argument("--scale", type=float, default=1.0, help="1: a million bookings")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--seconds", type=int, default=3, help="for each read, its ceiling and its floor")
    asked.add_argument("--data", type=Path, default=Path("var/bench"), help="where datasets are kept")
    asked.add_argument("--serve", type=int, metavar="PORT", help="be the floor")
    chosen = asked.parse_args()
    if chosen.serve:
        http_server("benchmarks.floor:create", host="127.0.0.1", port=chosen.serve).serve()
        return
    found: dict[str, list[Rates]] = defaultdict(list)
    with (
        prepared(chosen.data, chosen.scale, lambda line: print(f"  {line}", file=sys.stderr)) as at,  # noqa: T201
        floor(at.database_url, chosen.scale) as least,
        served(at.database_url) as web,
    ):
        pgbench = Pgbench(at.server, at.database_url)
        writing = Writing(at, web, pgbench, chosen.rounds * 2)
        reading = readings(at)
        for _ in range(chosen.rounds):
            found["POST /bookings"].append(_book(writing, least))
            for number, each in enumerate(reading):
                found[each.read.name].append(_read(each, number, least, web, pgbench, seconds=chosen.seconds))
    print(f"scale {chosen.scale:g}, {chosen.rounds} rounds, {machine()}\n")  # noqa: T201 - what it is for
    heading = "path | pgbench/s | floor/s | product/s | floor / pgbench | product / pgbench | product / floor"
    print(f"| {heading} |")  # noqa: T201
    print("|---|---:|---:|---:|---:|---:|---:|")  # noqa: T201
    for name, rounds in found.items():
        print(_line(name, rounds))  # noqa: T201


if __name__ == "__main__":
    main()
