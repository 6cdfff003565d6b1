"""
Every column that is sealed, declared once.

A test compares this with the schema: a column of bytes is either here or below, with
the reason why nobody needs to seal it.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final
from uuid import UUID

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier

from nexus.adapters.postgres.rows import as_object
from nexus.application.platform.rotate_keys import SealedColumn, SealedValue

SEALED: Final = (
    SealedColumn("child_keys", "key", "child_id"),
    SealedColumn("children", "medical_notes", "id", under_child_key=True),
    SealedColumn("audit_logs", "old_sealed", "id", under_child_key=True, is_append_only=True),
    SealedColumn("audit_logs", "new_sealed", "id", under_child_key=True, is_append_only=True),
    SealedColumn("second_factors", "seed", "user_id"),
    SealedColumn("second_factors", "pending_seed", "user_id"),
)

NOT_SEALED: Final[Mapping[str, str]] = {
    "api_keys.key_hash": "a digest under a key",
    "command_keys.body": "what the client was answered; nothing that is sealed elsewhere is in an answer",
    "command_keys.fingerprint": "a digest under a key",
    "imported_programmes.fingerprint": "a digest of what a publisher made public",
    "mail_tokens.token_hash": "a digest of 256 random bits",
    "recovery_codes.code_hash": "a digest of 125 random bits",
    "sign_in_challenges.token_hash": "a digest of 256 random bits",
    "user_sessions.token_hash": "a digest of 256 random bits",
}

# The rows' ids lead: a run that was interrupted steps over what it has moved by one
# comparison of five bytes each.
_WITHOUT: Final = SQL("""
    SELECT t.{row} AS row, t.{column} AS sealed, {key} AS key
      FROM {table} t
     WHERE t.{row} > %(after)s
       AND substring(t.{column} FROM 1 FOR length(%(mark)s::bytea)) <> %(mark)s
     ORDER BY t.{row}
     LIMIT %(limit)s
""")

_KEY_OF_CHILD: Final = SQL("(SELECT k.key FROM child_keys k WHERE k.child_id = t.{row})")

_COUNT_WITHOUT: Final = SQL("""
    SELECT count(*) FROM {table} WHERE substring({column} FROM 1 FOR length(%(mark)s::bytea)) <> %(mark)s
""")

_COUNT_BY_KEY: Final = SQL("""
    SELECT CASE WHEN substring({column} FROM 1 FOR 1) = %(under)s THEN %(under)s
                ELSE substring({column} FROM 1 FOR 5) END AS mark,
           count(*)
      FROM {table}
     WHERE {column} IS NOT NULL
     GROUP BY 1
""")

_HOLD: Final = SQL("""
    SELECT {row} FROM {table} WHERE {row} = ANY (%(rows)s) ORDER BY {row} FOR UPDATE SKIP LOCKED
""")

# Compare and set: who changed a value meanwhile has sealed it already, and who is about
# to holds its row.
_REPLACE: Final = SQL("""
    WITH free AS MATERIALIZED (
        SELECT t.{row} AS row, given.new
          FROM unnest(%(rows)s::uuid[], %(olds)s::bytea[], %(news)s::bytea[]) AS given (row, old, new)
          JOIN {table} t ON t.{row} = given.row AND t.{column} = given.old
         ORDER BY t.{row}
           FOR NO KEY UPDATE OF t SKIP LOCKED)
    UPDATE {table} t SET {column} = free.new FROM free WHERE t.{row} = free.row
""")


class PostgresSealedValues:
    """The columns of :data:`SEALED`."""

    columns: Sequence[SealedColumn] = SEALED

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def without(self, mark: bytes, *, column: SealedColumn, after: UUID, limit: int) -> Sequence[SealedValue]:
        values = {"mark": mark, "after": after, "limit": limit}
        with self._connection.cursor(row_factory=as_object(SealedValue)) as cursor:
            return cursor.execute(_on(column, _WITHOUT), values).fetchall()

    def count_without(self, mark: bytes, *, column: SealedColumn) -> int:
        found = self._connection.execute(_on(column, _COUNT_WITHOUT), {"mark": mark}).fetchone()
        return int(found[0]) if found else 0

    def count_by_key(self, column: SealedColumn, *, under: bytes) -> Mapping[bytes, int]:
        return dict(self._connection.execute(_on(column, _COUNT_BY_KEY), {"under": under}).fetchall())

    def hold(self, column: SealedColumn, rows: Sequence[UUID]) -> AbstractSet[UUID]:
        held = self._connection.execute(_on(column, _HOLD), {"rows": list(rows)}).fetchall()
        return {row for (row,) in held}

    def replace(self, column: SealedColumn, changes: Sequence[tuple[UUID, bytes, bytes]]) -> int:
        rows, olds, news = ([each[part] for each in changes] for part in range(3))
        values = {"rows": rows, "olds": olds, "news": news}
        return self._connection.execute(_on(column, _REPLACE), values).rowcount


def _on(column: SealedColumn, statement: SQL) -> Composed:
    row = Identifier(column.row)
    key = _KEY_OF_CHILD.format(row=row) if column.under_child_key else SQL("NULL::bytea")
    return statement.format(
        table=Identifier(column.table), column=Identifier(column.column), row=row, key=key
    )
