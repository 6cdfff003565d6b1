"""The platform's settings over time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.types.json import Jsonb

from nexus.adapters.postgres.rows import as_object
from nexus.application.platform.ports import Entry
from nexus.domain.kernel.ids import UserId
from nexus.domain.platform.settings import PlatformSettings, keys

KEYS: Final = f"{{{','.join(keys())}}}"
"""All that this version knows, as PostgreSQL writes an array: as a text it is handed over at no cost."""

SETTINGS_IN_FORCE: Final[LiteralString] = """
    SELECT DISTINCT ON (key) key, value
      FROM platform_settings
     WHERE effective_from <= %(instant)s
       AND key = ANY (%(keys)s::text[])
     ORDER BY key, effective_from DESC
"""

BROUGHT_ALONG: Final[LiteralString] = """
    (SELECT coalesce(jsonb_object_agg(f.key, f.value), '{}')
       FROM (SELECT DISTINCT ON (key) key, value
               FROM platform_settings
              WHERE effective_from <= %(at)s AND key = ANY (%(settings)s::text[])
              ORDER BY key, effective_from DESC) f)
"""
"""The settings in force, as a column of another statement."""

SETTINGS_SINCE: Final[LiteralString] = """
    SELECT key, value, effective_from, updated_by
      FROM platform_settings s
     WHERE effective_from >= coalesce(
               (SELECT max(effective_from)
                  FROM platform_settings
                 WHERE key = s.key AND effective_from <= %(since)s),
               '-infinity')
     ORDER BY key, effective_from
"""

CHANGE_SETTING: Final[LiteralString] = """
    INSERT INTO platform_settings (key, effective_from, value, updated_by)
    VALUES (%(key)s, %(effective_from)s, %(value)s, %(by)s)
    ON CONFLICT (key, effective_from)
    DO UPDATE SET value = excluded.value, updated_by = excluded.updated_by
"""


class PostgresSettings:
    """
    The table ``platform_settings``; names that this version does not know are left alone.

    Within a unit of work the settings of an instant are read once; who reads
    something else at that instant may bring them along.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read: dict[datetime, PlatformSettings] = {}

    def at(self, instant: datetime) -> PlatformSettings:
        if instant not in self._read:
            rows = self._connection.execute(SETTINGS_IN_FORCE, {"instant": instant, "keys": KEYS})
            self.brought(dict(rows.fetchall()), instant)
        return self._read[instant]

    def brought(self, stored: Mapping[str, Any], instant: datetime) -> None:
        """Settings that another statement of this unit of work has read, as they are stored."""
        self._read[instant] = PlatformSettings.of(stored)

    def history(self, *, since: datetime) -> list[Entry]:
        with self._connection.cursor(row_factory=as_object(Entry)) as cursor:
            return cursor.execute(SETTINGS_SINCE, {"since": since}).fetchall()

    def change(self, values: Mapping[str, Any], *, effective_from: datetime, by: UserId) -> None:
        self._read.clear()
        with self._connection.cursor() as cursor:
            cursor.executemany(
                CHANGE_SETTING,
                [
                    {"key": key, "value": Jsonb(value), "effective_from": effective_from, "by": by}
                    for key, value in sorted(values.items())
                ],
            )
