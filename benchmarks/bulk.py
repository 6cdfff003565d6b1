"""What is done to many rows at once, by itself; only while a month is allocated, families book beside it."""

import csv
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path as File
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter
from typing import Final

import psycopg
from attrs import define, field

from benchmarks.dataset import free_places, period
from benchmarks.paths import Unexpected, Writing
from benchmarks.prepared import Prepared
from benchmarks.report import Path, Round
from nexus.adapters.postgres.pool import Pool, open_pool
from nexus.adapters.system.clock import now
from nexus.entrypoints.installation import findings, import_catalogue, profile_named
from nexus.entrypoints.wiring import Nexus

MONTHS: Final = 5
"""Given one after the other."""

BESIDE: Final = 3
"""Rounds of booking with and without an allocation beside it."""

SECONDS: Final = 4

IMPORTED: Final = 5_000
"""Rows of the catalogue."""

ADD_SCHEDULES = """
    INSERT INTO activity_recurring_schedules (id, activity_id, venue_id, days_of_week, start_time,
                                              duration_minutes, capacity, effective_from, created_at)
    SELECT gen_random_uuid(), id, venue_id, '{1,2,3,4,5,6,7}', '20:00', 60, 20, current_date, now()
      FROM activities ORDER BY id LIMIT 1000
"""


class Broken(Exception):
    """The dataset breaks an invariant after it was used."""


@define
class Months:
    """Allocates one month to everybody after the other."""

    pool: Pool
    closes: datetime
    given: int = 0
    _next: Iterator[int] = field(factory=lambda: iter(range(24)))

    def allocate(self) -> float:
        """Employees a second, for the next month."""
        since = self.closes + timedelta(days=31 * next(self._next), hours=1)
        later = Nexus(self.pool, now=lambda: since, secret_key=bytes(32))
        begun = perf_counter()
        many = later.allocate_credits()
        self.given += many
        return many / (perf_counter() - begun)

    def until(self, stop: Event) -> None:
        while not stop.is_set():
            self.allocate()


def measure(at: Prepared, writing: Writing) -> list[Path]:
    """Verify, allocate, book beside allocating, generate, import."""
    with open_pool(at.database_url, size=4) as pool:
        nexus = Nexus(pool, now=now, secret_key=bytes(32))
        begun = perf_counter()
        broken = [each.invariant.number for each in findings(nexus) if not each.holds]
        verified = perf_counter() - begun
        if broken:
            raise Broken(", ".join(broken))
        months = Months(pool, period(at.base)[1])
        allocated = [months.allocate() for _ in range(MONTHS)]
        beside = [_beside(months, writing, BESIDE - number) for number in range(BESIDE)]
        with psycopg.connect(at.database_url) as owner:
            owner.execute(ADD_SCHEDULES)
        begun = perf_counter()
        generated = nexus.generate_sessions().sessions / (perf_counter() - begun)
        imported = _import(nexus)
    return [
        Path(
            name="nexus verify",
            unit="s",
            goal=60,
            smaller_is_better=True,
            rounds=[Round(ceiling=None, product=verified)],
        ),
        Path(
            name="allocating a month",
            unit="employees/s",
            goal=20_000,
            rounds=[Round(ceiling=None, product=rate) for rate in allocated],
            note=f"{at.size.families:,} families",
        ),
        Path(name="bookings while a month is allocated", unit="req/s", goal=0.7, rounds=beside),
        Path(
            name="generating sessions",
            unit="sessions/s",
            goal=5_000,
            rounds=[Round(ceiling=None, product=generated)],
        ),
        Path(
            name="importing a catalogue",
            unit="rows/s",
            goal=1_000,
            rounds=[Round(ceiling=None, product=imported)],
            note="with the sessions of its schedules",
        ),
    ]


def _beside(months: Months, writing: Writing, rounds_left: int) -> Round:
    """Booking by itself, and then while one month after the other is allocated."""
    left = free_places(writing.at.size) - writing.places.taken
    many = min(600 * SECONDS, left // (2 * rounds_left))
    alone = writing.web.ask(writing.booking_questions(many), seconds=SECONDS)
    stop = Event()
    allocating = Thread(target=months.until, args=(stop,))
    before = months.given
    allocating.start()
    try:
        beside = writing.web.ask(writing.booking_questions(many), seconds=SECONDS)
    finally:
        stop.set()
        allocating.join()
    for answers in (alone, beside):
        if set(answers.statuses) != {"201"}:
            raise Unexpected(f"bookings beside an allocation: {answers.statuses}")
    if months.given == before:
        raise Unexpected("nothing was allocated meanwhile")
    return Round(ceiling=alone.rate, product=beside.rate, p50=beside.p50, p99=beside.p99)


def _import(nexus: Nexus) -> float:
    """Rows a second of a catalogue that nobody knows yet: half of them weekly, half of them once."""
    today = now().date()
    with TemporaryDirectory() as folder:
        file = File(folder) / "catalogue.csv"
        with file.open("w", encoding="utf-8", newline="") as text:
            rows = csv.DictWriter(text, _row(0, today))
            rows.writeheader()
            rows.writerows(_row(number, today) for number in range(IMPORTED))
        begun = perf_counter()
        done = import_catalogue(
            nexus,
            file,
            profile_named("chicago"),
            shift_dates=False,
            dry_run=False,
            report=None,
            progress=lambda _done, _all: None,
        )
        taken = perf_counter() - begun
    if done.new != IMPORTED:
        raise Unexpected(f"{done.new} of {IMPORTED} rows were new")
    return IMPORTED / taken


def _row(number: int, today: date) -> dict[str, object]:
    """A row as the city of Chicago publishes it."""
    first = today + timedelta(days=8 + number % 7)
    return {
        "id": number,
        "program_name": f"Programme {number}",
        "description": "An hour of it, with friends",
        "org_name": "Parks",
        "category_name": "Nature",
        "min_age": 6,
        "max_age": 10,
        "capacity": 12,
        "address": f"{number % 200} Elm St.",
        "zipcode": "60601",
        "latitude": 41.8,
        "longitude": -87.7,
        "start_date": first,
        "end_date": first + timedelta(weeks=8 * (number % 2)),
        "start_time": f"{9 + number % 8:02}:00",
        "end_time": f"{10 + number % 8:02}:00",
        "program_price": "Free",
    }
