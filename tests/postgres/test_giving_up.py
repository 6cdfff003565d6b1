"""What took so long that its caller was told of a failure is not kept."""

from threading import Timer
from time import monotonic

import psycopg
import pytest
from attrs import evolve

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.application.kernel.caller import NOBODY, NobodyWaits, caller


@pytest.fixture
def waiting():
    """Lets the caller wait for so many seconds from now on."""
    before = caller.get()
    yield lambda seconds: caller.set(evolve(NOBODY, gives_up_at=monotonic() + seconds))
    caller.set(before)


def put(begin: PostgresBegin) -> None:
    with begin.as_platform() as work:
        work.connection.execute("INSERT INTO job_runs (job, due_at) VALUES ('giving up', now())")


def put_later(begin: PostgresBegin, entry: str) -> None:
    with begin.as_platform() as work:
        work.connection.execute("SELECT 1")
        work.connection.later(entry, {})


def kept(owner: psycopg.Connection) -> int:
    return owner.execute("SELECT count(*) FROM job_runs WHERE job = 'giving up'").fetchone()[0]


def test_a_unit_of_work_commits_while_somebody_waits(begin, owner, waiting):
    waiting(30)
    put(begin)
    assert kept(owner) == 1


def test_nothing_is_committed_once_nobody_waits(begin, owner, waiting):
    waiting(-0.001)
    with pytest.raises(NobodyWaits):
        put(begin)
    assert kept(owner) == 0


def test_what_nobody_asked_for_by_http_takes_its_time(begin, owner):
    put(begin)
    assert kept(owner) == 1


def test_what_goes_out_with_the_commit_does_not_make_it_late(begin, owner, waiting, database_url):
    """The clock is looked at when all but the commit has been said."""
    entry = "INSERT INTO job_runs (job, due_at) VALUES ('giving up', '2026-01-01Z')"
    with psycopg.connect(database_url) as other:
        other.execute(entry)
        waiting(0.2)
        released = Timer(0.5, other.rollback)
        released.start()
        with pytest.raises(NobodyWaits):
            put_later(begin, entry)
        released.join()
    assert kept(owner) == 0
