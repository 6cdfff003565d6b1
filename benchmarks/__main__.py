"""`python -m benchmarks`: measure the product's hot paths beside their ceilings."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path as File

from benchmarks import bulk
from benchmarks.paths import Reading, Writing, named, readings
from benchmarks.pgbench import Pgbench
from benchmarks.prepared import Prepared, prepared
from benchmarks.report import Path, Round, as_json, machine, picture, table
from benchmarks.serving import Served, served


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)  # noqa: T201 - progress, beside the table


def main() -> None:
    """Print one table; write JSON and a picture where asked to."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    asked.add_argument("--scale", type=float, default=1.0, help="1: a million bookings")
    asked.add_argument("--rounds", type=int, default=5, help="interleaved; medians are reported")
    asked.add_argument("--seconds", type=int, default=4, help="for each read and its ceiling, in each round")
    asked.add_argument("--workers", type=int, default=1, help="web processes")
    asked.add_argument("--data", type=File, default=File("var/bench"), help="where datasets are kept")
    asked.add_argument("--json", type=File, help="write every round here")
    asked.add_argument("--picture", type=File, help="write the ratios here, as SVG")
    asked.add_argument("--only", default="", help="only paths with this in their name; bulk: only bulk work")
    chosen = asked.parse_args()
    with prepared(chosen.data, chosen.scale, _say) as at:
        paths = _measure(
            at, rounds=chosen.rounds, seconds=chosen.seconds, only=chosen.only, workers=chosen.workers
        )
    processes = f"{chosen.workers} web processes, " if chosen.workers > 1 else ""
    print(f"scale {chosen.scale:g}, {chosen.rounds} rounds, {processes}{machine()}\n")  # noqa: T201 - what it is for
    print(table(paths))  # noqa: T201
    if chosen.json:
        chosen.json.write_text(as_json(paths, scale=chosen.scale), encoding="utf-8")
    if chosen.picture:
        chosen.picture.write_text(picture(paths), encoding="utf-8")


def _measure(at: Prepared, *, rounds: int, seconds: int, only: str, workers: int) -> list[Path]:
    pgbench = Pgbench(at.server, at.database_url)
    found: dict[str, list[Round]] = defaultdict(list)
    with served(at.database_url, workers=workers) as web:
        writing = Writing(at, web, pgbench, rounds)
        reading = readings(at)
        _say("warming up")
        for each in reading:
            web.ask([each.read.ask(number) for number in range(48)])

        def book(number: int) -> None:  # noqa: ARG001
            own, http, lean = writing.book()
            found["booking SQL"].append(own)
            found["POST /bookings"].append(http)
            found["POST beside leanest"].append(lean)

        def cancel(number: int) -> None:  # noqa: ARG001
            http, lean = writing.cancel()
            found["cancel"].append(http)
            found["cancel beside leanest"].append(lean)

        def hot(number: int) -> None:  # noqa: ARG001
            refused, beside = writing.hot()
            found["hot session"].append(refused)
            found["others beside it"].append(beside)

        steps: list[tuple[str, Callable[[int], None]]] = [("booking", book)]
        steps.append(("cancel", cancel))
        steps += [(each.read.name, _reading(found, each, web, pgbench, seconds)) for each in reading]
        steps.append(("hot session", hot))
        steps = [step for step in steps if only in step[0]]
        for number in range(rounds):
            _say(f"round {number + 1} of {rounds}")
            for _, step in steps:
                step(number)
        bulk_work = []
        if only in ("", "bulk"):
            _say("bulk work")
            bulk_work = bulk.measure(at, writing)
    paths = [
        named("booking SQL under pgbench", "tx/s", 0.8, found["booking SQL"]),
        named("POST /bookings beside its own statements", "req/s", 0.6, found["POST /bookings"]),
        named("POST /bookings beside the leanest statement", "req/s", 0.6, found["POST beside leanest"]),
        named("cancel, refund and offer, beside its own statements", "req/s", 0.6, found["cancel"]),
        named("cancel beside the leanest statement", "req/s", 0.6, found["cancel beside leanest"]),
        *(
            named(
                each.read.name,
                "req/s",
                each.read.goal,
                found[each.read.name],
                f"{each.statements} statements",
            )
            for each in reading
        ),
        named("hot session: refusals beside bookings", "req/s", 3.0, found["hot session"]),
        named("bookings elsewhere meanwhile", "req/s", 0.8, found["others beside it"]),
    ]
    return [path for path in paths if path.rounds] + bulk_work


def _reading(
    found: dict[str, list[Round]], each: Reading, web: Served, pgbench: Pgbench, seconds: int
) -> Callable[[int], None]:
    return lambda _: found[each.read.name].append(each.measure(web, pgbench, seconds=seconds))


if __name__ == "__main__":
    main()
