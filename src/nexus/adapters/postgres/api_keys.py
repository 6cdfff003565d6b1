"""API keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString, TypeVar

from psycopg import Connection
from psycopg.rows import dict_row

from nexus.adapters.postgres.rows import as_object
from nexus.application.kernel.actor import Actor
from nexus.application.platform.api_key_ports import AnyKeyView, KeyView, Newest, StoredKey, Use
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import ApiKeyId
from nexus.domain.kernel.networks import address
from nexus.domain.platform.api_keys import ApiKey, KeyType

V = TypeVar("V", bound=KeyView)

ADD_KEY: Final[LiteralString] = """
    INSERT INTO api_keys (id, user_id, role, corporate_id, venue_id, name, description, key_type,
                          key_prefix, key_hash, scopes, rate_limit_per_minute, rate_limit_per_day,
                          allowed_networks, created_at, expires_at, replaces)
    VALUES (%(id)s, %(user)s, %(role)s, %(company)s, %(venue)s, %(name)s, %(description)s, %(key_type)s,
            %(prefix)s, %(digest)s, %(scopes)s, %(per_minute)s, %(per_day)s,
            %(networks)s::cidr[], %(created_at)s, %(expires_at)s, %(replaces)s)
"""

CHANGE_KEY: Final[LiteralString] = """
    UPDATE api_keys
       SET expires_at = %(expires_at)s, revoked_at = %(revoked_at)s, revoked_by = %(revoked_by)s,
           revoke_reason = %(revoke_reason)s
     WHERE id = %(id)s
"""

RENEW_DIGEST: Final[LiteralString] = "UPDATE api_keys SET key_hash = %(digest)s WHERE id = %(id)s"

_COLUMNS: Final[LiteralString] = """
    SELECT k.id, k.key_prefix AS prefix, k.name, k.description, k.key_type, k.scopes,
           k.rate_limit_per_minute AS per_minute, k.rate_limit_per_day AS per_day,
           k.allowed_networks AS networks, k.created_at, k.expires_at, k.replaces,
           k.revoked_at, k.revoked_by, k.revoke_reason,
           k.key_hash AS digest, k.user_id AS owner, k.role, k.corporate_id AS company, k.venue_id AS venue
      FROM api_keys k
"""

_IS_OWNED: Final[LiteralString] = """
    u.is_active
       AND (u.left_at IS NULL OR u.left_at > %(at)s)
       AND u.role = k.role
       AND u.corporate_id IS NOT DISTINCT FROM k.corporate_id
       AND u.venue_id IS NOT DISTINCT FROM k.venue_id
"""
"""The account still is what it was when it made the key."""

_IS_MINE: Final[LiteralString] = """
    k.user_id = %(user)s
       AND k.role = %(role)s
       AND k.corporate_id IS NOT DISTINCT FROM %(company)s::uuid
       AND k.venue_id IS NOT DISTINCT FROM %(venue)s::uuid
"""

FIND_KEY: Final[LiteralString] = f"""
    {_COLUMNS}
      JOIN users u ON u.id = k.user_id
     WHERE k.key_prefix = %(prefix)s
       AND k.revoked_at IS NULL
       AND k.expires_at > %(at)s
       AND {_IS_OWNED}
"""

HOLD_ACCOUNT: Final[LiteralString] = "SELECT FROM users WHERE id = %(user)s FOR NO KEY UPDATE"

COUNT_LIVE_KEYS: Final[LiteralString] = f"""
    SELECT count(*)
      FROM api_keys k
     WHERE {_IS_MINE}
       AND k.revoked_at IS NULL
       AND k.expires_at > %(at)s
"""

LOCK_KEY: Final[LiteralString] = f"""
    {_COLUMNS}
     WHERE k.id = %(id)s
       AND {_IS_MINE}
       FOR NO KEY UPDATE
"""

LOCK_ANY_KEY: Final[LiteralString] = f"""
    {_COLUMNS}
     WHERE k.id = %(id)s
       FOR NO KEY UPDATE
"""

FIND_SUCCESSOR: Final[LiteralString] = "SELECT id FROM api_keys WHERE replaces = %(id)s"

_VIEW: Final[LiteralString] = f"""
           k.id, k.key_prefix AS prefix, k.name, k.description, k.key_type,
           (SELECT array_agg(s ORDER BY s COLLATE "C") FROM unnest(k.scopes) s) AS scopes,
           k.rate_limit_per_minute, k.rate_limit_per_day,
           k.allowed_networks::text[] AS allowed_networks, k.created_at, k.expires_at,
           CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked'
                WHEN k.expires_at <= %(at)s THEN 'expired'
                WHEN {_IS_OWNED} THEN 'active'
                ELSE 'ownerless' END AS state,
           k.replaces, (SELECT id FROM api_keys WHERE replaces = k.id) AS replaced_by,
           k.revoked_at, k.revoke_reason, k.total_requests, k.last_used_at,
           host(k.last_used_ip) AS last_used_address
"""

_ANY_VIEW: Final[LiteralString] = f"""
    SELECT {_VIEW},
           k.user_id AS owner_id, u.email AS owner_email, k.role,
           k.corporate_id AS company_id, k.venue_id, k.revoked_by
      FROM api_keys k
      JOIN users u ON u.id = k.user_id
"""

SHOW_KEY: Final[LiteralString] = f"""
    SELECT {_VIEW}
      FROM api_keys k
      JOIN users u ON u.id = k.user_id
     WHERE k.id = %(id)s
       AND {_IS_MINE}
"""

SHOW_ANY_KEY: Final[LiteralString] = f"""
    {_ANY_VIEW}
     WHERE k.id = %(id)s
"""

LIST_KEYS: Final[LiteralString] = f"""
    SELECT {_VIEW}
      FROM api_keys k
      JOIN users u ON u.id = k.user_id
     WHERE {_IS_MINE}
       AND (%(after_at)s::timestamptz IS NULL
            OR (k.created_at, k.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid))
     ORDER BY k.created_at DESC, k.id DESC
     LIMIT %(limit)s
"""

SEARCH_KEYS: Final[LiteralString] = f"""
    {_ANY_VIEW}
     WHERE (%(prefix)s::text IS NULL OR starts_with(k.key_prefix, %(prefix)s::text))
       AND (%(email)s::citext IS NULL OR u.email = %(email)s::citext)
       AND (%(after_at)s::timestamptz IS NULL
            OR (k.created_at, k.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid))
     ORDER BY k.created_at DESC, k.id DESC
     LIMIT %(limit)s
"""

NOTE_USES: Final[LiteralString] = """
    UPDATE api_keys k
       SET total_requests = k.total_requests + n.times,
           last_used_ip = CASE WHEN k.last_used_at > n.last_at THEN k.last_used_ip ELSE n.address END,
           last_used_at = greatest(k.last_used_at, n.last_at)
      FROM unnest(%(ids)s::uuid[], %(times)s::bigint[], %(last_at)s::timestamptz[], %(addresses)s::inet[])
               AS n (id, times, last_at, address)
     WHERE k.id = n.id
"""


class PostgresApiKeys:
    """The table ``api_keys``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, stored: StoredKey) -> None:
        key = stored.key
        self._connection.execute(
            ADD_KEY,
            {
                "id": key.id,
                "user": stored.owner,
                "role": stored.role.value,
                "company": stored.company,
                "venue": stored.venue,
                "name": key.name,
                "description": key.description,
                "key_type": key.key_type.value,
                "prefix": key.prefix,
                "digest": stored.digest,
                "scopes": sorted(key.scopes),
                "per_minute": key.per_minute,
                "per_day": key.per_day,
                "networks": [str(each) for each in key.networks],
                "created_at": key.created_at,
                "expires_at": key.expires_at,
                "replaces": key.replaces,
            },
        )

    def change(self, key: ApiKey) -> None:
        self._connection.execute(
            CHANGE_KEY,
            {
                "id": key.id,
                "expires_at": key.expires_at,
                "revoked_at": key.revoked_at,
                "revoked_by": key.revoked_by,
                "revoke_reason": key.revoke_reason,
            },
        )

    def renew(self, key: ApiKeyId, digest: bytes) -> None:
        self._connection.execute(RENEW_DIGEST, {"id": key, "digest": digest})

    def find(self, prefix: str, *, at: datetime) -> StoredKey | None:
        return self._stored(FIND_KEY, {"prefix": prefix, "at": at})

    def hold(self, owner: Actor) -> None:
        self._connection.execute(HOLD_ACCOUNT, {"user": owner.user})

    def count_live(self, owner: Actor, *, at: datetime) -> int:
        counted = self._connection.execute(COUNT_LIVE_KEYS, _mine(owner) | {"at": at}).fetchone()
        return 0 if counted is None else int(counted[0])

    def lock(self, key: ApiKeyId, *, owner: Actor) -> StoredKey | None:
        return self._stored(LOCK_KEY, _mine(owner) | {"id": key})

    def lock_any(self, key: ApiKeyId) -> StoredKey | None:
        return self._stored(LOCK_ANY_KEY, {"id": key})

    def successor(self, key: ApiKeyId) -> ApiKeyId | None:
        found = self._connection.execute(FIND_SUCCESSOR, {"id": key}).fetchone()
        return None if found is None else ApiKeyId(found[0])

    def show(self, key: ApiKeyId, *, owner: Actor, at: datetime) -> KeyView | None:
        found = self._views(SHOW_KEY, KeyView, _mine(owner) | {"id": key, "at": at})
        return found[0] if found else None

    def show_any(self, key: ApiKeyId, *, at: datetime) -> AnyKeyView | None:
        found = self._views(SHOW_ANY_KEY, AnyKeyView, {"id": key, "at": at})
        return found[0] if found else None

    def page(self, *, owner: Actor, at: datetime, after: Newest | None, limit: int) -> Sequence[KeyView]:
        return self._views(LIST_KEYS, KeyView, _mine(owner) | _place(after) | {"at": at, "limit": limit})

    def search(
        self,
        *,
        prefix: str | None,
        email: str | None,
        at: datetime,
        after: Newest | None,
        limit: int,
    ) -> Sequence[AnyKeyView]:
        asked = {"prefix": prefix, "email": email, "at": at, "limit": limit}
        return self._views(SEARCH_KEYS, AnyKeyView, asked | _place(after))

    def used(self, uses: Mapping[ApiKeyId, Use]) -> None:
        # In the order of their ids, so that two processes lock them in one order.
        in_order = sorted(uses.items())
        addresses = (address(use.last_address) for _, use in in_order)
        self._connection.execute(
            NOTE_USES,
            {
                "ids": [key for key, _ in in_order],
                "times": [use.times for _, use in in_order],
                "last_at": [use.last_at for _, use in in_order],
                "addresses": [None if each is None else str(each) for each in addresses],
            },
        )

    def _stored(self, statement: LiteralString, asked: Mapping[str, Any]) -> StoredKey | None:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(statement, asked).fetchone()
        if row is None:
            return None
        bound = {name: row.pop(name) for name in ("digest", "owner", "role", "company", "venue")}
        row |= {
            "key_type": KeyType(row["key_type"]),
            "scopes": frozenset(row["scopes"]),
            "networks": tuple(row["networks"]),
        }
        return StoredKey(key=ApiKey(**row), **(bound | {"role": Role(bound["role"])}))

    def _views(self, statement: LiteralString, cls: type[V], asked: Mapping[str, Any]) -> list[V]:
        with self._connection.cursor(row_factory=as_object(cls)) as cursor:
            return cursor.execute(statement, asked).fetchall()


def _mine(owner: Actor) -> dict[str, Any]:
    return {
        "user": owner.user,
        "role": owner.role.value,
        "company": owner.company,
        "venue": owner.venue,
    }


def _place(after: Newest | None) -> dict[str, Any]:
    return {"after_at": after and after[0], "after_id": after and after[1]}
