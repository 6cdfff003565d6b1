"""Schedulers that are killed all the time, and a background that stood still for an hour."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import cycle
from typing import Final
from uuid import UUID

from benchmarks.dataset import USER, token_of

from nexus.adapters.postgres.shared_clock import ADVANCE
from nexus.application.kernel.jobs import SCHEDULE, Job, due_at
from tests.drills.asking import Asking, cancellation
from tests.drills.drill import Drill
from tests.drills.judging import Outcome
from tests.drills.town import Ground, Town, eventually

SECONDS: Final = 25.0
EVERY: Final = 2.0
PERIOD: Final = SCHEDULE[Job.SWEEP_SESSIONS]
"""The shortest."""
CAUGHT_UP: Final = 60.0

_NOW: Final = "SELECT clock_timestamp() + coalesce((SELECT ahead FROM development_clock), interval '0')"


def _advance(town: Town, by: timedelta) -> None:
    with town.owner() as owner:
        owner.execute(ADVANCE, {"by": by})


def _now(town: Town) -> datetime:
    return town.query(_NOW)[0][0]


def race_schedulers(ground: Ground, without: str) -> Outcome:
    """Two, of which one is killed every two seconds, while the clock goes forward period by period."""
    out = Outcome()
    with Town.founded(ground) as town:
        names = ("one", "other")
        for name in names:
            town.start(name, "scheduler", without=without)
        _await_period(town, 20)
        begun = killed_at = time.monotonic()
        for name in cycle(names):
            if time.monotonic() - begun > SECONDS:
                break
            # A period begins when the one before it was seen.
            while time.monotonic() - killed_at < EVERY:
                _advance(town, PERIOD)
                if _await_period(town, 5):
                    out.acknowledged += 1
                else:
                    out.lost += 1
                time.sleep(0.7)
            killed_at = time.monotonic()
            town.kill(name)
            out.kills += 1
            town.start(name, "scheduler", without=without)
        for name in names:
            town.end(name)
        claimed = Counter(town.query("SELECT job, due_at FROM job_runs"))
        handed = Counter(
            (job, due_at(at, SCHEDULE[Job(job)]))
            for job, at in town.query(
                "SELECT payload ->> 'job', occurred_at FROM outbox WHERE type = 'JobDue'"
            )
        )
        out.doubled += sum(many > 1 for many in handed.values())
        out.lost += len(claimed.keys() - handed.keys())
        out.expect(handed.keys() <= claimed.keys(), "nothing is handed over without its claim")
        by_job = Counter(job for job, _ in handed)
        out.notes.append(", ".join(f"{job} {many}" for job, many in sorted(by_job.items())))
        town.verify(out)
    return out


def _await_period(town: Town, within: float) -> bool:
    """Whether the period that it is now is claimed in time."""

    def is_claimed() -> bool:
        period = due_at(_now(town), PERIOD)
        return bool(
            town.query(
                "SELECT FROM job_runs WHERE job = %s AND due_at >= %s", Job.SWEEP_SESSIONS.value, period
            )
        )

    return eventually(is_claimed, within=within)


def _token_of(user: UUID) -> str:
    return token_of(USER, int(user.hex[:12], 16))


def stand_still(ground: Ground, without: str) -> Outcome:
    """Worker and scheduler stop for an hour, in which offers run out."""
    out = Outcome()
    many = 12
    with Town.founded(ground) as town:
        town.serve()
        asking = Asking(town.port)
        for number in range(many):
            heard = cancellation(number * 3).send(asking, key=True)
            out.expect(heard.status == 200, f"a booking is cancelled ({heard.status})")
        _advance(town, timedelta(hours=3, minutes=30))
        _start(town, without)
        out.expect(eventually(_is_caught_up(town), within=60), "the background works before")
        for name in ("scheduler", "worker"):
            town.end(name)
        offers = town.query("SELECT id, user_id, session_id FROM waitlist WHERE status = 'offered'")
        _advance(town, timedelta(hours=1))
        time.sleep(0.5)  # until every process has noticed
        before = town.query("SELECT sum(booked_count) FROM activity_sessions")
        statuses: Counter[int] = Counter()
        for entry, user, _ in offers:
            statuses[asking("POST", f"/api/v1/waitlist/{entry}/accept", token=_token_of(user)).status] += 1
        out.expect(set(statuses) == {409}, f"no offer is usable after it has expired: {dict(statuses)}")
        out.expect(
            town.query("SELECT sum(booked_count) FROM activity_sessions") == before, "no place went to it"
        )
        _start(town, without)
        begun = time.monotonic()
        if eventually(_is_caught_up(town), within=CAUGHT_UP if not without else CAUGHT_UP / 3, every=0.2):
            out.recoveries = [time.monotonic() - begun]
        out.expect(bool(out.recoveries), f"everything that was due is caught up within {CAUGHT_UP:.0f} s")
        renewed = town.query(
            "SELECT count(*) FROM waitlist WHERE status = 'offered' AND session_id = ANY(%s)",
            [session for *_, session in offers],
        )[0][0]
        out.acknowledged = len(offers)
        out.lost = len(offers) - renewed
        out.notes.append(f"{len(offers)} offers ran out, {renewed} went on to the next family in line")
        for name in ("scheduler", "worker"):
            town.end(name)
        town.verify(out)
    return out


def _start(town: Town, without: str) -> None:
    town.start("worker", "worker", without=without)
    town.start("scheduler", "scheduler")


def _is_caught_up(town: Town) -> Callable[[], bool]:
    def check() -> bool:
        at = _now(town)
        wanted = [(job.value, due_at(at, every)) for job, every in SCHEDULE.items()]
        runs = set(town.query("SELECT job, due_at FROM job_runs"))
        [(unhandled, expired)] = town.query(
            "SELECT (SELECT count(*) FROM outbox WHERE handled_at IS NULL),"
            " (SELECT count(*) FROM waitlist WHERE status = 'offered' AND offer_expires_at <= %s)",
            at,
        )
        return runs >= set(wanted) and not unhandled and not expired

    return check


DRILLS: Final = (
    Drill("schedulers-killed", "one-claim-per-period", race_schedulers),
    Drill("background-stopped", "sweeping", stand_still),
)
