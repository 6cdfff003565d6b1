"""
`python -m benchmarks.growth`: how the cost of hot paths grows with what is stored.

Datasets of several sizes are served at the same time by a process each, and asked in
turn within each round, so that what slows a round down slows all of them.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path as File
from statistics import median
from typing import Final

from attrs import frozen

from benchmarks.dataset import BOOKING, SESSIONS, USER, awaited_booking, id_of, token_of
from benchmarks.paths import SAMPLES, Writing, only, reads
from benchmarks.pgbench import Pgbench
from benchmarks.prepared import Prepared, prepared
from benchmarks.report import machine
from benchmarks.serving import Answers, Served, question, served

READS: Final = ("browse, first page, all filters", "GET /bookings")


@frozen
class Grown:
    """A dataset of one size, served."""

    at: Prepared
    web: Served
    writing: Writing

    @property
    def name(self) -> str:
        return f"{self.at.size.families * 10:,} bookings, {self.at.size.activities * SESSIONS:,} sessions"

    def book(self) -> Answers:
        answers = self.web.ask(self.writing.booking_questions(240))
        only(answers, "201")
        return answers

    def cancel(self) -> Answers:
        first = self.writing.bookings.take(80)
        asked = []
        for number in range(first, first + 80):
            family, booking = awaited_booking(number, self.at.size)
            path = f"/api/v1/bookings/{id_of(BOOKING, booking)}/cancel"
            asked.append(question("POST", path, token_of(USER, family), {"reason": "other"}))
        answers = self.web.ask(asked)
        only(answers, "200")
        return answers

    def read(self, name: str) -> Callable[[], Answers]:
        ask = next(read.ask for read in reads(self.at.size) if read.name == name)

        def reading() -> Answers:
            answers = self.web.ask([ask(number % SAMPLES) for number in range(480)])
            only(answers, "200")
            return answers

        return reading

    def steps(self) -> dict[str, Callable[[], Answers]]:
        """Each path, by its name."""
        return {
            "POST /bookings": self.book,
            "cancel, refund and offer": self.cancel,
            **{name: self.read(name) for name in READS},
        }


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)  # noqa: T201 - progress, beside the table


def _measure(all_sizes: Sequence[Grown], rounds: int) -> dict[tuple[str, str], list[Answers]]:
    found: dict[tuple[str, str], list[Answers]] = defaultdict(list)
    steps = [(each.name, each.steps()) for each in all_sizes]
    for number in range(rounds + 1):
        for path in steps[0][1]:
            for name, own in steps:
                answers = own[path]()
                if number:  # the first warms up
                    found[path, name].append(answers)
    return found


def main() -> None:
    """Print one table."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    asked.add_argument("--scales", default="0.01,0.1,1", help="1: a million bookings")
    asked.add_argument("--families", type=int, help="as many in each: only what is offered grows")
    asked.add_argument("--rounds", type=int, default=5, help="interleaved; medians are reported")
    asked.add_argument("--data", type=File, default=File("var/bench"), help="where datasets are kept")
    chosen = asked.parse_args()
    with ExitStack() as stack:
        grown = []
        for scale in chosen.scales.split(","):
            at = stack.enter_context(prepared(chosen.data, float(scale), _say, families=chosen.families))
            web = stack.enter_context(served(at.database_url))
            writing = Writing(at, web, Pgbench(at.server, at.database_url), chosen.rounds)
            grown.append(Grown(at, web, writing))
        found = _measure(grown, chosen.rounds)
        print(f"{chosen.rounds} rounds, {machine()}\n")  # noqa: T201 - what it is for
        print("| path | stored | req/s | to the smallest | p50 ms | p99 ms |\n|---|---|---:|---:|---:|---:|")  # noqa: T201
        for (path, name), answers in found.items():
            smallest = found[path, grown[0].name]
            ratio = median(own.rate / least.rate for own, least in zip(answers, smallest, strict=True))
            p50, p99 = (median(getattr(each, part) for each in answers) for part in ("p50", "p99"))
            rate = median(each.rate for each in answers)
            print(f"| {path} | {name} | {rate:,.0f} | {ratio:.2f} | {p50:.1f} | {p99:.1f} |")  # noqa: T201


if __name__ == "__main__":
    main()
