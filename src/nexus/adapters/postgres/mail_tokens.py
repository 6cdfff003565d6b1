"""Mailed links, and whom mails are for."""

from datetime import datetime
from typing import Final, LiteralString

from psycopg import Connection

from nexus.adapters.postgres.rows import as_object
from nexus.application.identity.mail_ports import Addressee
from nexus.domain.identity.mail import AccountMail
from nexus.domain.kernel.ids import UserId

_ADDRESSEE: Final[LiteralString] = """
    SELECT u.id AS user, u.email, u.first_name, u.last_name, coalesce(c.company_name, v.name) AS belongs_to,
           u.password_hash, u.email_verified_at
      FROM users u
      LEFT JOIN corporates c ON c.id = u.corporate_id
      LEFT JOIN venues v ON v.id = u.venue_id
"""

FIND_ADDRESSEE: Final[LiteralString] = _ADDRESSEE + "WHERE u.id = %(user)s AND u.is_active"

FIND_HOLDER: Final[LiteralString] = (
    _ADDRESSEE
    + """
      JOIN mail_tokens t ON t.user_id = u.id
     WHERE t.token_hash = %(token_hash)s
       AND t.purpose = %(purpose)s
       AND t.used_at IS NULL
       AND t.expires_at > %(at)s
       AND u.is_active
"""
)

REPLACE_LINK: Final[LiteralString] = """
    INSERT INTO mail_tokens (user_id, purpose, token_hash, created_at, expires_at)
    VALUES (%(user)s, %(purpose)s, %(token_hash)s, %(at)s, %(until)s)
    ON CONFLICT (user_id, purpose) DO UPDATE
       SET token_hash = EXCLUDED.token_hash, created_at = EXCLUDED.created_at,
           expires_at = EXCLUDED.expires_at, used_at = NULL
"""

USE_LINK: Final[LiteralString] = """
    UPDATE mail_tokens t
       SET used_at = %(at)s
      FROM users u
     WHERE t.token_hash = %(token_hash)s
       AND t.purpose = %(purpose)s
       AND t.used_at IS NULL
       AND t.expires_at > %(at)s
       AND u.id = t.user_id
       AND u.is_active
    RETURNING t.user_id
"""

VOID_LINKS: Final[LiteralString] = """
    UPDATE mail_tokens SET used_at = %(at)s WHERE user_id = %(user)s AND used_at IS NULL
"""

VERIFY_EMAIL: Final[LiteralString] = """
    UPDATE users
       SET email_verified_at = %(at)s
     WHERE id = %(user)s AND email = %(email)s::citext AND email_verified_at IS NULL
"""


class PostgresMailTokens:
    """The table ``mail_tokens``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def addressee(self, user: UserId) -> Addressee | None:
        with self._connection.cursor(row_factory=as_object(Addressee)) as cursor:
            return cursor.execute(FIND_ADDRESSEE, {"user": user}).fetchone()

    def replace(
        self, user: UserId, purpose: AccountMail, token_hash: bytes, *, at: datetime, until: datetime
    ) -> None:
        values = {"user": user, "purpose": purpose.value, "token_hash": token_hash, "at": at, "until": until}
        self._connection.execute(REPLACE_LINK, values)

    def holder(self, token_hash: bytes, purpose: AccountMail, *, at: datetime) -> Addressee | None:
        values = {"token_hash": token_hash, "purpose": purpose.value, "at": at}
        with self._connection.cursor(row_factory=as_object(Addressee)) as cursor:
            return cursor.execute(FIND_HOLDER, values).fetchone()

    def use(self, token_hash: bytes, purpose: AccountMail, *, at: datetime) -> UserId | None:
        values = {"token_hash": token_hash, "purpose": purpose.value, "at": at}
        row = self._connection.execute(USE_LINK, values).fetchone()
        return UserId(row[0]) if row else None

    def void(self, user: UserId, *, at: datetime) -> None:
        self._connection.execute(VOID_LINKS, {"user": user, "at": at})

    def verify(self, user: UserId, email: str, *, at: datetime) -> None:
        self._connection.execute(VERIFY_EMAIL, {"user": user, "email": email, "at": at})
