"""Children, their keys, and the consents given for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.types.json import Jsonb

from nexus.adapters.postgres.rows import as_object
from nexus.application.identity.ports import StoredChild
from nexus.application.kernel.vault import SealBroken
from nexus.domain.compliance.consent import ConsentRecord
from nexus.domain.kernel.ids import ChildId, UserId

ADD_CHILD: Final[LiteralString] = """
    INSERT INTO children (id, parent_id, corporate_id, first_name, date_of_birth, energy_level,
                          social_preference, interests, activities_to_avoid, accessibility_needs,
                          medical_notes, status, consents, created_at, version)
    VALUES (%(id)s, %(parent)s, %(company)s, %(first_name)s, %(date_of_birth)s, %(energy_level)s,
            %(social_preference)s, %(interests)s, %(activities_to_avoid)s, %(accessibility_needs)s,
            %(medical_notes)s, %(status)s, %(consents)s, %(created_at)s, %(version)s)
"""

_CHILD: Final[LiteralString] = """
    SELECT c.id, c.parent_id AS parent, c.corporate_id AS company, c.first_name, c.date_of_birth,
           c.energy_level, c.social_preference, c.interests, c.activities_to_avoid, c.accessibility_needs,
           c.medical_notes, k.key, c.status, c.consents, c.created_at, c.version
      FROM children c
      LEFT JOIN child_keys k ON k.child_id = c.id
"""

CHILDREN_OF_PARENT: Final[LiteralString] = (
    _CHILD + " WHERE c.parent_id = %(parent)s ORDER BY c.created_at, c.id"
)

FIND_CHILD: Final[LiteralString] = _CHILD + " WHERE c.id = %(child)s AND c.parent_id = %(parent)s"

LOCK_CHILD: Final[LiteralString] = """
    SELECT 1 FROM children WHERE id = %(child)s AND parent_id = %(parent)s FOR UPDATE
"""

SAVE_CHILD: Final[LiteralString] = """
    UPDATE children
       SET first_name = %(first_name)s, date_of_birth = %(date_of_birth)s,
           energy_level = %(energy_level)s, social_preference = %(social_preference)s,
           interests = %(interests)s, activities_to_avoid = %(activities_to_avoid)s,
           accessibility_needs = %(accessibility_needs)s, medical_notes = %(medical_notes)s,
           status = %(status)s, consents = %(consents)s, version = %(version)s
     WHERE id = %(id)s AND parent_id = %(parent)s
"""

APPEND_CONSENT: Final[LiteralString] = """
    INSERT INTO parental_consent_records (
           id, child_id, parent_id, purpose, given, text_version, method, evidence, recorded_at)
    VALUES (%(id)s, %(child)s, %(parent)s, %(purpose)s, %(given)s, %(text_version)s, %(method)s,
            %(evidence)s, %(recorded_at)s)
"""

CONSENT_HISTORY: Final[LiteralString] = """
    SELECT id, child_id AS child, parent_id AS parent, purpose, given, text_version, method, evidence,
           recorded_at
      FROM parental_consent_records
     WHERE child_id = %(child)s AND parent_id = %(parent)s
     ORDER BY position
"""


class PostgresChildren:
    """The table ``children``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, child: StoredChild) -> None:
        self._connection.execute(ADD_CHILD, _columns(child))

    def of(self, parent: UserId) -> Sequence[StoredChild]:
        with self._connection.cursor(row_factory=as_object(StoredChild)) as cursor:
            return cursor.execute(CHILDREN_OF_PARENT, {"parent": parent}).fetchall()

    def get(self, child: ChildId, *, parent: UserId) -> StoredChild | None:
        with self._connection.cursor(row_factory=as_object(StoredChild)) as cursor:
            return cursor.execute(FIND_CHILD, {"child": child, "parent": parent}).fetchone()

    def lock(self, child: ChildId, *, parent: UserId) -> StoredChild | None:
        # Two statements: after waiting for the lock one would pair the new row with the key of before.
        self._connection.execute(LOCK_CHILD, {"child": child, "parent": parent})
        return self.get(child, parent=parent)

    def save(self, child: StoredChild) -> None:
        self._connection.execute(SAVE_CHILD, _columns(child))


# The parent is taken from the child itself. A key that is there already stays, destroyed or not.
GIVE_KEY: Final[LiteralString] = """
    INSERT INTO child_keys (child_id, parent_id, key, created_at)
    SELECT id, parent_id, %(key)s, %(at)s FROM children WHERE id = %(child)s
    ON CONFLICT (child_id) DO NOTHING
"""

FIND_KEY: Final[LiteralString] = "SELECT key FROM child_keys WHERE child_id = %(child)s"


class PostgresChildKeys:
    """The table ``child_keys``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def give(self, child: ChildId, key: bytes, *, at: datetime) -> bytes:
        self._connection.execute(GIVE_KEY, {"child": child, "key": key, "at": at})
        found = self._connection.execute(FIND_KEY, {"child": child}).fetchone()
        if found is None or found[0] is None:
            raise SealBroken
        standing: bytes = found[0]
        return standing


class PostgresConsents:
    """The table ``parental_consent_records``, to which rows are only ever added."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, records: Sequence[ConsentRecord]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(
                APPEND_CONSENT,
                [
                    {
                        "id": record.id,
                        "child": record.child,
                        "parent": record.parent,
                        "purpose": record.purpose.value,
                        "given": record.given,
                        "text_version": record.text_version,
                        "method": record.method.value,
                        "evidence": Jsonb(dict(record.evidence)),
                        "recorded_at": record.recorded_at,
                    }
                    for record in records
                ],
            )

    def of(self, child: ChildId, *, parent: UserId) -> Sequence[ConsentRecord]:
        with self._connection.cursor(row_factory=as_object(ConsentRecord)) as cursor:
            return cursor.execute(CONSENT_HISTORY, {"child": child, "parent": parent}).fetchall()


def _columns(child: StoredChild) -> dict[str, Any]:
    return {
        "id": child.id,
        "parent": child.parent,
        "company": child.company,
        "first_name": child.first_name,
        "date_of_birth": child.date_of_birth,
        "energy_level": child.energy_level and child.energy_level.value,
        "social_preference": child.social_preference and child.social_preference.value,
        "interests": list(child.interests),
        "activities_to_avoid": list(child.activities_to_avoid),
        "accessibility_needs": list(child.accessibility_needs),
        "medical_notes": child.medical_notes,
        "status": child.status.value,
        "consents": sorted(str(purpose) for purpose in child.consents),
        "created_at": child.created_at,
        "version": child.version,
    }
