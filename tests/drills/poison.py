"""An event that cannot be handled, among others that can."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any, Final

from benchmarks.dataset import USER, free_place, id_of

from tests.drills.asking import Asking, Command, Crowd, booking, bookings, effects
from tests.drills.drill import Drill
from tests.drills.judging import Outcome, tally
from tests.drills.town import SIZE, Ground, Town, eventually

PATIENCE: Final = 75.0

_POISON: Final = """
    CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN
        IF NEW.user_id = '{user}' THEN RAISE EXCEPTION 'poison'; END IF;
        RETURN NEW;
    END$$;
    CREATE TRIGGER poison BEFORE INSERT ON notifications FOR EACH ROW EXECUTE FUNCTION poison()
"""
_STATE: Final = """
    SELECT id, attempts, parked_at IS NOT NULL FROM outbox
     WHERE handled_at IS NULL AND type = 'PlacesBooked' ORDER BY position LIMIT 1
"""
_SLOWEST: Final = """
    SELECT extract(epoch FROM max(coalesce(handled_at, now()) - occurred_at))::float, count(*)
      FROM outbox WHERE type = 'PlacesBooked' AND id <> %s AND payload <> '{}'
"""


def _nexus(town: Town, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "nexus", *arguments],
        env=town.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _others() -> Iterator[Command]:
    """Bookings of all other families, some ten a second."""
    for command in islice(bookings(1), SIZE.families - 1):
        yield command
        time.sleep(0.1)


def poison(ground: Ground, without: str) -> Outcome:
    """It is tried ever more rarely, then parked, seen, mended and tried again; nobody waits for it."""
    out = Outcome()
    with Town.founded(ground) as town:
        town.serve()
        asking = Asking(town.port)
        family, _ = free_place(0, SIZE)
        with town.owner() as owner:
            owner.execute(_POISON.format(user=id_of(USER, family)))
        # Only the waits between attempts are shorter than they are.
        town.start("worker", "worker", without=without or "slow-time")
        booking(0).send(asking, key=True)
        event = town.query(_STATE)[0][0]
        crowd = Crowd(asking, _others())
        with crowd.at_work(1):
            changed, parked = _watch(town, without)
        out.expect(parked, "it is parked in the end")
        gaps = [later - former for former, later in pairwise(changed)]
        last = gaps[-4:]
        grow = len(last) == 4 and all(b > 1.5 * a for a, b in pairwise(last))
        out.expect(grow, f"its attempts are ever farther apart: {[round(gap, 2) for gap in last]}")
        out.notes.append(
            f"seconds between its attempts, 2,500 times as short: {[round(gap, 2) for gap in gaps[-12:]]}"
        )
        eventually(lambda: len(town.query(_STATE + " OFFSET 1")) == 0, within=10)
        slowest, others = town.query(_SLOWEST, event)[0]
        out.expect(slowest <= 5, f"others are not held up (slowest: {slowest:.1f} s)")
        out.notes.append(f"{others} other events meanwhile, the slowest handled after {slowest:.2f} s")
        if parked:
            _mend(out, town, str(event))
        out.count(tally(crowd.answers, effects(town, crowd.asked)))
        told = town.query("SELECT count(*) FROM notifications WHERE event_id = %s", event)[0][0]
        out.lost += told == 0
        out.expect(told in {1, 2}, "the family is told once by each way")
        twice = town.query(
            "SELECT count(*) FROM (SELECT FROM notifications GROUP BY event_id, user_id, channel,"
            " notification_type, related_entity_id HAVING count(*) > 1) twice"
        )[0][0]
        out.doubled += twice
        town.verify(out)
    return out


def _watch(town: Town, without: str) -> tuple[list[float], bool]:
    """When it was tried, until it is parked."""
    changed: list[float] = []
    known = 0
    deadline = time.monotonic() + (PATIENCE if not without else 20)
    with town.owner() as owner:
        while time.monotonic() < deadline:
            found: Any = owner.execute(_STATE).fetchone()
            if found and found[1] != known:
                known = found[1]
                changed.append(time.monotonic())
            if found and found[2]:
                return changed[:-1], True  # the last change is the parking
            time.sleep(0.02)
    return changed, False


def _mend(out: Outcome, town: Town, event: str) -> None:
    listed = json.loads(_nexus(town, "events", "list", "--json").stdout)
    seen = [each for each in listed if each["id"] == event and each["parked_at"]]
    out.expect(bool(seen) and bool(seen[0]["last_error"]), "`nexus events list` shows it, with its error")
    with town.owner() as owner:
        owner.execute("DROP TRIGGER poison ON notifications")
    said = _nexus(town, "events", "retry", event).stdout
    begun = time.monotonic()
    out.expect(said.startswith("1 "), f"`nexus events retry` takes it up: {said.strip()}")
    if eventually(
        lambda: not town.query("SELECT FROM outbox WHERE id = %s AND handled_at IS NULL", event), within=20
    ):
        out.recoveries = [time.monotonic() - begun]
    out.expect(bool(out.recoveries), "it is handled once its cause is mended")


DRILLS: Final = (Drill("poison", "growing-waits", poison),)
