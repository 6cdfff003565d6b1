"""The way of events from the outbox to their handlers, and the times of jobs."""

from datetime import datetime, timedelta
from typing import Final, LiteralString

from psycopg import Connection

from nexus.adapters.postgres.outbox import ORIGIN
from nexus.application.kernel.event_codec import decode
from nexus.application.kernel.inbox import Taken
from nexus.application.kernel.jobs import Job
from nexus.domain.kernel.ids import EventId

# Sent long ago and not handled means lost: with the broker, or with its worker.
# 15 seconds is as long as a dead worker is believed to live; each attempt waits about
# twice as long as the one before; after twelve (some 23 hours) the event is parked for
# people to look at.
CLAIM_UNSENT: Final[LiteralString] = """
    WITH due AS (
        SELECT id FROM outbox
         WHERE handled_at IS NULL AND parked_at IS NULL
           AND (sent_at IS NULL
                OR sent_at < clock_timestamp() - make_interval(secs => 20 * power(2, least(attempts, 12) - 1) - 5))
         ORDER BY position
         LIMIT %(limit)s
           FOR UPDATE SKIP LOCKED
    )
    UPDATE outbox o
       SET sent_at = CASE WHEN attempts < 12 THEN clock_timestamp() ELSE sent_at END,
           parked_at = CASE WHEN attempts >= 12 THEN clock_timestamp() END,
           attempts = attempts + 1
      FROM due
     WHERE o.id = due.id
    RETURNING o.position, o.id, o.parked_at IS NULL AS send
"""

# Whoever handles an event holds its advisory lock, and nobody waits for that. For the row
# they wait: a message can be here before the relay that sent it has committed, and to
# step over the event would leave it until it counts as lost. What was handled meanwhile is
# seen when the row is locked.
TAKE_EVENT: Final[LiteralString] = """
    SELECT type, payload FROM outbox
     WHERE id = %(event)s AND handled_at IS NULL
       AND pg_try_advisory_xact_lock(hashtextextended(%(event)s::text, 12))
       FOR UPDATE
"""

EVENT_DONE: Final[LiteralString] = """
    UPDATE outbox SET handled_at = clock_timestamp(), parked_at = NULL, last_error = NULL WHERE id = %(event)s
"""

EVENT_FAILED: Final[LiteralString] = """
    UPDATE outbox SET last_error = left(%(error)s, 2000) WHERE id = %(event)s AND handled_at IS NULL
"""

CLAIM_JOB: Final[LiteralString] = """
    INSERT INTO job_runs (job, due_at) VALUES (%(job)s, %(due_at)s) ON CONFLICT DO NOTHING
"""

TIDY_EVENTS: Final[LiteralString] = """
    DELETE FROM outbox WHERE handled_at < clock_timestamp() - %(keep)s::interval
"""

TIDY_JOBS: Final[LiteralString] = (
    "DELETE FROM job_runs WHERE due_at < %(at)s::timestamptz - %(keep)s::interval"
)

TIDY_COMMANDS: Final[LiteralString] = """
    DELETE FROM command_keys WHERE claimed_at < clock_timestamp() - %(keep)s::interval
"""


TIDY_SIGN_INS: Final[LiteralString] = """
    DELETE FROM user_sessions WHERE expires_at < %(at)s::timestamptz - %(keep)s::interval
"""

TIDY_CHALLENGES: Final[LiteralString] = """
    DELETE FROM sign_in_challenges WHERE expires_at < %(at)s::timestamptz - %(keep)s::interval
"""


class PostgresInbox:
    """The table ``outbox``, as relay and handlers see it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim_unsent(self, *, limit: int) -> tuple[EventId, ...]:
        """Events to send now, oldest first, marked as sent; they count as lost until they are handled."""
        rows = self._connection.execute(CLAIM_UNSENT, {"limit": limit}).fetchall()
        return tuple(EventId(event) for _, event, send in sorted(rows) if send)

    def take(self, event: EventId) -> Taken | None:
        row = self._connection.execute(TAKE_EVENT, {"event": event}).fetchone()
        if row is None:
            return None
        kind, payload = row
        origin = payload.pop(ORIGIN, None)
        return Taken(decode(kind, payload), origin)

    def done(self, event: EventId) -> None:
        self._connection.execute(EVENT_DONE, {"event": event})

    def failed(self, event: EventId, error: str) -> None:
        # Text in PostgreSQL has no NUL, but an error may quote one.
        values = {"event": event, "error": error.replace("\x00", "\N{SYMBOL FOR NULL}")}
        self._connection.execute(EVENT_FAILED, values)


class PostgresJobRuns:
    """The table ``job_runs``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, job: Job, due_at: datetime) -> bool:
        return self._connection.execute(CLAIM_JOB, {"job": job.value, "due_at": due_at}).rowcount == 1


class PostgresLeftovers:
    """What has served its purpose and is not kept for ever."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def remove(self, *, at: datetime, keep: timedelta) -> None:
        values = {"at": at, "keep": keep}
        for statement in (TIDY_EVENTS, TIDY_JOBS, TIDY_COMMANDS, TIDY_SIGN_INS, TIDY_CHALLENGES):
            self._connection.execute(statement, values)
