"""PostgreSQL and the web process, killed in the middle of everything."""

import random
import time
from typing import Final

from tests.drills.asking import Asking, Crowd, both, effects
from tests.drills.drill import Drill
from tests.drills.judging import Outcome, differing, recoveries, tally
from tests.drills.town import Ground, Town

SECONDS: Final = 25.0
PROMPT: Final = 2.0
"""Seconds in which half of all faults must be over."""


def kill_postgres(ground: Ground, without: str) -> Outcome:
    """kill -9 every one to two seconds, under eight writers; started again at once."""
    out = Outcome()
    chance = random.Random(1)
    with Town.founded(ground) as town:
        if without:
            town.query("SELECT pg_reload_conf() WHERE false")
            with town.owner() as owner:
                owner.execute("ALTER SYSTEM SET synchronous_commit = off")
                owner.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
                owner.execute("SELECT pg_reload_conf()")
        town.serve()
        crowd = Crowd(Asking(town.port), both())
        faults = []
        with crowd.at_work():
            begun = time.monotonic()
            while time.monotonic() - begun < SECONDS:
                time.sleep(chance.uniform(1, 2))
                faults.append(time.monotonic())
                town.kill_postgres()
                town.start_postgres()
                out.kills += 1
            time.sleep(2)
        out.count(tally(crowd.answers, effects(town, crowd.asked)))
        out.recoveries = recoveries(faults, crowd.spans)
        median = out.median
        out.expect(median is not None and median <= PROMPT, f"half of all recoveries within {PROMPT} s")
        out.notes.append(
            f"{crowd.tries} tries, by status {dict(sorted(crowd.statuses.items()))} (0: cut off)"
        )
        out.expect(500 not in crowd.statuses, "no outage is answered as an error of ours (500)")
        out.expect(
            504 not in crowd.statuses, "who waited for a server that has gone is told at once (no 504)"
        )
        town.verify(out)
    return out


def kill_web(ground: Ground, without: str) -> Outcome:
    """kill -9 of the web process and its children, again and again; commands are repeated with their key."""
    out = Outcome()
    chance = random.Random(2)
    with Town.founded(ground) as town:
        town.serve()
        crowd = Crowd(Asking(town.port), both(), key=not without)
        faults = []
        with crowd.at_work():
            begun = time.monotonic()
            while time.monotonic() - begun < SECONDS:
                time.sleep(chance.uniform(1, 2))
                faults.append(time.monotonic())
                town.kill("web")
                town.serve()
                out.kills += 1
            time.sleep(1)
        out.count(tally(crowd.answers, effects(town, crowd.asked)))
        out.recoveries = recoveries(faults, crowd.spans)
        if not without:
            again = crowd.replay(most=400)
            changed = differing(crowd.answers, again)
            out.expect(not changed, f"a replay is answered the same, byte for byte: {changed[:3]}")
            out.count(tally([], effects(town, crowd.asked)))
            out.notes.append(f"{len(again)} commands replayed, {len(changed)} answered otherwise")
        out.notes.append(
            f"{crowd.tries} tries, by status {dict(sorted(crowd.statuses.items()))} (0: cut off)"
        )
        town.verify(out)
    return out


DRILLS: Final = (
    Drill("postgres-killed", "durable-commits", kill_postgres),
    Drill("web-killed", "keys", kill_web),
)
