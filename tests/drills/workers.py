"""Workers that die in the middle of an event, and a broker that forgets everything."""

import shutil
import time
from typing import Final

from tests.drills.asking import Asking, Crowd, bookings, effects
from tests.drills.drill import Drill
from tests.drills.judging import Outcome, tally
from tests.drills.town import Ground, Town, eventually

HEARTBEAT: Final = 15.0
PROMPT: Final = HEARTBEAT + 5
"""Seconds after its worker's death in which an event is in other hands."""
IN_THE_END: Final = 60.0

_UNHANDLED: Final = "SELECT count(*) FROM outbox WHERE handled_at IS NULL"
_ON_THEIR_WAY: Final = "SELECT count(*) FROM outbox WHERE handled_at IS NULL AND sent_at IS NOT NULL"


def _book(town: Town, many: int) -> Crowd:
    """So many places, by four families at a time."""
    commands = bookings()
    crowd = Crowd(Asking(town.port), commands)
    with crowd.at_work(4):
        eventually(lambda: len(crowd.answers) >= many, within=30)
    return crowd


def _judge(out: Outcome, town: Town, crowd: Crowd) -> None:
    """Each booking was made once, and each family told once."""
    out.count(tally(crowd.answers, effects(town, crowd.asked)))
    untold, _ = town.query(
        "SELECT count(*) FILTER (WHERE told = 0), count(*) FILTER (WHERE told > 1) FROM ("
        "SELECT o.id, count(n.id) AS told FROM outbox o LEFT JOIN notifications n ON n.event_id = o.id"
        " WHERE o.type = 'PlacesBooked' AND o.payload <> '{}' GROUP BY o.id) each"
    )[0]
    told_twice = town.query(
        "SELECT count(*) FROM (SELECT FROM notifications GROUP BY event_id, user_id, channel,"
        " notification_type, related_entity_id HAVING count(*) > 1) twice"
    )[0][0]
    out.lost += untold
    out.doubled += told_twice
    out.expect(town.query(_UNHANDLED)[0][0] == 0, "every event is handled")


def kill_worker(ground: Ground, without: str) -> Outcome:
    """Killed while its handlers wait for a lock, in the middle of their transactions."""
    out = Outcome()
    with Town.founded(ground) as town:
        town.serve()
        times = []
        crowd = _book(town, 1)
        town.start("worker", "worker", "--threads", "4", without=without)
        out.expect(
            eventually(lambda: town.query(_UNHANDLED)[0][0] == 0, within=30), "a worker handles what waits"
        )
        for _ in range(2):
            with town.locked("notifications"):
                crowd.asked += (more := _book_from(town, len(crowd.asked) + 50)).asked
                crowd.answers += more.answers
                eventually(lambda: town.waiting_for_locks() >= 2, within=20)
                in_hand = town.waiting_for_locks()
                town.kill("worker")
                killed_at = time.monotonic()
                out.kills += 1
            out.notes.append(f"killed with {in_hand} events in hand")
            town.start("worker", "worker", "--threads", "4", without=without)
            done = eventually(lambda: town.query(_UNHANDLED)[0][0] == 0, within=PROMPT + 8, every=0.1)
            if done:
                times.append(time.monotonic() - killed_at)
            else:
                break
        out.recoveries = times
        out.expect(
            len(times) == 2 and max(times) <= PROMPT,
            f"handled by another within heartbeat + 5 = {PROMPT:.0f} s",
        )
        _judge(out, town, crowd)
        town.verify(out)
    return out


def _book_from(town: Town, first: int, many: int = 8) -> Crowd:
    crowd = Crowd(Asking(town.port), bookings(first))
    with crowd.at_work(4):
        eventually(lambda: len(crowd.answers) >= many, within=30)
    return crowd


def wipe_broker(ground: Ground, without: str) -> Outcome:
    """Killed with hundreds of messages on their way, its data deleted, and started empty."""
    out = Outcome()
    with Town.founded(ground) as town:
        town.serve()
        town.start("worker", "worker", "--threads", "2", without=without)
        with town.locked("notifications"):
            crowd = _book(town, 100)
            eventually(lambda: town.query(_ON_THEIR_WAY)[0][0] == town.query(_UNHANDLED)[0][0], within=10)
            on_their_way = town.query(_ON_THEIR_WAY)[0][0]
            _wipe(town)
            out.kills += 1
            begun = time.monotonic()
        out.notes.append(f"{on_their_way} messages on their way were wiped")
        out.expect(on_their_way > 50, "messages are wiped on their way")
        patience = IN_THE_END if not without else IN_THE_END / 2
        if eventually(lambda: town.query(_UNHANDLED)[0][0] == 0, within=patience, every=0.2):
            out.recoveries = [time.monotonic() - begun]
        out.expect(bool(out.recoveries), f"all effects are there within {IN_THE_END:.0f} s")
        _judge(out, town, crowd)
        town.verify(out)
    return out


def _wipe(town: Town) -> None:
    import os
    import signal

    pid = town.valkey.pid
    if pid is None:
        raise RuntimeError("the broker does not run")
    os.kill(pid, signal.SIGKILL)
    town.valkey.close()
    shutil.rmtree(town.valkey.data_dir / "data")
    town.valkey.__enter__()


DRILLS: Final = (
    Drill("worker-killed", "sending-again", kill_worker),
    Drill("broker-wiped", "sending-again", wipe_broker),
)
