"""The checks of the data run by the clock, and administrators see what they found."""

from threading import Thread

import psycopg
import pytest

from nexus.adapters.postgres.invariants import INVARIANTS, check
from nexus.adapters.postgres.verifications import ONLY_ONE
from nexus.application.kernel.jobs import SCHEDULE, Job
from tests.support.office import Office
from tests.support.town import Town


@pytest.fixture
def town(office: Office) -> Town:
    return Town(office.owner)


def test_the_job_finds_what_is_broken_and_tells_how_much_but_not_which(office: Office, town: Town):
    verify = office.nexus.handle_event.jobs[Job.VERIFY_DATA]
    verify()
    town.session(seats=2)
    office.owner.execute("UPDATE activity_sessions SET waiting_count = 1")
    verify()
    office.owner.execute("UPDATE activity_sessions SET waiting_count = 0")
    newest, oldest = office.get(office.admin, "/admin/verifications").json()["items"]
    assert newest["findings"] == [{"promise": "I2", "rows": 1}]
    assert oldest["findings"] == []
    assert newest["checked"] == len(INVARIANTS)
    assert newest["seconds"] > 0
    assert Job.VERIFY_DATA in SCHEDULE


def test_pages_lead_on(office: Office):
    verify = office.nexus.handle_event.jobs[Job.VERIFY_DATA]
    for _ in range(3):
        verify()
    first = office.get(office.admin, "/admin/verifications?limit=2").json()
    second = office.get(office.admin, f"/admin/verifications?limit=2&cursor={first['next_cursor']}").json()
    assert len(first["items"]) == 2
    assert len({run["id"] for run in first["items"] + second["items"]}) == 3
    assert second["next_cursor"] is None


def test_one_checks_at_a_time(office: Office, database_url: str):
    with psycopg.connect(database_url) as other, other.transaction():
        assert other.execute(ONLY_ONE).fetchone() == (True,)
        assert office.nexus.verify_data() is None
    assert office.nexus.verify_data() is not None


def test_a_write_does_not_wait_for_the_checks(office: Office, town: Town, monkeypatch: pytest.MonkeyPatch):
    """Every table is written to in the middle of the checks."""
    town.session(seats=2)
    tables = ("activity_sessions", "bookings", "user_credit_balances", "waitlist", "children")
    outcomes = []

    def write() -> None:
        with psycopg.connect(office.nexus.pool.conninfo, autocommit=True) as connection:
            connection.execute("SET lock_timeout = '1s'")
            for table in tables:
                with connection.transaction():
                    connection.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")
            connection.execute("UPDATE activity_sessions SET version = version + 1")
            outcomes.append("written")

    def meanwhile(connection, **more):
        found = list(check(connection, **more))
        writer = Thread(target=write)
        writer.start()
        writer.join(10)
        return found

    monkeypatch.setattr("nexus.adapters.postgres.verifications.check", meanwhile)
    assert office.nexus.verify_data() is not None
    assert outcomes == ["written"]
