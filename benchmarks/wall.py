"""`python -m benchmarks.wall`: what row-level security costs, as ratios of rounds with and without it."""

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path as File
from statistics import median
from typing import Final

import psycopg
from attrs import frozen
from psycopg import sql

from benchmarks.dataset import (
    BOOKING,
    CHILD,
    SESSION,
    USER,
    awaited_booking,
    awaited_bookings,
    free_place,
    free_places,
    id_of,
    token_of,
)
from benchmarks.paths import Numbers, Unexpected, reads
from benchmarks.prepared import Prepared, prepared
from benchmarks.report import machine
from benchmarks.serving import Answers, Served, question, served

WARMING: Final = 160
"""Requests after each switch: the server plans everything anew, on every connection."""


@frozen(kw_only=True)
class Taken:
    """What a request took: requests a second, and milliseconds of the processor of web process and server."""

    rate: float
    web: float
    server: float

    @property
    def both(self) -> float:
        return self.web + self.server


@frozen
class Spent:
    """Processor time so far, in seconds."""

    web: float
    backends: Mapping[int, float]

    def on_the_server_since(self, before: "Spent") -> float:
        """By connections that are still there."""
        return sum(spent - before.backends.get(pid, 0.0) for pid, spent in self.backends.items())

    @classmethod
    def by(cls, web: Served, database_url: str) -> "Spent":
        with psycopg.connect(database_url, autocommit=True) as asking:
            backends = asking.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
        return cls(_seconds(web.pid), {pid: _seconds(pid) for (pid,) in backends})


def _seconds(pid: int) -> float:
    """Of a process and those that it has started."""
    fields = (
        File(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    )
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    started = File(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return own + sum(_seconds(int(each)) for each in started)


@contextmanager
def without_walls(database_url: str) -> Iterator[None]:
    """The same database with its policies switched off."""
    with psycopg.connect(database_url, autocommit=True) as owner:
        tables = [
            row[0]
            for row in owner.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity"
            )
        ]

        def switch(how: str) -> None:
            with owner.transaction():
                for table in tables:
                    owner.execute(
                        sql.SQL("ALTER TABLE {} {} ROW LEVEL SECURITY").format(
                            sql.Identifier(table), sql.SQL("DISABLE" if how == "off" else "ENABLE")
                        )
                    )

        switch("off")
        try:
            yield
        finally:
            switch("on")


def _timed(at: Prepared, web: Served, ask: Callable[[], Answers], status: str) -> Taken:
    before = Spent.by(web, at.database_url)
    answers = ask()
    after = Spent.by(web, at.database_url)
    if set(answers.statuses) != {status}:
        raise Unexpected(f"expected {status} only, not {answers.statuses}")
    answered = sum(answers.statuses.values()) / 1000
    return Taken(
        rate=answers.rate,
        web=(after.web - before.web) / answered,
        server=after.on_the_server_since(before) / answered,
    )


@frozen
class Writes:
    """A command that uses up what it is asked with."""

    at: Prepared
    web: Served
    ask: Callable[[int], str]
    status: str
    numbers: Numbers
    amount: int

    def __call__(self) -> Taken:
        first = self.numbers.take(WARMING + self.amount)
        questions = [self.ask(first + number) for number in range(WARMING + self.amount)]
        self.web.ask(questions[:WARMING])
        return _timed(self.at, self.web, lambda: self.web.ask(questions[WARMING:]), self.status)


@frozen
class Reads:
    """A question that can be asked again."""

    at: Prepared
    web: Served
    ask: Callable[[int], str]
    seconds: int

    def __call__(self) -> Taken:
        questions = [self.ask(number % 24) for number in range(6000 * self.seconds)]
        self.web.ask(questions[:WARMING])
        return _timed(self.at, self.web, lambda: self.web.ask(questions, seconds=self.seconds), "200")


def _steps(
    at: Prepared, web: Served, *, rounds: int, seconds: int
) -> Iterator[tuple[str, Callable[[], Taken]]]:
    size = at.size

    def book(number: int) -> str:
        family, session = free_place(number, size)
        wanted = {"session_id": str(id_of(SESSION, session)), "child_ids": [str(id_of(CHILD, family))]}
        return question("POST", "/api/v1/bookings", token_of(USER, family), wanted)

    def cancel(number: int) -> str:
        family, booking = awaited_booking(number, size)
        path = f"/api/v1/bookings/{id_of(BOOKING, booking)}/cancel"
        return question("POST", path, token_of(USER, family), {"reason": "other"})

    def amount(numbers: Numbers) -> int:
        return min(1_500, numbers.limit // (2 * rounds) - WARMING)

    places, bookings = Numbers(free_places(size)), Numbers(awaited_bookings(size))
    yield "POST /bookings", Writes(at, web, book, "201", places, amount(places))
    yield "cancel, refund and offer", Writes(at, web, cancel, "200", bookings, amount(bookings))
    for read in reads(at.size):
        yield read.name, Reads(at, web, read.ask, seconds)


def _measured(
    at: Prepared, web: Served, *, rounds: int, seconds: int
) -> dict[str, list[tuple[Taken, Taken]]]:
    found: dict[str, list[tuple[Taken, Taken]]] = defaultdict(list)
    steps = list(_steps(at, web, rounds=rounds, seconds=seconds))
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}", file=sys.stderr, flush=True)  # noqa: T201
        for name, step in steps:
            # What comes second finds everything warm: they take turns.
            early = step() if number % 2 else None
            with without_walls(at.database_url):
                bare = step()
            found[name].append((early or step(), bare))
    return found


def _row(name: str, rounds: Sequence[tuple[Taken, Taken]]) -> str:
    def ratio(what: Callable[[Taken], float]) -> str:
        each = sorted(what(walled) / what(bare) for walled, bare in rounds)
        return f"{median(each):.2f} ({each[0]:.2f}-{each[-1]:.2f})"

    def figures(what: Callable[[Taken], float], form: str) -> str:
        without, walled = (median(what(pair[n]) for pair in rounds) for n in (1, 0))
        return f"{without:{form}} -> {walled:{form}}"

    cells = [
        figures(lambda taken: taken.rate, ",.0f"),
        ratio(lambda taken: taken.rate),
        figures(lambda taken: taken.web, ".2f"),
        figures(lambda taken: taken.server, ".2f"),
        ratio(lambda taken: taken.both),
    ]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Print a table: requests a second and processor time, without and with; medians of the rounds' ratios."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.wall", description=__doc__)
    asked.add_argument("--scale", type=float, default=0.05)
    asked.add_argument("--rounds", type=int, default=6)
    asked.add_argument("--seconds", type=int, default=2)
    asked.add_argument("--data", type=File, default=File("var/bench"))
    chosen = asked.parse_args()
    with prepared(chosen.data, chosen.scale, str) as at, served(at.database_url) as web:
        found = _measured(at, web, rounds=chosen.rounds, seconds=chosen.seconds)
    print(f"scale {chosen.scale:g}, {chosen.rounds} rounds, {machine()}\n")  # noqa: T201
    print("| path | req/s | ratio | web ms | server ms | ratio of processor time |")  # noqa: T201
    print("|---|---:|---:|---:|---:|---:|")  # noqa: T201
    for name, rounds in found.items():
        print(_row(name, rounds))  # noqa: T201


if __name__ == "__main__":
    main()
