"""Migrations run once, in order, and refuse to be edited afterwards."""

import psycopg
import pytest

from nexus.adapters.postgres import migrate as module
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.migrate import MigrationChanged, migrate, pending


def test_a_second_run_has_nothing_to_do(database_url: str) -> None:
    assert migrate(database_url) == 0


def test_an_edited_migration_is_refused(
    database_url: str, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = [module.Migration(1, "foundation", "SELECT 1")]
    monkeypatch.setattr(module, "migrations", lambda: edited)
    with pytest.raises(MigrationChanged):
        pending(owner)


@pytest.mark.parametrize("table", ["credit_ledger", "parental_consent_records"])
@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE {} SET id = id",
        "DELETE FROM {}",
        "TRUNCATE {} CASCADE",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
    ],
)
def test_the_application_cannot_touch_what_is_append_only(
    begin: PostgresBegin, table: str, attack: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), begin() as work:
        work.connection.execute(attack.format(table))


@pytest.mark.parametrize("table", ["credit_ledger", "parental_consent_records"])
def test_not_even_the_owner_truncates_what_is_append_only(owner: psycopg.Connection, table: str) -> None:
    with owner.transaction(force_rollback=True):
        owner.execute("SET LOCAL session_replication_role = replica")
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(f"TRUNCATE {table} CASCADE")
