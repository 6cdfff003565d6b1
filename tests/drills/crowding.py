"""Too much of everything: no connection left, no room on the disk, no end of a statement."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from attrs import define, field

from tests.drills.asking import Asking, Crowd, Heard, booking, bookings, both, cancellation, effects
from tests.drills.drill import Drill
from tests.drills.judging import Outcome, tally
from tests.drills.town import Ground, Town, eventually, folder

FAST: Final = 1.0
"""Seconds in which health must answer, whatever else happens."""


@define
class Pulse:
    """Asks both health routes ten times a second."""

    port: int
    slowest: dict[str, float] = field(factory=dict)
    unanswered: int = 0
    readiness: set[int] = field(factory=set)

    @contextmanager
    def felt(self) -> "Iterator[Pulse]":
        ended = threading.Event()
        threads = [
            threading.Thread(target=self._feel, args=(path, ended), daemon=True)
            for path in ("/healthz", "/readyz")
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            ended.set()
            for thread in threads:
                thread.join(15)

    def _feel(self, path: str, ended: threading.Event) -> None:
        asking = Asking(self.port)
        while not ended.is_set():
            begun = time.monotonic()
            try:
                heard = asking("GET", path, patience=10)
            except OSError:
                self.unanswered += 1
            else:
                if path == "/readyz":
                    self.readiness.add(heard.status)
            self.slowest[path] = max(self.slowest.get(path, 0), time.monotonic() - begun)
            ended.wait(0.1)

    def judge(self, out: Outcome) -> None:
        said = ", ".join(f"{path} {seconds * 1000:.0f} ms" for path, seconds in sorted(self.slowest.items()))
        out.notes.append(f"slowest: {said}; /readyz answered {sorted(self.readiness)}")
        out.expect(not self.unanswered, "health always answers")
        for path, seconds in self.slowest.items():
            out.expect(seconds <= FAST, f"{path} answers within {FAST:g} s")


def _at_once(
    asking: Asking, first: int, clients: int, *, patience: float
) -> list[tuple[Heard | None, float]]:
    """So many clients, each with one booking; what each heard, and after how many seconds."""
    heard: list[tuple[Heard | None, float]] = []

    def ask(number: int) -> None:
        begun = time.monotonic()
        try:
            answer = booking(number).send(asking, key=True, patience=patience)
        except OSError:
            answer = None
        heard.append((answer, time.monotonic() - begun))

    threads = [threading.Thread(target=ask, args=(first + n,), daemon=True) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience + 5)
    return heard


def exhaust_pool(ground: Ground, without: str) -> Outcome:
    """Four connections, all of them waiting for a lock, and sixty clients."""
    out = Outcome()
    with Town.founded(ground) as town:
        town.settings |= {"POOL_SIZE": "4"}
        town.serve(without=without)
        asking = Asking(town.port)
        for number in range(8):
            booking(number).send(asking, key=True)
        with Pulse(town.port).felt() as pulse:
            with town.locked("bookings") as release:
                begun = time.monotonic()
                heard = _at_once(asking, 100, 60, patience=12)
                took = time.monotonic() - begun
                release()
            released = time.monotonic()
            refused = [answer for answer, _ in heard if answer is not None and answer.status == 503]
            again = _at_once(asking, 200, 8, patience=10)
            out.recoveries = [time.monotonic() - released]
        pulse.judge(out)
        out.drops = len(refused)
        out.expect(len(refused) == 60, f"all sixty are told 503 (were: {len(refused)})")
        out.expect(all("retry-after" in answer.headers for answer in refused), "with Retry-After")
        out.notes.append(f"sixty clients were answered within {took:.1f} s")
        good = sum(answer is not None and answer.status == 201 for answer, _ in again)
        out.expect(good == 8, "works at once when the lock is gone")
        out.expect(out.recoveries[0] <= 2, "recovers within 2 s")
        crowd = Crowd(asking, bookings(300))
        with crowd.at_work(16):
            time.sleep(2)
        out.count(tally(crowd.answers, effects(town, crowd.asked)))
        town.verify(out)
    return out


SMALL: Final = 230
"""Megabytes."""


@contextmanager
def _small_disk() -> Iterator[Path | None]:
    """A file system with little room; None where we may not make one."""
    path = folder()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL}m,mode=755", "tmpfs", str(path)],
        capture_output=True,
        check=False,
    )
    try:
        yield path if made.returncode == 0 else None
    finally:
        if made.returncode == 0:
            subprocess.run(["umount", "--lazy", str(path)], check=False)
        with suppress(OSError):
            path.rmdir()


def _fill(path: Path) -> Path:
    """Take all room that is left."""
    ballast = path / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(512))
    return ballast


def fill_disk(ground: Ground, without: str) -> Outcome:
    """The data's disk is filled up under load, and has room again ten seconds later."""
    out = Outcome()
    with _small_disk() as disk:
        if disk is None:
            out.skipped = "no right to mount a file system"
            return out
        with Town.founded(ground, data=disk) as town:
            town.serve(without=without)
            asking = Asking(town.port)
            crowd = Crowd(asking, both(), patience=20)
            with Pulse(town.port).felt() as pulse, crowd.at_work(4):
                time.sleep(2)
                before = dict(crowd.statuses)
                ballast = _fill(disk)
                began = time.monotonic()
                while time.monotonic() - began < 10:
                    if not town.tend_postgres():
                        out.kills += 1
                    time.sleep(0.2)
                full = {
                    status: many - before.get(status, 0)
                    for status, many in crowd.statuses.items()
                    if many != before.get(status, 0)
                }
                ballast.unlink()
                room_at = time.monotonic()
                eventually(town.tend_postgres, within=20)
                served = len(crowd.spans)
                eventually(lambda: any(b > room_at for b in crowd.spans[served::2]), within=20)
                out.recoveries = [time.monotonic() - room_at]
                time.sleep(1)
            out.notes.append(f"while it was full: by status {dict(sorted(full.items()))}")
            out.drops = full.get(503, 0)
            out.expect(out.drops > 0, "told 503")
            out.expect(500 not in crowd.statuses, "never 500")
            out.expect(out.recoveries[0] <= 10, "recovers by itself within 10 s of room")
            out.notes.append(f"/healthz at most {pulse.slowest.get('/healthz', 0) * 1000:.0f} ms")
            out.count(tally(crowd.answers, effects(town, crowd.asked)))
            town.verify(out)
            town.end_all()
    return out


def outlast(ground: Ground, without: str) -> Outcome:
    """A statement without end, a lock that is never given, a transaction whose owner is frozen."""
    out = Outcome()
    with Town.founded(ground) as town:
        town.settings |= {"POOL_SIZE": "4", "ANSWER_SECONDS": "100"}
        town.serve(without=without)
        asking = Asking(town.port)
        patience = 18.0
        with Pulse(town.port).felt() as pulse:
            with town.locked("bookings"):
                out.notes.append(_one(out, asking, 1, "a lock that is never given", patience))
            with town.owner() as owner:
                owner.execute(_SLOW)
                out.notes.append(_one(out, asking, 2, "a statement without end", patience))
                owner.execute("DROP TRIGGER slow ON bookings")
        pulse.judge(out)
        out.notes.append(_frozen(out, town, asking))
        crowd = Crowd(asking, bookings(300))
        with crowd.at_work(8):
            time.sleep(2)
        out.expect(set(crowd.statuses) == {201}, f"every connection works afterwards: {crowd.statuses}")
        out.count(tally(crowd.answers, effects(town, crowd.asked)))
        town.verify(out)
    return out


_SLOW: Final = """
    CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';
    CREATE TRIGGER slow BEFORE INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION slow()
"""


def _one(out: Outcome, asking: Asking, number: int, what: str, patience: float) -> str:
    """It is ended in time, and told so."""
    [(heard, seconds)] = _at_once(asking, number, 1, patience=patience)
    status = None if heard is None else heard.status
    out.drops += 1
    out.expect(
        status == 503 and "retry-after" in (heard.headers if heard else {}), f"{what}: 503 with Retry-After"
    )
    return f"{what}: {status} after {seconds:.1f} s"


def _frozen(out: Outcome, town: Town, asking: Asking) -> str:
    """
    The web process stops in the middle of a transaction: what it holds is given back without it.

    A cancellation's, which waits for what it has locked before it writes; a booking's is over in one message.
    """
    import signal

    heard: list[Heard | None] = []

    def cancel() -> None:
        try:
            heard.append(cancellation(0).send(asking, key=True, patience=90))
        except OSError:
            heard.append(None)

    with town.locked("activity_sessions") as release:
        thread = threading.Thread(target=cancel, daemon=True)
        thread.start()
        eventually(lambda: town.waiting_for_locks() > 0, within=5)
        os.killpg(town.processes["web"].pid, signal.SIGSTOP)
        release()

    def holds() -> bool:
        idle = (
            "SELECT FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
        )
        return bool(town.query(idle))

    held = eventually(holds, within=5)
    begun = time.monotonic()
    freed = eventually(lambda: not holds(), within=33, every=0.2)
    took = time.monotonic() - begun
    os.killpg(town.processes["web"].pid, signal.SIGCONT)
    thread.join(30)
    status = heard[0].status if heard and heard[0] is not None else None
    out.drops += 1
    out.expect(held and freed and took > 1, "what a frozen process has locked is given back")
    out.expect(status == 503, f"a transaction that was ended: 503 (was: {status})")
    return f"a frozen transaction: ended after {took:.1f} s, answered {status}"


DRILLS: Final = (
    Drill("pool-exhausted", "limits-of-waiting", exhaust_pool),
    Drill("disk-full", "unavailable", fill_disk),
    Drill("time-outs", "time-outs", outlast),
)
