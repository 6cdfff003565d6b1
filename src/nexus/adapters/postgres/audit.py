"""The audit log: adding to it, reading it, and the months that it consists of."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID, uuid4

from attrs import asdict
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from nexus.adapters.postgres.rows import as_object, to_object
from nexus.application.compliance.ports import AuditFilter
from nexus.application.compliance.views import AuditEntry, SealedEntry
from nexus.application.kernel.audit import Doer
from nexus.application.kernel.caller import caller
from nexus.domain.compliance.audit import Deed

ADD_ENTRIES: Final[LiteralString] = """
    INSERT INTO audit_logs (id, action_category, action_type, severity, entity_type, entity_id,
                            cause, user_id, role, api_key_id, session_id, corporate_id, venue_id,
                            ip_address, request_id, old_values, new_values, old_sealed, new_sealed)
    SELECT d.id, d.category, d.action, d.severity, d.entity_type, d.entity,
           %(cause)s, d.by, %(role)s, %(key)s, %(session)s, d.company, d.venue,
           %(address)s, %(request_id)s, d.old, d.new, d.old_sealed, d.new_sealed
      FROM unnest(%(ids)s::uuid[], %(categories)s::text[], %(actions)s::text[], %(severities)s::text[],
                  %(entity_types)s::text[], %(entities)s::uuid[], %(companies)s::uuid[], %(venues)s::uuid[],
                  %(olds)s::jsonb[], %(news)s::jsonb[], %(olds_sealed)s::bytea[], %(news_sealed)s::bytea[],
                  %(doers)s::uuid[])
           AS d (id, category, action, severity, entity_type, entity, company, venue,
                 old, new, old_sealed, new_sealed, by)
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


def page_statement(*stated: str) -> LiteralString:
    """The statement for a page under these conditions; their names are those of ``AuditFilter``, and ``after``."""
    where: LiteralString = " AND ".join(_CONDITIONS[name] for name in stated) or "true"
    return (
        "SELECT" + _COLUMNS + "FROM audit_logs WHERE " + where + " "
        "ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
    )


class PostgresAudit:
    """The table ``audit_logs``. Row-level security lets everybody add to it and the platform read it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, *deeds: Deed) -> None:
        if deeds:
            self._connection.execute(ADD_ENTRIES, _rows(deeds, Doer.of(caller.get())))

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


def _rows(deeds: Sequence[Deed], doer: Doer) -> dict[str, Any]:
    """The columns of these entries, as arrays."""
    sealed = [deed.sealed for deed in deeds]
    return {
        "cause": doer.cause,
        "role": doer.role,
        "key": doer.key,
        "session": doer.session,
        "address": doer.address,
        "request_id": doer.request_id,
        "ids": [uuid4() if each is None else each.entry for each in sealed],
        "categories": [deed.action.category for deed in deeds],
        "actions": [deed.action.label for deed in deeds],
        "severities": [deed.action.severity for deed in deeds],
        "entity_types": [deed.action.entity for deed in deeds],
        "entities": [deed.entity for deed in deeds],
        "companies": [deed.company or doer.company for deed in deeds],
        "venues": [deed.venue or doer.venue for deed in deeds],
        "olds": [None if deed.old is None else Jsonb(deed.old) for deed in deeds],
        "news": [None if deed.new is None else Jsonb(deed.new) for deed in deeds],
        "olds_sealed": [None if each is None else each.old for each in sealed],
        "news_sealed": [None if each is None else each.new for each in sealed],
        "doers": [deed.by or doer.user for deed in deeds],
    }


class PostgresAuditMonths:
    """The partitions of ``audit_logs``; the application owns none and asks a function of the owner."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, retention: timedelta) -> Sequence[tuple[str, str]]:
        return self._connection.execute(KEEP_MONTHS, {"days": retention.days}).fetchall()
