"""What can be seen of the installation from one of its processes, and whether it can serve."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final, Protocol

from attrs import frozen

LATE: Final = timedelta(minutes=1)
"""An event that was not sent for so long is a sign of trouble; one is sent within a second otherwise."""


@frozen(kw_only=True)
class Database:
    """The database, as far as working with it depends on it."""

    missing_migrations: int = 0
    fault: str | None = None
    """Why it cannot be worked with, besides migrations."""
    has_this_month: bool = True
    has_next_month: bool = True
    """Whether what is recorded in the audit log has its place."""
    oldest_unsent: timedelta | None = None
    """How long the oldest event waits that the broker was not told of."""
    is_crowded: bool = False
    """Whether requests wait for a connection."""


@frozen(kw_only=True)
class Queue:
    """What the broker holds."""

    waiting: int
    dead: int


class Broker(Protocol):
    """Where events wait for a free worker."""

    def look(self) -> Queue | None:
        """What it holds now; None when it does not answer at once."""
        ...


class Status(StrEnum):
    """Degraded: something waits or will be missing, and requests are still answered."""

    READY = "ready"
    DEGRADED = "degraded"
    NOT_READY = "not ready"


@frozen
class Part:
    """What one thing contributes to the whole."""

    status: Status = Status.READY
    reason: str | None = None
    figures: Mapping[str, float] = {}


@frozen
class Condition:
    """Whether this process can serve, and what each part of the installation says to that."""

    parts: Mapping[str, Part]

    @property
    def status(self) -> Status:
        stated = {part.status for part in self.parts.values()}
        return next(
            status for status in (Status.NOT_READY, Status.DEGRADED, Status.READY) if status in stated
        )

    @property
    def missing(self) -> str | None:
        """Why it cannot serve."""
        reasons = (part.reason for part in self.parts.values() if part.status is Status.NOT_READY)
        return next(reasons, None)


def judge(database: Database | None, queue: Queue | None, *, has_broker: bool = True) -> Condition:
    """
    The condition of a process that sees this; None stands for what did not answer in time.

    Without the broker bookings work and their consequences wait in the database: only
    what makes every command fail makes a process unable to serve.
    """
    parts = {"database": _database(database)}
    if parts["database"].status is not Status.NOT_READY and database is not None:
        parts["migrations"] = _migrations(database)
        parts["audit_log"] = _audit_log(database)
        parts["outbox"] = _outbox(database.oldest_unsent)
    if has_broker:
        parts["broker"] = _broker(queue)
    return Condition(parts)


def _database(seen: Database | None) -> Part:
    if seen is None:
        return Part(Status.NOT_READY, "the database does not answer")
    if seen.fault is not None:
        return Part(Status.NOT_READY, seen.fault)
    if seen.is_crowded:
        return Part(Status.DEGRADED, "requests wait for a connection to the database")
    return Part()


def _migrations(seen: Database) -> Part:
    figures = {"missing": seen.missing_migrations}
    if seen.missing_migrations:
        reason = f"migrations that have not run: {seen.missing_migrations} (nexus migrate)"
        return Part(Status.NOT_READY, reason, figures)
    return Part(figures=figures)


def _audit_log(seen: Database) -> Part:
    if not seen.has_this_month:
        return Part(Status.NOT_READY, "the audit log has no place for this month (nexus migrate)")
    if not seen.has_next_month:
        return Part(Status.DEGRADED, "the audit log has no place for the next month (nexus migrate)")
    return Part()


def _outbox(oldest: timedelta | None) -> Part:
    seconds = max(0.0, oldest.total_seconds()) if oldest is not None else 0.0
    figures = {"oldest_unsent_seconds": round(seconds, 1)}
    if seconds > LATE.total_seconds():
        return Part(Status.DEGRADED, "events are not handed to workers", figures)
    return Part(figures=figures)


def _broker(queue: Queue | None) -> Part:
    if queue is None:
        return Part(
            Status.DEGRADED, "the broker does not answer: bookings work, and what follows from them waits"
        )
    return Part(figures={"waiting": queue.waiting})
