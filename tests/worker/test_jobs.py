"""Jobs are called when they are due, each time once, by any number of schedulers."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event, Thread

import psycopg
from hypothesis import given
from hypothesis import strategies as st

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.application.kernel.jobs import SCHEDULE, CallDueJobs, Job, due_at
from nexus.domain.kernel.ids import EventId
from nexus.entrypoints.wiring import Nexus
from nexus.entrypoints.worker.scheduler import Scheduler
from tests.support.front import Setting
from tests.support.town import NOON


def called(owner: psycopg.Connection) -> Counter[str]:
    return Counter(
        job for (job,) in owner.execute("SELECT payload->>'job' FROM outbox WHERE type = 'JobDue'").fetchall()
    )


@given(
    at=st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    every=st.integers(1, 100_000).map(lambda seconds: timedelta(seconds=seconds)),
)
def test_a_due_time_is_the_latest_multiple_that_has_come(at: datetime, every: timedelta):
    due = due_at(at, every)
    assert at - every < due <= at
    assert (due - datetime.fromtimestamp(0, UTC)) % every == timedelta(0)


def test_every_job_has_its_times_and_its_use_case(nexus: Nexus):
    assert set(SCHEDULE) == set(Job)
    assert set(nexus.handle_event.jobs) == set(Job)


def test_a_job_is_called_once_for_each_time(nexus: Nexus, clock: Setting, owner: psycopg.Connection):
    assert set(nexus.call_due_jobs()) == set(Job)
    assert nexus.call_due_jobs() == ()
    clock.at = NOON + timedelta(seconds=14, microseconds=999_999)
    assert nexus.call_due_jobs() == ()
    clock.at = NOON + timedelta(seconds=15)
    assert nexus.call_due_jobs() == (Job.SWEEP_SESSIONS,)
    clock.at = NOON + timedelta(days=3, seconds=1)
    assert set(nexus.call_due_jobs()) == set(Job)
    assert called(owner) == {job.value: 3 if job is Job.SWEEP_SESSIONS else 2 for job in Job}


def test_many_schedulers_call_each_time_once(begin: PostgresBegin, owner: psycopg.Connection, nexus: Nexus):
    """Five schedulers with the same stepping clock: as many calls as one alone would make."""
    steps, barrier = 12, Barrier(5)
    failures = []

    def schedule() -> None:
        clock = Setting()
        call = CallDueJobs(begin, clock, nexus.call_due_jobs.new_id)
        try:
            for step in range(steps):
                barrier.wait(10)
                clock.at = NOON + step * timedelta(seconds=15)
                call()
        except Exception as error:
            failures.append(error)
            raise

    threads = [Thread(target=schedule) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    counted = called(owner)
    assert counted[Job.SWEEP_SESSIONS] == steps
    assert counted[Job.ALLOCATE_CREDITS] == 3
    assert counted[Job.COMPLETE_BOOKINGS] == 1


def test_a_scheduler_runs_until_it_is_stopped_and_waits_outages_out(nexus: Nexus, owner: psycopg.Connection):
    stop, twice = Event(), Event()
    calls: list[int] = []

    def flaky() -> datetime:
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError
        if len(calls) > 2:
            twice.set()
        return NOON

    scheduler = Scheduler(CallDueJobs(nexus.begin, flaky, nexus.call_due_jobs.new_id))
    running = Thread(target=scheduler.run, args=(stop,))
    running.start()
    assert twice.wait(10)
    stop.set()
    running.join(5)
    assert not running.is_alive()
    assert called(owner) == {job.value: 1 for job in Job}


def test_every_job_runs_on_an_empty_installation(nexus: Nexus, owner: psycopg.Connection):
    nexus.call_due_jobs()
    for (event,) in owner.execute("SELECT id FROM outbox WHERE type = 'JobDue'").fetchall():
        assert nexus.handle_event(EventId(event))
    assert owner.execute("SELECT count(*) FROM outbox WHERE handled_at IS NULL").fetchone() == (0,)
