"""
The simulation from the command line.

    python -m tests.sim run [--seconds 60] [--seed 0] [--liveness]
    python -m tests.sim replay SEED [--bug NAME] [--liveness]
    python -m tests.sim bugs [--seconds 10] [NAME ...]
"""

import argparse
import sys
from collections import Counter
from contextlib import nullcontext
from time import monotonic, process_time

from tests.sim.bugs import BUGS
from tests.sim.habits import Habits
from tests.sim.life import Failure, live_a_year, undisturbed
from tests.sim.mutants import Bug
from tests.sim.shrink import shrunk
from tests.sim.steps import as_code, in_words


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description="Simulate years of families.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="years from consecutive seeds, until the time is over or one fails")
    run.add_argument("--seconds", type=float, default=60)
    run.add_argument("--seed", type=int, default=0)
    run.add_argument(
        "--liveness", action="store_true", help="a sweeper that is in time: nothing waits longer"
    )
    replay = verbs.add_parser("replay", help="one seed again, shrunk and told")
    replay.add_argument("seed", type=int)
    replay.add_argument("--bug", choices=BUGS)
    replay.add_argument("--liveness", action="store_true")
    bugs = verbs.add_parser("bugs", help="plant every known bug and look for it")
    bugs.add_argument("--seconds", type=float, default=10, help="for each bug")
    bugs.add_argument("names", nargs="*")
    asked = parser.parse_args()
    if asked.verb == "run":
        return run_years(asked.seconds, asked.seed, Habits(punctual=asked.liveness))
    if asked.verb == "replay":
        return tell_again(asked.seed, BUGS.get(asked.bug), Habits(punctual=asked.liveness))
    return find_bugs([BUGS[name] for name in asked.names] or list(BUGS.values()), asked.seconds)


def run_years(seconds: float, first: int, habits: Habits) -> int:
    begun, cpu, steps, seed = monotonic(), process_time(), 0, first
    outcomes: Counter[tuple[str, str]] = Counter()
    with undisturbed():
        while monotonic() - begun < seconds:
            life, failure = live_a_year(seed, habits=habits)
            steps += life.steps
            outcomes.update(life.outcomes)
            if failure is not None:
                tell(shrunk(failure, punctual=habits.punctual), len(failure.steps))
                return 1
            seed += 1
    used = process_time() - cpu
    for (verb, outcome), count in sorted(outcomes.items()):
        print(f"{count:9,}  {verb}: {outcome}")
    print(
        f"{seed - first} years, {steps:,} steps in {monotonic() - begun:.1f} s"
        f" ({steps / used * 60:,.0f} a minute of one core): every promise held"
    )
    return 0


def tell_again(seed: int, bug: Bug | None, habits: Habits) -> int:
    with nullcontext() if bug is None else bug.planted():
        life, failure = live_a_year(seed, habits=habits)
        if failure is None:
            print(f"seed {seed}: {life.steps:,} steps, every promise held")
            return 0
        tell(shrunk(failure, punctual=habits.punctual), len(failure.steps))
    return 1


def tell(failure: Failure, before: int) -> None:
    """What happened, in words, and as code."""
    print(f"seed {failure.seed}: {failure.text}")
    print(f"{len(failure.steps)} of {before} steps are enough:")
    for step in failure.steps:
        print("   ", in_words(step))
    print("The same as code, for tests.sim.life.relive:")
    print(as_code(failure.steps))


def find(bug: Bug, seconds: float) -> tuple[Failure | None, float]:
    """Look for a planted bug, seed after seed; the time is that of the processor."""
    begun = process_time()
    with bug.planted(), undisturbed():
        seed = 0
        while process_time() - begun < seconds:
            _, failure = live_a_year(seed, until=begun + seconds)
            if failure is not None:
                return failure, process_time() - begun
            seed += 1
    return None, process_time() - begun


def find_bugs(bugs: list[Bug], seconds: float) -> int:
    missed, slowest = [], 0.0
    for bug in bugs:
        failure, took = find(bug, seconds)
        if failure is None:
            missed.append(bug.name)
            print(f"   MISSED  {bug.name}", flush=True)
        else:
            slowest = max(slowest, took)
            print(f"{took:7.2f} s  {bug.name}: {failure.text}", flush=True)
    found = len(bugs) - len(missed)
    print(
        f"{found} of {len(bugs)} planted bugs found, the slowest in {slowest:.1f} s; missed: {missed or 'none'}"
    )
    return int(found < 0.95 * len(bugs))


if __name__ == "__main__":
    sys.exit(main())
