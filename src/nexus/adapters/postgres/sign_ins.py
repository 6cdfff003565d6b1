"""Sign-ins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, LiteralString

from nexus.adapters.postgres.connection import WalledConnection
from nexus.adapters.postgres.rows import as_object
from nexus.application.identity.ports import SignInEntry
from nexus.application.kernel.actor import Actor
from nexus.domain.identity.sessions import SEEN_EVERY, SignedIn
from nexus.domain.kernel.ids import UserId
from nexus.domain.platform.settings import DEFAULTS

ADD_SIGN_IN: Final[LiteralString] = """
    INSERT INTO user_sessions (token_hash, id, user_id, created_at, last_seen_at, expires_at, idle_limit,
                               is_remembered, has_second_factor, address, device)
    VALUES (%(token_hash)s, %(id)s, %(user)s, %(created_at)s, %(created_at)s, %(expires_at)s, %(idle_limit)s,
            %(is_remembered)s, %(has_second_factor)s, %(address)s, %(device)s)
"""

# Whose token it is and the note that it is in use are one statement, and so one round trip. Should the
# server's machine fail, nobody minds having been seen half a second less: the note waits for no disk.
RECOGNISE: Final[LiteralString] = """
    WITH known AS MATERIALIZED (
        SELECT u.id AS user, e.role, u.corporate_id AS company, u.venue_id AS venue, s.id::text AS session,
               NOT s.has_second_factor
               AND coalesce((SELECT f.value ? e.role
                               FROM platform_settings f
                              WHERE f.key = 'second_factor_required_roles' AND f.effective_from <= %(at)s
                              ORDER BY f.effective_from DESC
                              LIMIT 1),
                            e.role = ANY (%(required)s::text[])) AS is_restricted,
               s.last_seen_at <= %(unnoted)s AND set_config('synchronous_commit', 'off', true) = 'off' AS is_news
          FROM user_sessions s
          JOIN users u ON u.id = s.user_id
         CROSS JOIN LATERAL (
                   SELECT CASE WHEN u.role = 'hr_admin' AND u.left_at <= %(at)s
                               THEN 'parent' ELSE u.role END AS role
               ) e
         WHERE s.token_hash = %(token_hash)s
           AND s.revoked_at IS NULL
           AND s.expires_at > %(at)s
           AND s.last_seen_at + s.idle_limit > %(at)s
           AND u.is_active
    ), seen AS (
        UPDATE user_sessions
           SET last_seen_at = %(at)s
         WHERE token_hash = %(token_hash)s AND revoked_at IS NULL AND last_seen_at <= %(unnoted)s
           AND (SELECT is_news FROM known)
    )
    SELECT "user", role, company, venue, session, is_restricted FROM known
"""

FIND_SIGN_IN: Final[LiteralString] = """
    SELECT id::text, user_id AS user, created_at, expires_at, idle_limit, is_remembered, has_second_factor,
           address, device
      FROM user_sessions
     WHERE id = %(id)s AND user_id = %(user)s
"""

LIST_SIGN_INS: Final[LiteralString] = """
    SELECT id, created_at, last_seen_at, expires_at, is_remembered, has_second_factor, address, device
      FROM user_sessions
     WHERE user_id = %(user)s
       AND revoked_at IS NULL
       AND expires_at > %(at)s
       AND last_seen_at + idle_limit > %(at)s
     ORDER BY created_at DESC, id
"""

END_SIGN_IN: Final[LiteralString] = """
    UPDATE user_sessions
       SET revoked_at = %(at)s
     WHERE id = %(id)s AND user_id = %(user)s AND revoked_at IS NULL
"""

END_SIGN_INS: Final[LiteralString] = """
    UPDATE user_sessions
       SET revoked_at = %(at)s
     WHERE user_id = %(user)s
       AND revoked_at IS NULL
       AND id IS DISTINCT FROM %(but)s::uuid
    RETURNING id::text
"""


_REQUIRED: Final = f"{{{','.join(DEFAULTS.second_factor_required_roles)}}}"
"""As PostgreSQL writes an array."""


class PostgresSignIns:
    """The table ``user_sessions``."""

    def __init__(self, connection: WalledConnection) -> None:
        self._connection = connection

    def add(self, token_hash: bytes, signed_in: SignedIn) -> None:
        self._connection.execute(
            ADD_SIGN_IN,
            {
                "token_hash": token_hash,
                "id": signed_in.id,
                "user": signed_in.user,
                "created_at": signed_in.created_at,
                "expires_at": signed_in.expires_at,
                "idle_limit": signed_in.idle_limit,
                "is_remembered": signed_in.is_remembered,
                "has_second_factor": signed_in.has_second_factor,
                "address": signed_in.address,
                "device": signed_in.device,
            },
        )

    def recognise(self, token_hash: bytes, *, at: datetime) -> Actor | None:
        values = {
            "token_hash": token_hash,
            "at": at,
            "unnoted": at - SEEN_EVERY,
            "required": _REQUIRED,
        }
        with self._connection.cursor(row_factory=as_object(Actor)) as cursor:
            return cursor.execute(RECOGNISE, values).fetchone()

    def get(self, sign_in: str, *, user: UserId) -> SignedIn | None:
        with self._connection.cursor(row_factory=as_object(SignedIn)) as cursor:
            return cursor.execute(FIND_SIGN_IN, {"id": sign_in, "user": user}).fetchone()

    def of(self, user: UserId, *, at: datetime) -> Sequence[SignInEntry]:
        with self._connection.cursor(row_factory=as_object(SignInEntry)) as cursor:
            return cursor.execute(LIST_SIGN_INS, {"user": user, "at": at}).fetchall()

    def end(self, sign_in: str, user: UserId, *, at: datetime) -> None:
        self._connection.execute(END_SIGN_IN, {"id": sign_in, "user": user, "at": at})

    def end_all(self, user: UserId, *, at: datetime, but: str | None = None) -> frozenset[str]:
        rows = self._connection.execute(END_SIGN_INS, {"user": user, "at": at, "but": but}).fetchall()
        return frozenset(ended for (ended,) in rows)
