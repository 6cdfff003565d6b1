"""What waits, in one statement over indexes that hold just that."""

from datetime import datetime
from typing import Final, LiteralString

from psycopg.rows import dict_row

from nexus.adapters.postgres.health import looking
from nexus.adapters.postgres.pool import Pool
from nexus.adapters.postgres.rows import to_object
from nexus.application.kernel.jobs import Job
from nexus.application.platform.backlog import Backlog

BACKLOG: Final[LiteralString] = """
    SELECT %(at)s::timestamptz AS at,
           (SELECT count(*) FROM outbox WHERE handled_at IS NULL AND parked_at IS NULL) AS unhandled,
           (SELECT occurred_at FROM outbox WHERE handled_at IS NULL AND parked_at IS NULL
             ORDER BY position LIMIT 1) AS oldest_unhandled,
           (SELECT count(*) FROM outbox WHERE handled_at IS NULL AND parked_at IS NOT NULL) AS parked,
           (SELECT count(*) FROM waitlist WHERE status = 'offered') AS open_offers,
           (SELECT min(offer_expires_at) FROM waitlist WHERE status = 'offered') AS offer_ends,
           (SELECT min(confirm_by) FROM bookings WHERE status = 'pending') AS answer_due,
           (SELECT releases_at FROM activity_sessions
             WHERE status = 'scheduled' AND released_at IS NULL AND waiting_count = 0
               AND releases_at <= %(at)s
             ORDER BY releases_at LIMIT 1) AS release_due,
           ARRAY(SELECT (SELECT max(due_at) FROM job_runs r WHERE r.job = j.job)
                   FROM unnest(%(jobs)s::text[]) WITH ORDINALITY j (job, n) ORDER BY n) AS jobs,
           (SELECT jsonb_build_object('at', at, 'seconds', seconds, 'findings', findings)
              FROM verifications ORDER BY at DESC, id DESC LIMIT 1) AS verified
"""


def backlog(pool: Pool, *, at: datetime) -> Backlog:
    """What waits now; raises what the database raises."""
    jobs = [job.value for job in Job]
    with looking(pool) as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(BACKLOG, {"at": at, "jobs": jobs}).fetchone() or {}
    due = dict(zip(jobs, row["jobs"], strict=True))
    verified = row["verified"]
    if verified is not None:
        verified["at"] = datetime.fromisoformat(verified["at"])
    stated = {**row, "jobs": {job: at for job, at in due.items() if at is not None}, "verified": verified}
    return to_object(stated, Backlog)
