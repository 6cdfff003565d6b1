"""On whose behalf connections speak: told with the statement, and forgotten with it, whatever happens in between."""

from contextlib import suppress
from threading import Barrier, Thread
from uuid import uuid4

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.pool import open_pool
from nexus.adapters.postgres.whom import Whom
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.caller import NOBODY, PLATFORM, Caller
from nexus.application.kernel.inbox import Taken
from nexus.application.kernel.jobs import JobDue
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import CompanyId, EventId, UserId, VenueId
from tests.support.neighbours import asking
from tests.support.town import NOON

pytestmark = pytest.mark.postgres

TOLD = """
    SELECT coalesce(current_setting('nexus.scope', true), ''), coalesce(current_setting('nexus.user', true), ''),
           coalesce(current_setting('nexus.company', true), ''), coalesce(current_setting('nexus.hr', true), ''),
           coalesce(current_setting('nexus.venue', true), ''), coalesce(current_setting('nexus.session', true), '')
"""
NOTHING = ("",) * 6


def parent(company=None):
    return Actor(user=UserId(uuid4()), role=Role.PARENT, company=CompanyId(company or uuid4()))


def told(work):
    return work.connection.execute(TOLD).fetchone()


def event(job="j"):
    return JobDue(id=EventId(uuid4()), at=NOON, job=job)


def stored(owner):
    return [
        row[0] for row in owner.execute("SELECT payload ->> 'job' FROM outbox ORDER BY position").fetchall()
    ]


@pytest.fixture
def one(database_url, owner, begin):
    """Units of work that all get the same connection, and that connection's pool."""
    with open_pool(database_url, size=1) as pool:
        yield PostgresBegin(pool), pool


def test_what_callers_are_to_the_database():
    company, venue, user = CompanyId(uuid4()), VenueId(uuid4()), UserId(uuid4())
    assert Whom.of(PLATFORM) == Whom("platform")
    assert Whom.of(NOBODY) == Whom("tenant")
    assert Whom.of(Caller(actor=Actor(user=user, role=Role.PARENT, company=company))) == Whom(
        "tenant", user=str(user), company=str(company)
    )
    assert Whom.of(Caller(actor=Actor(user=user, role=Role.HR_ADMIN, company=company))) == Whom(
        "tenant", user=str(user), company=str(company), hr=str(company)
    )
    assert Whom.of(Caller(actor=Actor(user=user, role=Role.VENUE_ADMIN, venue=venue))) == Whom(
        "tenant", user=str(user), venue=str(venue)
    )
    assert Whom.of(Caller(actor=Actor(user=user, role=Role.PLATFORM_ADMIN))) == Whom(
        "platform", user=str(user)
    )


def test_ids_only_become_settings():
    """What is written into the opening message cannot be anything but an id."""
    with pytest.raises(AttributeError):
        Whom.of(Caller(actor=Actor(user="'; DROP TABLE users; --", role=Role.PARENT)))


def test_a_unit_of_work_is_told_and_nothing_stays(one):
    begin, pool = one
    actor = parent()
    with asking(actor):
        with begin() as work:
            assert told(work)[:3] == ("tenant", str(actor.user), str(actor.company))
        with begin.reading() as work:
            assert told(work)[:3] == ("tenant", str(actor.user), str(actor.company))
            assert told(work)[:3] == ("tenant", str(actor.user), str(actor.company))
    with pool.connection() as connection:
        assert connection.execute(TOLD).fetchone() == NOTHING


@pytest.mark.parametrize("opened", ["unit", "reading"])
@pytest.mark.parametrize("fault", ["python", "sql", "inside a savepoint", "before anything"])
def test_nothing_stays_after_a_failure(one, opened, fault):
    begin, pool = one

    def fail(work):
        if fault == "python":
            told(work)
            raise KeyError
        if fault == "inside a savepoint" and opened == "unit":
            with begin():
                told(work)
                work.connection.execute("SELECT 1 / 0")
        if fault != "before anything":
            told(work)
        work.connection.execute("SELECT 1 / 0")

    with (
        pytest.raises((KeyError, psycopg.Error)),
        asking(parent()),
        (begin if opened == "unit" else begin.reading)() as work,
    ):
        fail(work)
    with pool.connection() as connection:
        assert connection.info.transaction_status == TransactionStatus.IDLE
        assert connection.execute(TOLD).fetchone() == NOTHING
    with asking(None), begin.reading() as work:
        assert told(work) == ("tenant", "", "", "", "", "")


def a_turn(begin, actor, turn):
    """What does not speak for this actor in a unit of work of theirs, which fails now and then."""
    with asking(actor), suppress(psycopg.errors.DivisionByZero), begin() as work:
        before = told(work)
        if turn % 5 == 0:
            work.connection.execute("SELECT 1 / 0")
        with begin.as_platform() as inner:
            inside = told(inner)
        assert (inside[0], before[:2], told(work)[:2]) == ("platform", *[("tenant", str(actor.user))] * 2)
    with asking(actor), suppress(psycopg.errors.DivisionByZero), begin.reading() as work:
        assert told(work)[:2] == ("tenant", str(actor.user))
        if turn % 5 == 1:
            work.connection.execute("SELECT 1 / 0")
        assert told(work)[:2] == ("tenant", str(actor.user))


def test_nobody_ever_speaks_for_somebody_else(database_url, begin):
    """Eight callers share three connections, and some of what they do fails."""
    wrong, barrier = [], Barrier(8)

    def live():
        actor = parent()
        barrier.wait()
        try:
            for turn in range(40):
                a_turn(shared, actor, turn)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the test tells it
            wrong.append(fault)

    with open_pool(database_url, size=3) as pool:
        shared = PostgresBegin(pool)
        threads = [Thread(target=live) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_the_platforms_part_of_a_unit_ends_with_it(one):
    begin, _ = one
    actor = parent()
    with asking(actor), begin() as work:
        with begin.as_platform() as inner:
            assert told(inner)[0] == "platform"
        assert told(work)[:2] == ("tenant", str(actor.user))
        with pytest.raises(psycopg.errors.DivisionByZero), begin.as_platform() as inner:
            inner.connection.execute("SELECT 1 / 0")
        assert told(work)[:2] == ("tenant", str(actor.user))
        with begin.reading_as_platform() as inner:
            assert told(inner)[0] == "platform"
        assert told(work)[:2] == ("tenant", str(actor.user))


def test_a_tenants_part_of_the_platforms_unit_is_the_tenants(one):
    begin, _ = one
    actor = parent()
    with begin() as work:
        assert told(work)[0] == "platform"
        with asking(actor), begin() as inner:
            assert told(inner)[:2] == ("tenant", str(actor.user))
        assert told(work)[:2] == ("platform", "")


def test_events_are_stored_with_the_commit_and_in_order(one, owner):
    begin, _ = one
    with begin() as work:
        work.outbox.add(event("a"), event("b"))
        with begin():
            work.outbox.add(event("c"))
        work.outbox.add(event("d"))
        assert stored(owner) == []
    assert stored(owner) == ["a", "b", "c", "d"]


def test_whoever_looks_meanwhile_sees_them(one):
    begin, _ = one
    with begin() as work:
        added = event("a")
        work.outbox.add(added)
        assert work.inbox.take(added.id) == Taken(added)
        work.outbox.add(event("b"))
        assert work.connection.execute("SELECT count(*) FROM outbox").fetchone() == (2,)


def test_a_part_that_fails_takes_its_events_along(one, owner):
    begin, _ = one
    with begin() as work:
        work.outbox.add(event("before"))
        for sent in (False, True):
            with suppress(KeyError), begin():
                work.outbox.add(event("inside"))
                if sent:
                    told(work)
                with begin():
                    work.outbox.add(event("deeper"))
                raise KeyError
        with begin():
            work.outbox.add(event("kept"))
    assert stored(owner) == ["before", "kept"]


def test_a_unit_that_fails_stores_none(one, owner):
    begin, _ = one
    with suppress(KeyError), begin() as work:
        work.outbox.add(event("a"))
        raise KeyError
    with begin() as work:
        told(work)
    assert stored(owner) == []


def stored_twice(begin, twice):
    with begin() as work:
        work.connection.execute("INSERT INTO job_runs (job, due_at) VALUES ('j', now())")
        work.outbox.add(twice, twice)


def test_an_event_that_cannot_be_stored_undoes_everything(one, owner):
    begin, pool = one
    twice = event("twice")
    with pytest.raises(psycopg.errors.UniqueViolation):
        stored_twice(begin, twice)
    assert stored(owner) == []
    assert owner.execute("SELECT count(*) FROM job_runs").fetchone() == (0,)
    with pool.connection() as connection:
        assert connection.info.transaction_status == TransactionStatus.IDLE
    with begin() as work:
        work.outbox.add(twice)
    assert stored(owner) == ["twice"]


def noticed_inside(begin, twice):
    with begin() as work:
        work.outbox.add(twice, twice)
        with suppress(psycopg.errors.UniqueViolation), begin():
            told(work)
        told(work)


def test_what_failed_before_a_part_is_not_undone_with_it(one, owner):
    """The savepoint was never made, because what came before it failed: nothing can be saved."""
    begin, _ = one
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        noticed_inside(begin, event("twice"))
    assert stored(owner) == []
    with begin() as work:
        assert told(work)[0] == "platform"


def passed_over(begin):
    with begin() as work:
        work.outbox.add(event("a"))
        with suppress(psycopg.errors.DivisionByZero):
            work.connection.execute("SELECT 1 / 0")


def test_a_failure_that_is_passed_over_is_not_taken_for_a_commit(one, owner):
    begin, _ = one
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        passed_over(begin)
    assert stored(owner) == []


def test_a_refusal_keeps_what_the_connection_has_prepared(one):
    begin, pool = one
    with begin() as work:
        told(work)
    with pytest.raises(KeyError), begin() as work:
        raise KeyError
    with pool.connection() as connection:
        assert connection.execute(
            "SELECT count(*) > 0 FROM pg_prepared_statements WHERE statement LIKE '%nexus.session%'"
        ).fetchone() == (True,)


def test_an_event_outside_a_unit_is_stored_at_once(one, owner):
    begin, _ = one
    with begin.reading() as work:
        work.outbox.add(event("a"))
    assert stored(owner) == ["a"]


def test_a_tenants_commands_are_planned_once_and_reads_as_the_server_likes(one):
    begin, pool = one

    def planned(work):
        return work.connection.execute("SHOW plan_cache_mode").fetchone()[0]

    with asking(parent()):
        with begin() as work:
            assert planned(work) == "force_generic_plan"
            with begin.as_platform() as inner:
                assert planned(inner) == "force_generic_plan"
        with begin.reading() as work:
            assert planned(work) == "auto"
    with begin() as work:
        assert planned(work) == "auto"
    with pool.connection() as connection:
        assert connection.execute("SHOW plan_cache_mode").fetchone() == ("auto",)
