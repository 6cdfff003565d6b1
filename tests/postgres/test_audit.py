"""The audit log as PostgreSQL keeps it: nobody changes it, the application reads it for the platform only."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest
from attrs import evolve
from psycopg.errors import InsufficientPrivilege, InvalidSchemaName, RestrictViolation
from psycopg_pool import ConnectionPool

from nexus.adapters.embedded.postgres import EmbeddedPostgres
from nexus.adapters.postgres.audit import page_statement
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.health import HAS_MONTHS, look
from nexus.adapters.postgres.migrate import migrate
from nexus.application.kernel.jobs import Job
from nexus.application.platform.condition import Queue, judge
from nexus.domain.compliance.audit import Action, Deed
from nexus.entrypoints.wiring import Nexus
from tests.support.front import Setting
from tests.support.town import NOON

pytestmark = pytest.mark.postgres

CHANGES = [
    "UPDATE {table} SET action_type = 'nothing'",
    "UPDATE {table} SET new_values = NULL",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
]
ALTERATIONS = [
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
    "DROP TABLE {table}",
    "CREATE TRIGGER mine BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING",
]


def months(owner: psycopg.Connection) -> list[str]:
    return [
        name
        for (name,) in owner.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'audit_logs'::regclass ORDER BY 1"
        )
    ]


@pytest.fixture
def entry(begin: PostgresBegin) -> UUID:
    """The entity of an entry that is there."""
    thing = uuid4()
    with begin() as work:
        work.audit.add(Deed(Action.BOOKED, thing))
    return thing


@pytest.fixture
def application(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection as the application has it, and nothing more: acting for the platform."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET SESSION AUTHORIZATION nexus_app")
        connection.execute("SET nexus.scope = 'platform'")
        yield connection


@contextmanager
def acting_in(connection: psycopg.Connection, role: str) -> Iterator[None]:
    """A transaction in this replication role."""
    with connection.transaction():
        connection.execute(f"SET LOCAL session_replication_role = {role}")
        yield


def tables(owner: psycopg.Connection) -> list[str]:
    return ["audit_logs", *(f"audit.{month}" for month in months(owner))]


@pytest.mark.parametrize("statement", CHANGES + ALTERATIONS)
def test_the_application_cannot_change_the_log_or_a_month(
    application: psycopg.Connection, owner: psycopg.Connection, entry: UUID, statement: str
) -> None:
    for table in tables(owner):
        with pytest.raises((InsufficientPrivilege, InvalidSchemaName)):
            application.execute(statement.format(table=table))
    assert owner.execute("SELECT count(*) FROM audit_logs WHERE entity_id = %s", [entry]).fetchone() == (1,)


@pytest.mark.parametrize("statement", CHANGES)
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_even_the_owner_is_refused_by_the_log_and_by_each_month(
    owner: psycopg.Connection, entry: UUID, statement: str, role: str
) -> None:
    """Also in replication mode, in which ordinary triggers sleep."""
    this_month = owner.execute(
        "SELECT tableoid::regclass::text FROM audit_logs WHERE entity_id = %s", [entry]
    ).fetchone()[0]
    refused = tables(owner) if "TRUNCATE" in statement else ["audit_logs", this_month]
    for table in refused:
        with pytest.raises(RestrictViolation), acting_in(owner, role):
            owner.execute(statement.format(table=table))


def test_an_ordinary_trigger_would_sleep_in_replication_mode(owner: psycopg.Connection, entry: UUID) -> None:
    """The control: without ALWAYS the same statement goes through."""
    with owner.transaction(force_rollback=True):
        owner.execute("ALTER TABLE audit_logs ENABLE TRIGGER audit_logs_append_only")
        owner.execute("SET LOCAL session_replication_role = replica")
        assert owner.execute("DELETE FROM audit_logs WHERE entity_id = %s", [entry]).rowcount == 1


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE audit_logs DETACH PARTITION audit.{month}",
        "ALTER TABLE audit_logs DETACH PARTITION audit.{month} CONCURRENTLY",
        "ALTER TABLE audit_logs ATTACH PARTITION mine DEFAULT",
        "CREATE TABLE audit.mine PARTITION OF audit_logs DEFAULT",
        "SELECT audit.add_month('2030-01-01')",
        "SET session_replication_role = replica",
        "SET ROLE pg_database_owner",
        "ALTER FUNCTION keep_audit_months(integer) OWNER TO nexus_app",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS $$ SELECT 1 $$",
    ],
)
def test_the_application_cannot_get_round_it(
    application: psycopg.Connection, owner: psycopg.Connection, statement: str
) -> None:
    with pytest.raises(psycopg.Error) as refused:
        application.execute(statement.format(month=months(owner)[0]))
    assert refused.value.sqlstate in ("42501", "3F000", "42P01", "42601", "42P13"), refused.value


def test_nothing_cascades_into_the_log(owner: psycopg.Connection) -> None:
    assert owner.execute(
        "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY (%s::regclass[])",
        [tables(owner)],
    ).fetchone() == (0,)


def test_the_application_cannot_say_when(application: psycopg.Connection) -> None:
    with pytest.raises(InsufficientPrivilege):
        application.execute(
            "INSERT INTO audit_logs (id, created_at, action_category, action_type, severity, entity_type, cause)"
            " VALUES (gen_random_uuid(), '2020-01-01', 'auth', 'auth.signed_in', 'info', 'account', 'platform')"
        )


@pytest.mark.parametrize(("scope", "seen"), [("platform", 1), ("tenant", 0), ("", 0)])
def test_the_platform_alone_reads(
    application: psycopg.Connection, entry: UUID, scope: str, seen: int
) -> None:
    application.execute("SELECT set_config('nexus.scope', %s, false)", [scope])
    count = "SELECT count(*) FROM audit_logs WHERE entity_id = %s"
    assert application.execute(count, [entry]).fetchone() == (seen,)
    application.execute(
        "INSERT INTO audit_logs (id, action_category, action_type, severity, entity_type, cause)"
        " VALUES (gen_random_uuid(), 'auth', 'auth.signed_in', 'info', 'account', 'nobody')"
    )


# --- months


def month_name(first: datetime) -> str:
    return f"audit_logs_{first:%Y_%m}"


def test_this_month_and_a_year_ahead_are_there(owner: psycopg.Connection) -> None:
    first = datetime.now(UTC).replace(day=1)
    expected = {month_name(first)}
    for _ in range(12):
        first = (first + timedelta(days=32)).replace(day=1)
        expected.add(month_name(first))
    assert expected <= set(months(owner))


@pytest.fixture(scope="module")
def apart(postgres_server: EmbeddedPostgres, owner: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A database of one's own, whose tables belong to somebody who is no superuser."""
    owner.execute("CREATE ROLE months_owner LOGIN PASSWORD 'x'")
    owner.execute("GRANT nexus_app TO months_owner WITH ADMIN OPTION")
    owner.execute("CREATE DATABASE audit_months OWNER months_owner")
    parts = urlsplit(postgres_server.database_url)._replace(path="/audit_months")
    host = parts.netloc.rpartition("@")[2]
    migrate(parts._replace(netloc=f"months_owner:x@{host}").geturl())
    with psycopg.connect(parts.geturl(), autocommit=True) as connection:
        yield connection
    owner.execute("DROP DATABASE audit_months WITH (FORCE)")
    owner.execute("DROP OWNED BY months_owner")
    owner.execute("DROP ROLE months_owner")


@pytest.fixture
def scratch(apart: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """That database, with this month and those to come, and no others."""
    yield apart
    keep(apart, 730)
    for month in months(apart):
        if month < month_name(datetime.now(UTC)):
            apart.execute(f"DROP TABLE audit.{month}")


def keep(connection: psycopg.Connection, days: int | None) -> list[tuple[str, str]]:
    with connection.transaction():
        connection.execute("SET LOCAL ROLE nexus_app")
        return connection.execute("SELECT * FROM keep_audit_months(%s)", [days]).fetchall()


def test_only_months_past_their_time_are_dropped(scratch: psycopg.Connection) -> None:
    """As the application's role, over tables of an owner who is no superuser."""
    today = datetime.now(UTC)
    edge = today - timedelta(days=730)
    young = edge.replace(day=1)
    old = (young - timedelta(days=1)).replace(day=1)
    older = (old - timedelta(days=1)).replace(day=1)
    for first in (young, old, older):
        scratch.execute("SELECT audit.add_month(%s)", [first.date()])
    scratch.execute(f"DROP TABLE audit.{months(scratch)[-1]}")
    assert keep(scratch, 1000) == [("added", mine := months(scratch)[-1])]
    assert mine.startswith("audit_logs_")
    assert keep(scratch, 730) == [("dropped", month_name(older)), ("dropped", month_name(old))]
    assert keep(scratch, 730) == []
    assert month_name(young) in months(scratch), "its last day is not two years old"


@pytest.mark.parametrize("days", [729, 0, -1, None])
def test_nobody_has_younger_months_dropped(scratch: psycopg.Connection, days: int | None) -> None:
    scratch.execute("SELECT audit.add_month('2020-01-01')")
    before = months(scratch)
    with pytest.raises(RestrictViolation):
        keep(scratch, days)
    assert months(scratch) == before


def test_a_new_month_is_guarded_like_the_first(scratch: psycopg.Connection) -> None:
    scratch.execute("SELECT audit.add_month('2020-01-01')")
    scratch.execute(
        "INSERT INTO audit_logs (id, created_at, action_category, action_type, severity, entity_type, cause)"
        " VALUES (gen_random_uuid(), '2020-01-07', 'auth', 'auth.signed_in', 'info', 'account', 'platform')"
    )
    for statement in CHANGES:
        for table in ("audit_logs", "audit.audit_logs_2020_01"):
            with pytest.raises(RestrictViolation), acting_in(scratch, "replica"):
                scratch.execute(statement.format(table=table))
    assert scratch.execute(
        "SELECT relrowsecurity, relforcerowsecurity, relacl FROM pg_class WHERE relname = 'audit_logs_2020_01'"
    ).fetchone() == (True, True, None)


def test_a_functions_search_path_cannot_be_captured(scratch: psycopg.Connection) -> None:
    """A table of the caller's own that is called like one of the catalogue's changes nothing."""
    scratch.execute("SELECT audit.add_month('2020-01-01')")
    with scratch.transaction():
        scratch.execute("CREATE TEMP TABLE pg_inherits (inhrelid oid, inhparent oid) ON COMMIT DROP")
        scratch.execute("GRANT ALL ON pg_inherits TO nexus_app")
        scratch.execute("SET LOCAL ROLE nexus_app")
        scratch.execute("SET LOCAL search_path = pg_temp, public")
        assert scratch.execute("SELECT * FROM keep_audit_months(730)").fetchall() == [
            ("dropped", "audit_logs_2020_01")
        ]


def test_who_keeps_the_months_does_not_wait_for_ever(scratch: psycopg.Connection) -> None:
    """A month is added beside running commands; dropping one gives up when they take long, and is done later."""
    scratch.execute(f"DROP TABLE audit.{months(scratch)[-1]}")
    with psycopg.connect(scratch.info.dsn, password=scratch.info.password) as busy:
        busy.execute(
            "INSERT INTO audit_logs (id, action_category, action_type, severity, entity_type, cause)"
            " VALUES (gen_random_uuid(), 'auth', 'auth.signed_in', 'info', 'account', 'platform')"
        )
        assert [change for change, _ in keep(scratch, 730)] == ["added"]
        scratch.execute("SELECT audit.add_month('2020-01-01')")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            keep(scratch, 730)
        busy.rollback()
    assert keep(scratch, 730) == [("dropped", "audit_logs_2020_01")]


@pytest.mark.parametrize(
    ("months", "status", "reason"),
    [
        ((True, True), "ready", None),
        ((True, False), "degraded", "the audit log has no place for the next month (nexus migrate)"),
        ((False, True), "not ready", "the audit log has no place for this month (nexus migrate)"),
    ],
)
def test_readiness_tells_which_month_is_missing(
    begin: PostgresBegin,
    owner: psycopg.Connection,
    pool: ConnectionPool,
    *,
    months: tuple[bool, bool],
    status: str,
    reason: str | None,
) -> None:
    """Without this month every command that is recorded fails; without the next one it will."""
    this, following = months
    with owner.transaction(force_rollback=True):
        names = owner.execute(
            """
            SELECT to_char(m, '"audit_logs_"YYYY_MM')
              FROM (VALUES (1, now() AT TIME ZONE 'UTC'),
                           (2, date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month')) v (n, m)
             ORDER BY n
            """
        ).fetchall()
        for (name,), kept in zip(names, (this, following), strict=True):
            if not kept:
                owner.execute(f"ALTER TABLE audit.{name} RENAME TO elsewhere_{name}")
        seen = owner.execute(HAS_MONTHS).fetchone()
    assert seen == months
    database = evolve(look(pool, at=NOON), has_this_month=this, has_next_month=following)
    condition = judge(database, Queue(waiting=0, dead=0))
    assert (condition.status, condition.parts["audit_log"].reason) == (status, reason)


def test_the_job_keeps_the_months(
    begin: PostgresBegin, owner: psycopg.Connection, pool: ConnectionPool
) -> None:
    nexus = Nexus(pool, now=Setting(), secret_key=bytes(32))
    assert getattr(nexus, Job.KEEP_AUDIT.value)() == 0
    last = months(owner)[-1]
    owner.execute(f"DROP TABLE audit.{last}")
    assert nexus.keep_audit() == 1
    assert months(owner)[-1] == last
    assert owner.execute(
        "SELECT cause, new_values FROM audit_logs WHERE action_type = 'system.audit_months_kept'"
        " ORDER BY created_at DESC LIMIT 1"
    ).fetchone() == ("platform", {"months": [f"added {last}"]})


# --- plans


@pytest.mark.parametrize(
    ("stated", "index"),
    [
        (["since", "until"], "created_at"),
        (["since", "until", "after"], "created_at"),
        (["since", "until", "user"], "user_id"),
        (["since", "until", "entity", "after"], "entity_id"),
    ],
)
def test_a_search_reads_its_months_only_and_by_index(
    owner: psycopg.Connection, stated: list[str], index: str
) -> None:
    now = datetime.now(UTC)
    first = (now + timedelta(days=40)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    values = {
        "since": first,
        "until": first + timedelta(days=20),
        "after_at": first + timedelta(days=10),
        "after_id": uuid4(),
        "user": uuid4(),
        "entity": uuid4(),
        "limit": 20,
    }
    with owner.transaction():
        owner.execute("SET LOCAL enable_seqscan = off")
        plan = owner.execute("EXPLAIN " + page_statement(*stated), values).fetchall()
    text = "\n".join(line for (line,) in plan)
    assert set(re.findall(r"audit_logs_\d{4}_\d{2}(?=[ _\n])", text)) == {month_name(first)}, text
    assert "Index Scan" in text
    assert "Sort" not in text, "the index gives the order"
    assert f"audit_logs_{first:%Y_%m}_{index}" in text, text
