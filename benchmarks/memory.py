"""
`python -m benchmarks.memory`: what the processes of an installation occupy, and whether it grows.

The dataset is served by a web process, with a worker and a scheduler beside it and a broker
between them, under a steady, moderate load of all hot paths. A process may occupy less than
150 MB, and its memory may not grow once it is warm: over the second half of the time, the
median of the slopes between any two samples (Theil and Sen's, which neither a peak nor a
single step moves) may be 2 MB an hour at most.
"""

import argparse
import http.client
import json
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path as File
from statistics import median
from typing import Final

import psycopg
from attrs import define, field, frozen

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
from benchmarks.paths import Read, Unexpected, reads
from benchmarks.prepared import Prepared, prepared
from benchmarks.report import machine
from benchmarks.serving import running, served
from nexus.adapters.embedded.valkey import EmbeddedValkey

GOAL: Final = 150.0
"""MB, for each process."""

GROWTH: Final = 2.0
"""MB an hour that count as none."""

CONNECTIONS: Final = 4

EXPECTED: Final = {"200", "201"}
"""Whoever is refused occupies nothing."""

HELD: Final = 20
"""Bookings that a connection keeps before it cancels the oldest."""

_ROUND: Final = ("book", "read", "read", "cancel", "read", "read") * 5 + ("hand over",)


@frozen
class Sample:
    """What a process occupied, so many seconds after the start."""

    at: float
    megabytes: float


@frozen
class Occupied:
    """A process over the whole time."""

    name: str
    samples: Sequence[Sample]

    @property
    def warm(self) -> float:
        """After a sixth of the time."""
        return self.samples[len(self.samples) // 6].megabytes

    @property
    def peak(self) -> float:
        return max(each.megabytes for each in self.samples)

    @property
    def growth(self) -> float:
        """MB an hour over the second half."""
        return slope(self.samples[len(self.samples) // 2 :])

    @property
    def is_met(self) -> bool:
        return self.peak < GOAL and self.growth <= GROWTH

    def row(self) -> str:
        """A line of the table."""
        start, end = self.samples[0].megabytes, self.samples[-1].megabytes
        figures = " | ".join(f"{each:.1f}" for each in (start, self.warm, end, self.growth, self.peak))
        return f"| {self.name} | {figures} | {'yes' if self.is_met else 'no'} |"


def slope(samples: Sequence[Sample]) -> float:
    """The median of the slopes between any two of them, in MB an hour."""
    slopes = [
        (later.megabytes - earlier.megabytes) / (later.at - earlier.at) * 3600
        for earlier, later in combinations(samples, 2)
    ]
    return median(slopes) if slopes else 0.0


@define
class Asker:
    """One connection after the other's questions: books, cancels, reads, in a fixed order."""

    at: Prepared
    port: int
    number: int
    statuses: Counter[str] = field(factory=Counter)
    _held: deque[tuple[int, str]] = field(factory=deque)
    _reads: Sequence[Read] = field(init=False)
    _done: int = 0

    def __attrs_post_init__(self) -> None:
        self._reads = list(reads(self.at.size))

    def run(self, every: float, until: float) -> None:
        """Ask once in *every* seconds; a late answer is caught up with."""
        due = time.monotonic() + every * self.number / CONNECTIONS
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while (now := time.monotonic()) < until:
            if now < due:
                time.sleep(due - now)
            due += every
            try:
                self._ask(connection)
            except (OSError, http.client.HTTPException) as error:
                self.statuses[type(error).__name__] += 1
                connection.close()
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection) -> None:
        turn, self._done = self._done, self._done + 1
        kind = _ROUND[turn % len(_ROUND)]
        number = turn * CONNECTIONS + self.number
        if kind == "book":
            self._book(connection, number % free_places(self.at.size))
        elif kind == "cancel" and len(self._held) > HELD:
            family, booking = self._held.popleft()
            self._send(connection, "POST", f"/api/v1/bookings/{booking}/cancel", family, {"reason": "other"})
        elif kind == "hand over" and (
            passed := turn // len(_ROUND) * CONNECTIONS + self.number
        ) < awaited_bookings(self.at.size):
            family, awaited = awaited_booking(passed, self.at.size)
            path = f"/api/v1/bookings/{id_of(BOOKING, awaited)}/cancel"
            self._send(connection, "POST", path, family, {"reason": "other"})
        else:
            read = self._reads[number % len(self._reads)]
            head = read.ask(number % self.at.size.families).split("\r\n")
            connection.request(
                "GET", head[0].split()[1], headers=dict(line.split(": ", 1) for line in head[2:3])
            )
            self._answer(connection)

    def _book(self, connection: http.client.HTTPConnection, number: int) -> None:
        family, session = free_place(number, self.at.size)
        wanted = {"session_id": str(id_of(SESSION, session)), "child_ids": [str(id_of(CHILD, family))]}
        status, body = self._send(connection, "POST", "/api/v1/bookings", family, wanted)
        if status == http.client.CREATED:
            self._held.append((family, json.loads(body)["bookings"][0]["id"]))

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        family: int,
        wanted: Mapping[str, object],
    ) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {token_of(USER, family)}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(wanted), headers)
        return self._answer(connection)

    def _answer(self, connection: http.client.HTTPConnection) -> tuple[int, bytes]:
        answer = connection.getresponse()
        body = answer.read()
        self.statuses[str(answer.status)] += 1
        return answer.status, body


def _occupied(pid: int) -> float:
    for line in File(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise ProcessLookupError(pid)


def _child(pid: int) -> int:
    """The process that does the work of one that only supervises; itself if it has none."""
    children = File(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return max(map(int, children), key=_occupied, default=pid)


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)  # noqa: T201 - progress, beside the table


def _watch(processes: Mapping[str, int], seconds: float, every: float) -> list[Occupied]:
    begun = time.monotonic()
    found: dict[str, list[Sample]] = {name: [] for name in processes}
    number = 0
    while (passed := time.monotonic() - begun) <= seconds:
        for name, pid in processes.items():
            found[name].append(Sample(passed, _occupied(pid)))
        if number % 6 == 0:
            seen = ", ".join(f"{name} {each[-1].megabytes:.1f}" for name, each in found.items())
            _say(f"{passed / 60:.0f} min: {seen}")
        number += 1
        time.sleep(max(0.0, begun + number * every - time.monotonic()))
    return [Occupied(name, each) for name, each in found.items()]


def _measure(at: Prepared, *, minutes: float, rate: float) -> tuple[list[Occupied], Counter[str], int]:
    seconds = minutes * 60
    with ExitStack() as stack:
        broker = stack.enter_context(EmbeddedValkey(durable=False))
        web = stack.enter_context(served(at.database_url, broker.redis_url))
        worker = stack.enter_context(running(at.database_url, broker.redis_url, "worker"))
        scheduler = stack.enter_context(running(at.database_url, broker.redis_url, "scheduler"))
        time.sleep(5)
        askers = [Asker(at, web.port, number) for number in range(CONNECTIONS)]
        until = time.monotonic() + seconds
        threads = [threading.Thread(target=each.run, args=(CONNECTIONS / rate, until)) for each in askers]
        for thread in threads:
            thread.start()
        processes = {
            "web process": _child(web.pid),
            "its parent": web.pid,
            "worker": worker,
            "scheduler": scheduler,
        }
        occupied = _watch(processes, seconds, every=min(10.0, seconds / 60))
        for thread in threads:
            thread.join()
        with psycopg.connect(at.database_url) as owner:
            handled = owner.execute("SELECT count(*) FROM outbox WHERE handled_at > %s", [at.base]).fetchone()
    statuses = sum((each.statuses for each in askers), Counter[str]())
    return occupied, statuses, handled[0] if handled else 0


def main() -> None:
    """Print one table; end with 1 if a process is too large or grows."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--rate", type=float, default=30, help="requests a second")
    asked.add_argument("--scale", type=float, default=0.05, help="1: a million bookings")
    asked.add_argument("--data", type=File, default=File("var/bench"), help="where datasets are kept")
    chosen = asked.parse_args()
    with prepared(chosen.data, chosen.scale, _say) as at:
        occupied, statuses, handled = _measure(at, minutes=chosen.minutes, rate=chosen.rate)
    answers = ", ".join(f"{many:,} x {status}" for status, many in sorted(statuses.items()))
    print(f"{chosen.minutes:g} minutes, {answers}; {handled:,} events handled; {machine()}\n")  # noqa: T201 - what it is for
    print("| MB | at the start | warm | at the end | growth an hour | peak | met |")  # noqa: T201
    print("|---|---:|---:|---:|---:|---:|---|")  # noqa: T201
    print("\n".join(each.row() for each in occupied))  # noqa: T201
    if any(status not in EXPECTED for status in statuses):
        raise Unexpected(answers)
    if not all(each.is_met for each in occupied):
        sys.exit(1)


if __name__ == "__main__":
    main()
