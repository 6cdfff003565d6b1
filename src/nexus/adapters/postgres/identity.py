"""Accounts and sign-ins."""

from datetime import datetime
from typing import Final, LiteralString

from psycopg import Connection

from nexus.adapters.postgres.rows import as_object
from nexus.application.identity.ports import Credentials
from nexus.application.identity.views import Me
from nexus.application.kernel.actor import Actor
from nexus.domain.identity.credentials import SignedIn
from nexus.domain.identity.people import EmailTaken, Person
from nexus.domain.kernel.ids import CompanyId, UserId, VenueId

FIND_CREDENTIALS: Final[LiteralString] = """
    SELECT id AS user, password_hash, is_active
      FROM users
     WHERE email = %(email)s::citext
"""

SHOW_ME: Final[LiteralString] = """
    SELECT u.id, u.email, u.role, u.first_name, u.last_name,
           u.corporate_id AS company, c.company_name, u.venue_id AS venue, v.name AS venue_name,
           u.timezone AS time_zone, u.joined_at
      FROM users u
      LEFT JOIN corporates c ON c.id = u.corporate_id
      LEFT JOIN venues v ON v.id = u.venue_id
     WHERE u.id = %(user)s
"""

ADD_USER: Final[LiteralString] = """
    INSERT INTO users (id, email, password_hash, role, first_name, last_name, phone, department,
                       corporate_id, venue_id, timezone, monthly_credits, is_active, joined_at, left_at)
    VALUES (%(id)s, %(email)s, %(password_hash)s, %(role)s, %(first_name)s, %(last_name)s, %(phone)s,
            %(department)s, %(company)s, %(venue)s, %(time_zone)s, %(monthly_credits)s, %(is_active)s,
            %(joined_at)s, %(left_at)s)
    ON CONFLICT (email) DO NOTHING
"""

REHASH: Final[LiteralString] = """
    UPDATE users SET password_hash = %(password_hash)s WHERE id = %(user)s
"""

HAS_VENUE: Final[LiteralString] = "SELECT FROM venues WHERE id = %(venue)s"

COUNT_SEATS_TAKEN: Final[LiteralString] = """
    SELECT count(*)
      FROM users
     WHERE corporate_id = %(company)s
       AND is_active
       AND (left_at IS NULL OR left_at > %(at)s)
"""

ADD_SIGN_IN: Final[LiteralString] = """
    INSERT INTO user_sessions (token_hash, id, user_id, created_at, expires_at)
    VALUES (%(token_hash)s, %(id)s, %(user)s, %(created_at)s, %(expires_at)s)
"""

SIGNED_IN_ACTOR: Final[LiteralString] = """
    SELECT u.id AS user, u.role, u.corporate_id AS company, u.venue_id AS venue, s.id::text AS session
      FROM user_sessions s
      JOIN users u ON u.id = s.user_id
     WHERE s.token_hash = %(token_hash)s
       AND s.revoked_at IS NULL
       AND s.expires_at > %(at)s
       AND u.is_active
"""

END_SIGN_IN: Final[LiteralString] = """
    UPDATE user_sessions
       SET revoked_at = %(at)s
     WHERE id = %(id)s AND user_id = %(user)s AND revoked_at IS NULL
"""


class PostgresAccounts:
    """The table ``users``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def credentials(self, email: str) -> Credentials | None:
        with self._connection.cursor(row_factory=as_object(Credentials)) as cursor:
            return cursor.execute(FIND_CREDENTIALS, {"email": email}).fetchone()

    def me(self, user: UserId) -> Me | None:
        with self._connection.cursor(row_factory=as_object(Me)) as cursor:
            return cursor.execute(SHOW_ME, {"user": user}).fetchone()

    def add(
        self, person: Person, *, password_hash: str | None, department: str | None, phone: str | None
    ) -> None:
        added = self._connection.execute(
            ADD_USER,
            {
                "id": person.id,
                "email": person.email,
                "password_hash": password_hash,
                "role": person.role.value,
                "first_name": person.first_name,
                "last_name": person.last_name,
                "phone": phone,
                "department": department,
                "company": person.company,
                "venue": person.venue,
                "time_zone": person.time_zone,
                "monthly_credits": person.monthly_credits,
                "is_active": person.is_active,
                "joined_at": person.joined_at,
                "left_at": person.left_at,
            },
        )
        if not added.rowcount:
            raise EmailTaken

    def rehash(self, user: UserId, password_hash: str) -> None:
        self._connection.execute(REHASH, {"user": user, "password_hash": password_hash})

    def has_venue(self, venue: VenueId) -> bool:
        return self._connection.execute(HAS_VENUE, {"venue": venue}).rowcount > 0

    def seats_taken(self, company: CompanyId, *, at: datetime) -> int:
        counted = self._connection.execute(COUNT_SEATS_TAKEN, {"company": company, "at": at}).fetchone()
        return 0 if counted is None else int(counted[0])


class PostgresSignIns:
    """The table ``user_sessions``."""

    def __init__(self, connection: Connection) -> None:
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
            },
        )

    def actor(self, token_hash: bytes, *, at: datetime) -> Actor | None:
        with self._connection.cursor(row_factory=as_object(Actor)) as cursor:
            return cursor.execute(SIGNED_IN_ACTOR, {"token_hash": token_hash, "at": at}).fetchone()

    def end(self, sign_in: str, user: UserId, *, at: datetime) -> None:
        self._connection.execute(END_SIGN_IN, {"id": sign_in, "user": user, "at": at})
