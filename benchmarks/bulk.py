"""What is done to many rows at once, by itself: nothing else asks meanwhile."""

from datetime import timedelta
from time import perf_counter

import psycopg

from benchmarks.dataset import period
from benchmarks.prepared import Prepared
from benchmarks.report import Path, Round
from nexus.adapters.postgres.pool import open_pool
from nexus.adapters.system.clock import now
from nexus.entrypoints.installation import findings
from nexus.entrypoints.wiring import Nexus

ADD_SCHEDULES = """
    INSERT INTO activity_recurring_schedules (id, activity_id, venue_id, days_of_week, start_time,
                                              duration_minutes, capacity, effective_from, created_at)
    SELECT gen_random_uuid(), id, venue_id, '{1,2,3,4,5,6,7}', '20:00', 60, 20, current_date, now()
      FROM activities ORDER BY id LIMIT 1000
"""


class Broken(Exception):
    """The dataset breaks an invariant after it was used."""


def measure(at: Prepared) -> list[Path]:
    """Verify, allocate, generate."""
    with open_pool(at.database_url, size=4) as pool:
        nexus = Nexus(pool, now=now, secret_key=bytes(32))
        begun = perf_counter()
        broken = [each.invariant.number for each in findings(nexus) if not each.holds]
        verified = perf_counter() - begun
        if broken:
            raise Broken(", ".join(broken))
        closes = period(at.base)[1]
        later = Nexus(pool, now=lambda: closes + timedelta(hours=1), secret_key=bytes(32))
        begun = perf_counter()
        allocated = later.allocate_credits() / (perf_counter() - begun)
        with psycopg.connect(at.database_url) as owner:
            owner.execute(ADD_SCHEDULES)
        begun = perf_counter()
        generated = nexus.generate_sessions().sessions / (perf_counter() - begun)
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
            rounds=[Round(ceiling=None, product=allocated)],
        ),
        Path(
            name="generating sessions",
            unit="sessions/s",
            goal=5_000,
            rounds=[Round(ceiling=None, product=generated)],
        ),
    ]
