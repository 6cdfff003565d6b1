"""What the application's role cannot do, even in the hands of somebody who runs any SQL with it."""

from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.neighbours import Neighbours

pytestmark = pytest.mark.postgres

REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.RestrictViolation)
LOGIN, PASSWORD = "nexus_intruder", "intruder"


@pytest.fixture(scope="module")
def intruder_url(database_url, owner):
    owner.execute(f"CREATE ROLE {LOGIN} LOGIN PASSWORD '{PASSWORD}' IN ROLE nexus_app")
    url = urlsplit(database_url)
    yield url._replace(netloc=f"{LOGIN}:{PASSWORD}@{url.hostname}:{url.port}").geturl()
    owner.execute(f"DROP ROLE {LOGIN}")


@pytest.fixture
def intruder(intruder_url, begin, owner):
    """The worst case: it says itself that it is the platform, so that no policy holds anything back."""
    Neighbours.of(begin, owner)
    with psycopg.connect(intruder_url, autocommit=True) as connection:
        connection.execute("SET ROLE nexus_app")
        connection.execute("SET nexus.scope = 'platform'")
        assert connection.execute("SELECT count(*) > 0 FROM credit_ledger").fetchone() == (True,)
        yield connection


APPEND_ONLY = ["credit_ledger", "parental_consent_records", "audit_logs"]


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE {table} SET id = id",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "TRUNCATE {table} CASCADE",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
        "DROP TABLE {table} CASCADE",
        "DROP TRIGGER {table}_append_only ON {table}",
        "CREATE TRIGGER t BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE POLICY p ON {table} USING (true)",
        "ALTER TABLE {table} OWNER TO nexus_app",
        "MERGE INTO {table} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
        "CREATE RULE r AS ON INSERT TO {table} DO INSTEAD NOTHING",
    ],
)
def test_what_is_only_added_to_stays(intruder, table, attack):
    with pytest.raises(REFUSED):
        intruder.execute(attack.format(table=table))


@pytest.mark.parametrize("table", ["users", "children", "bookings", "user_credit_balances", "corporates"])
def test_no_cascade_reaches_it(intruder, owner, table):
    """Neither the role nor a delete by the owner takes lines along."""
    with pytest.raises(REFUSED):
        intruder.execute(f"TRUNCATE {table} CASCADE")
    with pytest.raises(REFUSED):
        intruder.execute(f"DELETE FROM {table}")
    with pytest.raises(psycopg.errors.IntegrityError):
        owner.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize(
    "attack",
    [
        "SET session_replication_role = replica",
        "SELECT set_config('session_replication_role', 'replica', false)",
        "SET SESSION AUTHORIZATION DEFAULT; SET session_replication_role = replica",
        "RESET ROLE; SET session_replication_role = replica",
        "SET ROLE nexus",
        "SET SESSION AUTHORIZATION nexus",
        "RESET ROLE; SET ROLE nexus",
        "RESET ROLE; DELETE FROM credit_ledger",
        "ALTER ROLE nexus_app BYPASSRLS",
        "ALTER ROLE nexus_app SUPERUSER",
        "GRANT nexus TO nexus_app",
        "CREATE ROLE other",
        "CREATE TABLE public.mine (id int)",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1",
        "CREATE OR REPLACE FUNCTION public.for_platform() RETURNS boolean LANGUAGE sql STABLE RETURN true",
        "CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "DROP FUNCTION public.for_platform() CASCADE",
        "ALTER DATABASE nexus SET session_replication_role = replica",
        "ALTER SYSTEM SET fsync = off",
        "COPY credit_ledger TO PROGRAM 'cat'",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_read_file('/etc/passwd')",
        "INSERT INTO schema_migrations (number, name, checksum) VALUES (9999, 'x', 'y')",
    ],
)
def test_there_is_no_way_out_of_the_role(intruder, attack):
    *before, last = attack.split("; ")
    for part in before:
        intruder.execute(part)
    with pytest.raises(REFUSED):
        intruder.execute(last)


def test_the_role_grants_itself_nothing(intruder):
    """PostgreSQL warns only, since the role may pass on nothing of what it has."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        intruder.execute("GRANT DELETE ON outbox TO PUBLIC; DELETE FROM credit_ledger")


def test_row_security_cannot_be_switched_off(intruder):
    """Whoever asks for no wall gets no rows, not all rows."""
    intruder.execute("SET nexus.scope = ''")
    intruder.execute("SET row_security = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        intruder.execute("SELECT * FROM children")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE users SET role = 'platform_admin'",
        "UPDATE users SET corporate_id = corporate_id",
        "UPDATE users SET email = email",
        "UPDATE bookings SET booked_by = booked_by",
        "UPDATE bookings SET credits_charged = 1",
        "UPDATE children SET parent_id = parent_id",
        "UPDATE user_credit_balances SET credits_allocated = 1000",
        "UPDATE waitlist SET queue_number = 1",
        "UPDATE user_sessions SET expires_at = 'infinity'",
        "UPDATE outbox SET payload = '{}'",
        "DELETE FROM waitlist",
        "DELETE FROM notifications",
    ],
)
def test_what_nothing_in_the_product_does_the_role_may_not_do(intruder, change):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        intruder.execute(change)
