"""
The drills from the command line.

    python -m tests.drills [NAME ...] [--controls] [--json FILE]

With --controls each drill is run a second time with the guard that it is about
switched off, and must fail then.
"""

import argparse
import shutil
import sys
import time
import traceback
from pathlib import Path

from tests.drills import clocks, crowding, killing, leaving, poison, replies, schedulers, workers
from tests.drills.drill import BOUND, Drill
from tests.drills.judging import Outcome
from tests.drills.report import Result, as_json, details, machine, table
from tests.drills.town import Ground, folder

DRILLS: dict[str, Drill] = {
    drill.name: drill
    for module in (killing, replies, workers, crowding, schedulers, clocks, leaving, poison)
    for drill in module.DRILLS
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.drills", description="Faults on purpose.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(DRILLS))
    parser.add_argument(
        "--controls", action="store_true", help="also without the guards: then they must fail"
    )
    parser.add_argument("--only-controls", action="store_true", help="only without the guards")
    parser.add_argument("--json", type=Path, help="write the outcomes here")
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in DRILLS]:
        parser.error(f"no such drill: {', '.join(unknown)}")
    chosen = [DRILLS[name] for name in asked.names] or list(DRILLS.values())
    begun = time.monotonic()
    path = folder()
    results: list[Result] = []
    try:
        ground = Ground.prepare(path)
        for drill in chosen:
            runs = [""] * (not asked.only_controls)
            runs += [drill.guard] * (asked.controls or asked.only_controls)
            for without in runs:
                results.append(_run(drill, ground, without))  # noqa: PERF401 - what was done so far is reported
    finally:
        shutil.rmtree(path, ignore_errors=True)
        print(f"\n{machine()}; {time.monotonic() - begun:.0f} s in all\n")
        print(table(results))
        print(f"\n{details(results)}")
        if asked.json:
            asked.json.parent.mkdir(parents=True, exist_ok=True)
            asked.json.write_text(as_json(results), encoding="utf-8")
    return 0 if all(each.is_as_wanted for each in results) else 1


def _run(drill: Drill, ground: Ground, without: str) -> Result:
    shown = drill.name + (f" without {without}" if without else "")
    print(f"  {shown} ...", file=sys.stderr, flush=True)
    begun = time.monotonic()
    try:
        outcome = drill.run(ground, without)
    except Exception as error:  # noqa: BLE001 - a drill that breaks off has failed, and the others go on
        traceback.print_exc()
        # A control must fail by its own judgement, not by an accident.
        outcome = Outcome(broken=[] if without else [f"broke off: {type(error).__name__}: {error}"])
        outcome.notes.append(f"broke off: {type(error).__name__}: {error}")
    seconds = time.monotonic() - begun
    if not without:
        outcome.expect(seconds <= BOUND, f"is over within {BOUND} s")
    result = Result(drill.name, without, outcome, seconds)
    print(f"  {shown}: {result.verdict} ({seconds:.0f} s)", file=sys.stderr, flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
