"""`python -m benchmarks.wall`: what row-level security costs, as ratios of rounds with and without it."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path as File
from statistics import median
from typing import Final

import psycopg
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
from benchmarks.paths import Numbers, only, reads
from benchmarks.prepared import Prepared, prepared
from benchmarks.report import machine
from benchmarks.serving import Served, question, served

WARMING: Final = 48
"""Requests after each switch: the server plans everything anew."""


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


def _measured(
    at: Prepared, web: Served, *, rounds: int, seconds: int
) -> dict[str, list[tuple[float, float]]]:
    size = at.size
    places, bookings = Numbers(free_places(size)), Numbers(awaited_bookings(size))
    many = min(1_500, places.limit // (2 * rounds) - WARMING)
    few = min(800, bookings.limit // (2 * rounds) - WARMING)

    def book(number: int) -> str:
        family, session = free_place(number, size)
        wanted = {"session_id": str(id_of(SESSION, session)), "child_ids": [str(id_of(CHILD, family))]}
        return question("POST", "/api/v1/bookings", token_of(USER, family), wanted)

    def cancel(number: int) -> str:
        family, booking = awaited_booking(number, size)
        path = f"/api/v1/bookings/{id_of(BOOKING, booking)}/cancel"
        return question("POST", path, token_of(USER, family), {"reason": "other"})

    def writing(ask: Callable[[int], str], numbers: Numbers, amount: int, status: str) -> float:
        first = numbers.take(WARMING + amount)
        only(web.ask([ask(first + n) for n in range(WARMING)]), status)
        answers = web.ask([ask(first + WARMING + n) for n in range(amount)])
        only(answers, status)
        return answers.rate

    def reading(ask: Callable[[int], str]) -> float:
        web.ask([ask(n) for n in range(WARMING)])
        answers = web.ask([ask(n % 24) for n in range(6000 * seconds)], seconds=seconds)
        only(answers, "200") if not answers.unasked else None
        return answers.rate

    steps: dict[str, Callable[[], float]] = {
        "POST /bookings": lambda: writing(book, places, many, "201"),
        "cancel, refund and offer": lambda: writing(cancel, bookings, few, "200"),
    }
    for read in reads(at):
        steps[read.name] = partial(reading, read.ask)
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}", file=sys.stderr, flush=True)  # noqa: T201
        for name, step in steps.items():
            if number % 2:
                walled = step()
                with without_walls(at.database_url):
                    bare = step()
            else:
                with without_walls(at.database_url):
                    bare = step()
                walled = step()
            found[name].append((walled, bare))
    return found


def main() -> None:
    """Print a table: requests a second with and without, and the median of the rounds' ratios."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.wall", description=__doc__)
    asked.add_argument("--scale", type=float, default=0.05)
    asked.add_argument("--rounds", type=int, default=6)
    asked.add_argument("--seconds", type=int, default=2)
    asked.add_argument("--data", type=File, default=File("var/bench"))
    chosen = asked.parse_args()
    with prepared(chosen.data, chosen.scale, str) as at, served(at.database_url) as web:
        found = _measured(at, web, rounds=chosen.rounds, seconds=chosen.seconds)
    print(f"scale {chosen.scale:g}, {chosen.rounds} rounds, {machine()}\n")  # noqa: T201
    print("| path | without | with | ratio | least | most |\n|---|---:|---:|---:|---:|---:|")  # noqa: T201
    for name, rounds in found.items():
        ratios = sorted(walled / bare for walled, bare in rounds)
        cells = [
            f"{median(bare for _, bare in rounds):,.0f}",
            f"{median(walled for walled, _ in rounds):,.0f}",
            *(f"{ratio:.2f}" for ratio in (median(ratios), ratios[0], ratios[-1])),
        ]
        print(f"| {name} | {' | '.join(cells)} |")  # noqa: T201


if __name__ == "__main__":
    main()
