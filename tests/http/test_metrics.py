"""What Prometheus is told, and that it is true."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.request import urlopen

import psycopg
import pytest
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families as families
from psycopg_pool import ConnectionPool

from nexus.adapters.postgres.backlog import BACKLOG
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.application.kernel.jobs import Job
from nexus.domain.kernel.ids import EventId
from nexus.entrypoints.http.api import build
from nexus.entrypoints.monitoring import serving
from nexus.entrypoints.settings import SettingError, Settings
from nexus.entrypoints.wiring import Nexus, open_nexus
from tests.support.booking import Desk
from tests.support.front import Setting
from tests.support.town import NOON, Town


@pytest.fixture
def clock() -> Setting:
    return Setting()


@pytest.fixture
def nexus(begin: PostgresBegin, pool: ConnectionPool, clock: Setting) -> Nexus:
    return Nexus(pool, now=clock, secret_key=bytes(32))


@pytest.fixture
def town(begin: PostgresBegin, owner: psycopg.Connection) -> Town:
    return Town(owner)


def told(nexus: Nexus) -> dict[str, float]:
    """Every sample by its name and labels, of a scrape with nothing kept."""
    nexus.backlog._seen_at = float("-inf")
    return samples(nexus.scrape().decode())


def samples(text: str) -> dict[str, float]:
    found = {}
    for family in families(text):
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "process"}
            found[sample.name + (json.dumps(labels) if labels else "")] = sample.value
    return found


def handle_all(nexus: Nexus, owner: psycopg.Connection) -> None:
    while events := owner.execute(
        "SELECT id FROM outbox WHERE handled_at IS NULL ORDER BY position"
    ).fetchall():
        for (event,) in events:
            nexus.handle_event(EventId(event))


def test_offers_and_refunds_are_counted_when_their_events_are_handled(
    nexus: Nexus, town: Town, begin: PostgresBegin, owner: psycopg.Connection, clock: Setting
):
    desk = Desk(begin)
    session = town.session(seats=1, price=3)
    first, second = town.family(), town.family()
    [booking] = desk.book(session, tuple(first.children), parent=first.parent, company=town.company)
    entry = desk.join(session, tuple(second.children), parent=second.parent)
    desk.cancel(booking.id, parent=first.parent)
    before = told(nexus)
    assert before["nexus_offers_open"] == 1
    assert before["nexus_outbox_unhandled"] == 3
    handle_all(nexus, owner)
    desk.accept(entry.id, parent=second.parent, company=town.company)
    handle_all(nexus, owner)
    after = told(nexus)
    names = ("offers_made", "offers_accepted", "offers_expired", "refunds", "refunded_credits")
    assert [before[f"nexus_{name}_total"] for name in names] == [0] * 5
    assert [after[f"nexus_{name}_total"] for name in names] == [1, 1, 0, 1, 3]
    assert (after["nexus_outbox_unhandled"], after["nexus_offers_open"]) == (0, 0)


def test_what_is_due_and_not_swept_is_told_with_how_late_it_is(
    nexus: Nexus, town: Town, owner: psycopg.Connection, clock: Setting
):
    town.session(seats=1, releases_at=NOON + timedelta(days=1))
    release = 'nexus_sweeper_lag_seconds{"what": "release"}'
    assert told(nexus)[release] == 0
    clock.at = NOON + timedelta(days=1, seconds=30)
    assert told(nexus)[release] == 30
    nexus.sweep_sessions()
    assert told(nexus)[release] == 0


def test_jobs_and_checks_are_told_with_their_age(
    nexus: Nexus, owner: psycopg.Connection, clock: Setting, capsys: pytest.CaptureFixture[str]
):
    nexus.call_due_jobs()
    handle_all(nexus, owner)
    clock.at = NOON + timedelta(seconds=90)
    seen = told(nexus)
    for job in Job:
        assert seen[f'nexus_job_age_seconds{{"name": "{job}"}}'] == 90 + (
            43_200 if job is Job.KEEP_AUDIT else 0
        )
        assert seen[f'nexus_jobs_run_total{{"name": "{job}", "outcome": "done"}}'] == 1
    assert seen["nexus_verification_age_seconds"] == 90
    assert seen['nexus_verification_findings{"promise": "I1"}'] == 0
    assert re.search(
        r"handled .*job=sweep_sessions .*milliseconds=[\d.]+ outcome=done", capsys.readouterr().out
    )


@pytest.fixture
def without_database() -> Iterator[Nexus]:
    stated = Settings(database_url="postgresql://nobody@127.0.0.1:1/nexus", secret_key=bytes(32), pool_size=1)
    with open_nexus(stated) as nexus:
        yield nexus


def test_a_scrape_answers_without_the_database(without_database: Nexus):
    with serving("127.0.0.1", 0, without_database.scrape) as port:
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            seen = samples(answer.read().decode())
        with urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.status == 200
    assert seen["nexus_database_up"] == 0
    assert "nexus_outbox_unhandled" not in seen
    assert seen["nexus_offers_made_total"] == 0


def test_a_port_that_somebody_has_is_named_with_its_setting(without_database: Nexus):
    with (
        serving("127.0.0.1", 0, without_database.scrape) as port,
        pytest.raises(SettingError, match=f"NEXUS_METRICS_PORT: cannot listen on 127.0.0.1:{port}"),
        serving("127.0.0.1", port, without_database.scrape),
    ):
        pass


def test_names_keep_to_the_conventions_and_labels_carry_no_ids(nexus: Nexus):
    with TestClient(build(nexus, Settings(pool_size=2, metrics=True))) as client:
        client.get("/api/v1/activities/00000000-0000-0000-0000-000000000001")
        text = client.get("/metrics").text
    assert "nexus_http_requests_total" in text
    for family in families(text):
        assert re.fullmatch(r"nexus(_[a-z]+)+", family.name), family.name
        assert family.documentation
        assert len({name for sample in family.samples for name in sample.labels} - {"le"}) <= 3
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", text)


def test_one_statement_reads_only_by_index(owner: psycopg.Connection, nexus: Nexus):
    values = {"at": NOON, "jobs": [job.value for job in Job]}
    with owner.transaction(force_rollback=True):
        owner.execute("SET LOCAL enable_seqscan = off")
        [[plan]] = owner.execute("EXPLAIN (FORMAT JSON) " + BACKLOG, values).fetchall()
    scans = re.findall(r"'Node Type': 'Seq Scan'", str(plan))
    assert not scans
    used = set(re.findall(r"'Index Name': '(\w+)'", str(plan)))
    assert used >= {"outbox_unhandled", "outbox_parked", "waitlist_open_offers", "bookings_unanswered"}
    assert used >= {"activity_sessions_due_release", "job_runs_pkey", "verifications_newest"}
    # That they are the cheaper way, too, is seen where there is something: tests/postgres/test_plans.py
