"""Generating sessions from several places at once, and in spite of an earlier half."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time
from threading import Barrier
from uuid import uuid4

import pytest

from contracts.catalogue_world import Catalogue
from nexus.application.catalogue.generate_sessions import GenerateSessions
from nexus.application.catalogue.rolling import horizon, plan_up_to

pytestmark = pytest.mark.postgres
LATER = datetime(2026, 3, 12, 12, tzinfo=UTC)


@pytest.fixture
def catalogue(begin):
    made = Catalogue(begin)
    venue = made.venue()
    for n in range(12):
        made.create_schedule(
            made.activity(venue, f"A{n}").id,
            venue=venue.id,
            days_of_week=range(1, 8),
            start_time=time(8 + n),
            effective_from=date(2026, 3, 1),
        )
    return made


def slots(begin):
    with begin() as work:
        return work.connection.execute(
            "SELECT count(*), count(DISTINCT (recurring_schedule_id, session_date)) FROM activity_sessions"
        ).fetchone()


def test_several_generators_make_each_session_once(catalogue):
    before, _ = slots(catalogue.begin)
    together = Barrier(4)

    def run(_):
        together.wait()
        return GenerateSessions(catalogue.begin, lambda: LATER, uuid4)(limit=2).sessions

    with ThreadPoolExecutor(4) as threads:
        made = sum(threads.map(run, range(4)))
    assert made == 12 * 10
    assert slots(catalogue.begin) == (before + made, before + made)


def test_sessions_that_exist_already_are_not_made_again(catalogue):
    """The note of how far was lost: the unique slot still decides."""
    before = slots(catalogue.begin)
    with catalogue.begin() as work:
        work.connection.execute("UPDATE activity_recurring_schedules SET generated_until = NULL")
    done = catalogue.generate()
    assert (done.schedules, done.sessions) == (12, 0)
    assert slots(catalogue.begin) == before


def test_two_inserts_of_the_same_slot_meet_in_the_database(catalogue):
    """Without the lock on the schedule, planners of the same dates still insert each once."""
    with catalogue.begin() as work:
        work.connection.execute("DELETE FROM activity_sessions")
        work.connection.execute("UPDATE activity_recurring_schedules SET generated_until = NULL")
        due = work.schedules.take_due(at=catalogue.at, horizon_days=42, limit=100)
    together = Barrier(4)

    def run(_):
        sessions = [
            session
            for one in due
            for session in plan_up_to(
                horizon(one.venue, at=catalogue.at, days=42),
                one.schedule,
                one.activity,
                one.venue,
                first=date(2026, 3, 2),
                at=catalogue.at,
                new_id=uuid4,
            ).sessions
        ]
        together.wait()
        with catalogue.begin() as work:
            return work.sessions.add(sessions)

    with ThreadPoolExecutor(4) as threads:
        made = sum(threads.map(run, range(4)))
    total, distinct = slots(catalogue.begin)
    assert made == total == distinct > 0
