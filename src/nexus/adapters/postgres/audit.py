"""The audit log: adding to it, reading it, and the months that it consists of."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

from attrs import asdict
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from uuid_utils.compat import uuid7

from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.rows import as_object, to_object
from nexus.application.compliance.ports import AuditFilter
from nexus.application.compliance.views import AuditEntry, SealedEntry
from nexus.application.kernel.audit import Doer
from nexus.application.kernel.caller import caller
from nexus.domain.compliance.audit import Deed

ADD_ENTRY: Final[LiteralString] = """
    INSERT INTO audit_logs (id, action_category, action_type, severity, entity_type, entity_id,
                            cause, user_id, role, api_key_id, session_id, corporate_id, venue_id,
                            ip_address, request_id, old_values, new_values, old_sealed, new_sealed)
    VALUES (%(id)s, %(category)s, %(action)s, %(severity)s, %(entity_type)s, %(entity)s,
            %(cause)s, %(user)s, %(role)s, %(key)s, %(session)s, %(company)s, %(venue)s,
            %(address)s, %(request_id)s, %(old)s, %(new)s, %(old_sealed)s, %(new_sealed)s)
"""

_COLUMNS: Final[LiteralString] = """
           id, created_at AS at, action_type AS action, action_category AS category, severity,
           entity_type, entity_id AS entity, cause, user_id AS user, role, api_key_id AS api_key,
           session_id AS session, corporate_id AS company, venue_id AS venue,
           host(ip_address) AS address, request_id, old_values AS old, new_values AS new,
           old_sealed IS NOT NULL OR new_sealed IS NOT NULL AS is_sealed
"""

_CONDITIONS: Final[dict[str, LiteralString]] = {
    "user": "user_id = %(user)s",
    "action": "action_type = %(action)s",
    "category": "action_category = %(category)s",
    "severity": "severity = %(severity)s",
    "cause": "cause = %(cause)s",
    "entity_type": "entity_type = %(entity_type)s",
    "entity": "entity_id = %(entity)s",
    "company": "corporate_id = %(company)s",
    "venue": "venue_id = %(venue)s",
    "request_id": "request_id = %(request_id)s",
    "since": "created_at >= %(since)s",
    "until": "created_at < %(until)s",
    # The bare comparison is implied; it alone lets whole months be left out.
    "after": "created_at <= %(after_at)s AND (created_at, id) < (%(after_at)s, %(after_id)s)",
}

SHOW_ENTRY: Final[LiteralString] = (
    "SELECT" + _COLUMNS + ", old_sealed, new_sealed FROM audit_logs WHERE id = %(id)s"
)

KEEP_MONTHS: Final[LiteralString] = "SELECT change, month FROM keep_audit_months(%(days)s)"

FAULTY_MONTHS: Final[LiteralString] = """
    WITH months AS (
        SELECT c.oid, c.relname, c.relrowsecurity AND c.relforcerowsecurity AS is_walled
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'audit_logs'::regclass
    )
    SELECT 'audit_logs_' || to_char(now() AT TIME ZONE 'UTC' + n * interval '1 month', 'YYYY_MM') AS month,
           'missing' AS fault
      FROM generate_series(0, 1) n
     WHERE NOT EXISTS (
           SELECT FROM months
            WHERE relname = 'audit_logs_'
                            || to_char(now() AT TIME ZONE 'UTC' + n * interval '1 month', 'YYYY_MM'))
     UNION ALL
    SELECT m.relname, 'not guarded'
      FROM months m
     WHERE NOT m.is_walled
        OR has_table_privilege('nexus_app', m.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
        OR 2 <> (SELECT count(*) FROM pg_trigger g
                  WHERE g.tgrelid = m.oid AND g.tgenabled = 'A'
                    AND g.tgname IN ('audit_logs_append_only', 'never_truncated'))
"""
"""Months that should be there and are not, and those that are not guarded like the whole."""


def page_statement(*stated: str) -> LiteralString:
    """The statement for a page under these conditions; their names are those of ``AuditFilter``, and ``after``."""
    where: LiteralString = " AND ".join(_CONDITIONS[name] for name in stated) or "true"
    return (
        "SELECT" + _COLUMNS + "FROM audit_logs WHERE " + where + " "
        "ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
    )


class PostgresAudit:
    """
    The table ``audit_logs``. Row-level security lets everybody add to it and the platform read it.

    An entry goes out with the next statement or the commit.
    """

    def __init__(self, connection: WalledConnection) -> None:
        self._connection = connection

    def add(self, *deeds: Deed) -> None:
        doer = Doer.of(caller.get())
        for deed in deeds:
            self._connection.later(ADD_ENTRY, _row(deed, doer))

    def page(
        self, wanted: AuditFilter, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[AuditEntry]:
        stated: dict[str, Any] = {name: value for name, value in asdict(wanted).items() if value is not None}
        names = [*stated]
        if after is not None:
            names.append("after")
            stated |= {"after_at": after[0], "after_id": after[1]}
        with self._connection.cursor(row_factory=as_object(AuditEntry)) as cursor:
            return cursor.execute(page_statement(*names), stated | {"limit": limit}).fetchall()

    def get(self, entry: UUID) -> SealedEntry | None:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(SHOW_ENTRY, {"id": entry}).fetchone()
        if row is None:
            return None
        old, new = row.pop("old_sealed"), row.pop("new_sealed")
        return SealedEntry(entry=to_object(row, AuditEntry), old_sealed=old, new_sealed=new)


def _row(deed: Deed, doer: Doer) -> dict[str, Any]:
    """The columns of an entry."""
    action, sealed = deed.action, deed.sealed
    return {
        # By time: entries of a moment share a page of the index, and a page is written to the log
        # once after a checkpoint, not for each entry.
        "id": uuid7() if sealed is None else sealed.entry,
        "category": action.category.value,
        "action": action.label,
        "severity": action.severity.value,
        "entity_type": action.entity.value,
        "entity": deed.entity,
        "cause": doer.cause.value,
        "user": deed.by or doer.user,
        "role": None if doer.role is None else doer.role.value,
        "key": doer.key,
        "session": doer.session,
        "company": deed.company or doer.company,
        "venue": deed.venue or doer.venue,
        "address": doer.address,
        "request_id": doer.request_id,
        "old": None if deed.old is None else Jsonb(deed.old),
        "new": None if deed.new is None else Jsonb(deed.new),
        "old_sealed": None if sealed is None else sealed.old,
        "new_sealed": None if sealed is None else sealed.new,
    }


class PostgresAuditMonths:
    """The partitions of ``audit_logs``; the application owns none and asks a function of the owner."""

    def __init__(self, connection: WalledConnection) -> None:
        self._connection = connection

    def keep(self, retention: timedelta) -> Sequence[tuple[str, str]]:
        return self._connection.execute(KEEP_MONTHS, {"days": retention.days}).fetchall()
