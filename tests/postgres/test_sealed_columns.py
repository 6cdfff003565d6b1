"""Whatever could be sealed either is, and is rotated, or says why not."""

import pytest

from nexus.adapters.postgres.sealed import NOT_SEALED, SEALED


@pytest.fixture
def columns_of_bytes(owner):
    """Every column of bytes in the schema; those of partitions are their parents'."""
    rows = owner.execute(
        """
        SELECT c.relname || '.' || a.attname
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND a.attnum > 0 AND NOT a.attisdropped
           AND a.atttypid IN ('bytea'::regtype, 'bytea[]'::regtype)
        """
    ).fetchall()
    return {name for (name,) in rows}


def test_every_column_of_bytes_is_declared_in_one_way(columns_of_bytes):
    """A new one belongs into SEALED, or into NOT_SEALED with the reason, in adapters/postgres/sealed.py."""
    sealed = {str(column) for column in SEALED}
    assert not sealed & NOT_SEALED.keys()
    assert sealed | NOT_SEALED.keys() == columns_of_bytes
    assert all(NOT_SEALED.values())


def test_rows_of_sealed_columns_are_known_by_one_uuid(owner):
    for column in SEALED:
        kind = owner.execute(
            "SELECT format_type(atttypid, NULL) FROM pg_attribute "
            " WHERE attrelid = %s::regclass AND attname = %s",
            [column.table, column.row],
        ).fetchone()
        assert kind == ("uuid",)


def test_whatever_is_rotated_can_be_changed_by_the_application_and_the_log_cannot(owner):
    for column in SEALED:
        may = owner.execute(
            "SELECT has_column_privilege('nexus_app', %s, %s, 'UPDATE')", [column.table, column.column]
        ).fetchone()
        assert may == (not column.is_append_only,)
