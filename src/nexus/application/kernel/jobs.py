"""Work that is due at regular times, and how it reaches the background."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from attrs import frozen

from nexus.application.kernel.ports import Begin, Clock, NewId, Outbox
from nexus.domain.kernel.events import Event
from nexus.domain.kernel.ids import EventId


class Job(StrEnum):
    """Everything that runs by the clock. Each may run late, twice or concurrently."""

    SWEEP_SESSIONS = "sweep_sessions"
    COMPLETE_BOOKINGS = "complete_bookings"
    ALLOCATE_CREDITS = "allocate_credits"
    EXPIRE_CREDITS = "expire_credits"
    WARN_OF_EXPIRY = "warn_of_expiry"
    GENERATE_SESSIONS = "generate_sessions"
    TIDY_UP = "tidy_up"
    KEEP_AUDIT = "keep_audit"
    VERIFY_DATA = "verify_data"


SCHEDULE: Final[Mapping[Job, timedelta]] = {
    Job.SWEEP_SESSIONS: timedelta(seconds=15),
    Job.COMPLETE_BOOKINGS: timedelta(minutes=5),
    Job.ALLOCATE_CREDITS: timedelta(minutes=1),
    Job.EXPIRE_CREDITS: timedelta(minutes=1),
    Job.WARN_OF_EXPIRY: timedelta(hours=1),
    Job.GENERATE_SESSIONS: timedelta(hours=1),
    Job.TIDY_UP: timedelta(hours=1),
    Job.KEEP_AUDIT: timedelta(days=1),
    Job.VERIFY_DATA: timedelta(hours=1),
}
"""How often each job is due. A job takes on all that is due, so a missed time needs no making up."""


@frozen(kw_only=True)
class JobDue(Event):
    """It is time for a job."""

    job: str


class JobRuns(Protocol):
    """The times at which jobs were due, each recorded once."""

    def claim(self, job: Job, due_at: datetime) -> bool:
        """Record that time; False when it was recorded before, by whichever scheduler."""
        ...


class ScheduleWork(Protocol):
    """What the scheduler needs."""

    @property
    def job_runs(self) -> JobRuns: ...
    @property
    def outbox(self) -> Outbox: ...


def due_at(at: datetime, every: timedelta) -> datetime:
    """The latest multiple of *every* (counted from 1970) that is not after *at*."""
    epoch = datetime.fromtimestamp(0, UTC)
    return at - (at - epoch) % every


@frozen
class CallDueJobs:
    """
    Hand over the jobs whose time has come.

    Safe with any number of schedulers: the time of a job is handed over once.
    """

    begin: Begin[ScheduleWork]
    now: Clock
    new_id: NewId

    def __call__(self) -> tuple[Job, ...]:
        """The jobs that this call handed over."""
        at = self.now()
        called = []
        with self.begin() as work:
            for job, every in SCHEDULE.items():
                if work.job_runs.claim(job, due_at(at, every)):
                    work.outbox.add(JobDue(id=EventId(self.new_id()), at=at, job=job))
                    called.append(job)
        return tuple(called)
