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
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import cycle, groupby
from pathlib import Path
from statistics import median
from typing import Any, Final

from attrs import frozen
from litestar import Litestar, Response, get, post
from psycopg import Cursor
from uuid_utils.compat import uuid7

from benchmarks.dataset import (
    BOOKING,
    CHILD,
    COMPANY,
    SESSION,
    USER,
    Size,
    awaited_booking,
    free_place,
    id_of,
)
from benchmarks.hearing import Heard, ears
from benchmarks.paths import SAMPLES, Asker, Read, Reading, Writing, acting, only, readings, reads
from benchmarks.pgbench import Pgbench
from benchmarks.prepared import prepared
from benchmarks.report import Round, machine
from benchmarks.serving import Answers, Served, question, served, wait_for
from nexus.adapters.embedded.process import free_port
from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.fibers import begin_fiber
from nexus.adapters.postgres.pool import Pool, open_pool
from nexus.adapters.postgres.whom import PLATFORM
from nexus.application.kernel.actor import Actor
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import BookingId, ChildId, CompanyId, SessionId, UserId
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


Hear = Callable[[Asker, Callable[[Nexus], object]], list[Trip]]
"""What is said for a request, recognising who asks first."""


@contextmanager
def _hearing(database_url: str, *, undone: bool = False) -> Iterator[Hear]:
    with ears(database_url) as hear, ears(database_url, undone=undone) as hear_request:

        def request(asker: Asker, run: Callable[[Nexus], object]) -> list[Trip]:
            recognised = hear(lambda nexus: nexus.authenticate(asker.token))
            with acting(asker.actor):
                return [*_trips(recognised), *_trips(hear_request(run))]

        yield request


def _reads(database_url: str, size: Size) -> list[list[list[Trip]]]:
    """What the product says for each read, by several askers."""
    with _hearing(database_url) as hear:
        return [
            [hear(read.who(number), partial(_run, read, number)) for number in range(SAMPLES)]
            for read in reads(size)
        ]


def _run(read: Read, number: int, nexus: Nexus) -> object:
    return read.run(nexus, number)


def _parent(family: int, size: Size) -> Asker:
    company = CompanyId(id_of(COMPANY, family % size.companies))
    return Asker(USER, family, Actor(user=UserId(id_of(USER, family)), role=Role.PARENT, company=company))


def _booking(number: int, size: Size) -> tuple[Asker, Callable[[Nexus], object]]:
    family, session = free_place(number, size)
    asker, children = _parent(family, size), (ChildId(id_of(CHILD, family)),)
    parent, company = asker.actor.user, CompanyId(id_of(COMPANY, family % size.companies))
    return asker, lambda nexus: nexus.book(
        SessionId(id_of(SESSION, session)), children, parent=parent, company=company
    )


def _cancellation(number: int, size: Size) -> tuple[Asker, Callable[[Nexus], object]]:
    family, booked = awaited_booking(number, size)
    asker = _parent(family, size)
    return asker, lambda nexus: nexus.cancel_booking(
        BookingId(id_of(BOOKING, booked)), parent=asker.actor.user
    )


COMMANDS: Final = {"book": _booking, "cancel": _cancellation}
"""What is done once for each number."""


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


def _fetch(connection: WalledConnection, trip: Trip, said: AbstractContextManager[object]) -> None:
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
    database_url, size = where["database_url"], Size.of(where["scale"])
    samples = [cycle(each) for each in _reads(database_url, size)]
    heard: dict[tuple[str, int], Sequence[Trip]] = {}
    settings = Settings()
    pool = open_pool(database_url, size=settings.pool_size)
    calls = BoundedCalls(settings.pool_size, light=begin_fiber)
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS, 10, 10)

    @get("/{number:int}")
    async def read(number: int) -> Response[bytes]:
        await calls.lightly(partial(_say, pool, next(samples[number])))
        return Response(ANSWER)

    @post("/{what:str}/{first:int}/{many:int}", sync_to_thread=True)
    def listen(what: str, first: int, many: int) -> Response[bytes]:
        """Hear what so many commands say, so that they can be said afterwards, each once."""
        with _hearing(database_url, undone=True) as hear:
            for number in range(first, first + many):
                heard[what, number] = hear(*COMMANDS[what](number, size))
        return Response(ANSWER, status_code=201)

    @post("/{what:str}/{number:int}")
    async def command(what: str, number: int) -> Response[bytes]:
        await calls.lightly(partial(_say, pool, heard.pop((what, number)), is_unit=True))
        return Response(ANSWER, status_code=201)

    @post("/refuse/{number:int}")
    async def refuse(number: int) -> Response[bytes]:
        """Know the facts of a booking, and do nothing."""
        recognition, facts, *_ = heard["book", number]
        await calls.lightly(partial(_say, pool, [recognition, facts], is_unit=True))
        return Response(ANSWER, status_code=409)

    @get("/healthz")
    async def healthz() -> Response[bytes]:
        return Response(ANSWER)

    return Litestar([read, listen, command, refuse, healthz], lifespan=[calls.serving], openapi_config=None)


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


def _command(what: str, measured: Round, least: Served, first: int, many: int) -> Rates:
    only(least.ask([question("POST", f"/{what}/{first}/{many}", "none")], clients=1), "201")
    asked = [question("POST", f"/{what}/{number}", "none") for number in range(first, first + many)]
    return Rates(measured.ceiling or 0, _answered(least.ask(asked), "201"), measured.product)


def _book(writing: Writing, least: Served) -> Rates:
    _, measured, _ = writing.book()
    many = writing.many_places // 3
    return _command("book", measured, least, writing.places.take(many), many)


def _cancel(writing: Writing, least: Served) -> Rates:
    measured, _ = writing.cancel()
    many = writing.many_bookings // 3
    return _command("cancel", measured, least, writing.bookings.take(many), many)


def _refuse(writing: Writing, least: Served, *, seconds: int) -> float:
    """Refusals a second: all of them of the same session, as far as the server can tell."""
    number = writing.places.take(1)
    only(least.ask([question("POST", f"/book/{number}/1", "none")], clients=1), "201")
    asked = [question("POST", f"/refuse/{number}", "none")] * (10_000 * seconds)
    return _answered(least.ask(asked, seconds=seconds), "409")


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
    refusing: list[float] = []
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
            found["cancel with refund and offer"].append(_cancel(writing, least))
            refusing.append(_refuse(writing, least, seconds=chosen.seconds))
            for number, each in enumerate(reading):
                found[each.read.name].append(_read(each, number, least, web, pgbench, seconds=chosen.seconds))
    print(f"scale {chosen.scale:g}, {chosen.rounds} rounds, {machine()}\n")  # noqa: T201 - what it is for
    heading = "path | pgbench/s | floor/s | product/s | floor / pgbench | product / pgbench | product / floor"
    print(f"| {heading} |")  # noqa: T201
    print("|---|---:|---:|---:|---:|---:|---:|")  # noqa: T201
    for name, rounds in found.items():
        print(_line(name, rounds))  # noqa: T201
    beside = median(
        floor / round_.product for floor, round_ in zip(refusing, found["POST /bookings"], strict=True)
    )
    print(f"\nRefusing on the floor: {median(refusing):,.0f}/s, {beside:.2f} of the product's bookings")  # noqa: T201


if __name__ == "__main__":
    main()
