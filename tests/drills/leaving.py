"""Leaving in good order: SIGTERM in the middle of requests and of events."""

import threading
import time
from typing import Final

from tests.drills.asking import Asking, Heard, booking, effects
from tests.drills.drill import Drill
from tests.drills.judging import Answered, Outcome, tally
from tests.drills.town import Ground, Town, eventually

CLIENTS: Final = 12
PROMPT: Final = 5.0
"""Seconds after its release in which a process that was told to go has gone."""


def leave(ground: Ground, without: str) -> Outcome:
    """Web, then worker: what is in hand is finished, what is not begun is left to others."""
    out = Outcome()
    with Town.founded(ground) as town:
        town.settings |= {"POOL_SIZE": "4"}
        town.serve()
        commands = [booking(number) for number in range(CLIENTS)]
        answers = _web(out, town, without)
        out.count(tally(answers, effects(town, commands)))
        town.serve()
        out.expect(
            all(each.send(Asking(town.port), key=True).status == 201 for each in commands),
            "all can be asked for again afterwards",
        )
        _worker(out, town, without)
        out.count(tally([], effects(town, commands)))
        town.verify(out)
    return out


def _leave(town: Town, name: str, without: str) -> "threading.Thread":
    """Told to go; or killed, when grace is what is switched off."""
    if without:
        town.kill(name)
    status: list[int] = []
    thread = threading.Thread(target=lambda: status.append(0 if without else town.end(name)), daemon=True)
    thread.start()
    return thread


def _web(out: Outcome, town: Town, without: str) -> list[Answered]:
    """Four requests are at work, eight wait for their turn: all are answered."""
    heard: dict[int, Heard | None] = {}

    def ask(number: int) -> None:
        try:
            heard[number] = booking(number).send(Asking(town.port), key=True, patience=30)
        except OSError:
            heard[number] = None

    threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(CLIENTS)]
    with town.locked("bookings") as release:
        for thread in threads:
            thread.start()
        out.expect(eventually(lambda: town.waiting_for_locks() >= 4, within=5), "requests are at work")
        time.sleep(0.5)  # until the others have arrived
        going = _leave(town, "web", without)
        out.kills += 1
        time.sleep(1)
        release()
        released = time.monotonic()
    going.join(40)
    out.recoveries = [time.monotonic() - released]
    for thread in threads:
        thread.join(35)
    unanswered = [number for number in range(CLIENTS) if heard.get(number) is None]
    out.drops = len(unanswered)
    out.expect(not unanswered, f"every request that was in hand is answered ({len(unanswered)} were not)")
    said = sorted({answer.status for answer in heard.values() if answer is not None})
    out.expect(set(said) <= {201}, f"and done: {said}")
    out.expect(out.recoveries[0] <= PROMPT, f"gone within {PROMPT:g} s of the last answer")
    out.notes.append(f"web: {CLIENTS - len(unanswered)} of {CLIENTS} in hand answered {said}")
    return [
        Answered(name=f"booking-{number}", status=answer.status, body=answer.body)
        for number, answer in heard.items()
        if answer is not None
    ]


_UNHANDLED: Final = "SELECT count(*) FROM outbox WHERE handled_at IS NULL"


def _worker(out: Outcome, town: Town, without: str) -> None:
    """Two events are in hand when it is told to go: they are handled; all are, once, in the end."""
    with town.locked("notifications") as release:
        town.start("worker", "worker", "--threads", "2")
        out.expect(eventually(lambda: town.waiting_for_locks() >= 2, within=30), "events are in hand")
        before = town.query(_UNHANDLED)[0][0]
        going = _leave(town, "worker", without)
        out.kills += 1
        time.sleep(1)
        release()
    going.join(45)
    after = town.query(_UNHANDLED)[0][0]
    out.expect(before - after >= 2, f"what a worker has in hand it finishes ({before - after} of 2)")
    out.notes.append(f"worker: {before - after} events handled before it went, {after} left to the next one")
    town.start("worker", "worker")
    out.expect(
        eventually(lambda: town.query(_UNHANDLED)[0][0] == 0, within=30), "the rest is handled by the next"
    )
    untold, told = town.query(
        "SELECT count(*) FILTER (WHERE n.event_id IS NULL), count(n.event_id) FROM outbox o"
        " LEFT JOIN (SELECT event_id, count(*) FROM notifications GROUP BY 1) n ON n.event_id = o.id"
        " WHERE o.type = 'PlacesBooked' AND o.payload <> '{}'"
    )[0]
    twice = town.query(
        "SELECT count(*) FROM (SELECT FROM notifications GROUP BY event_id, user_id, channel, notification_type,"
        " related_entity_id HAVING count(*) > 1) twice"
    )[0][0]
    out.lost += untold
    out.doubled += twice
    out.notes.append(f"{told} families told once")
    town.end("worker")


DRILLS: Final = (Drill("sigterm", "grace", leave),)
