"""Accounts."""

from datetime import datetime
from typing import Final, LiteralString

from psycopg import Connection

from nexus.adapters.postgres.rows import as_object
from nexus.application.identity.ports import Credentials
from nexus.application.identity.views import Me
from nexus.domain.identity.people import EmailTaken, Person
from nexus.domain.kernel.ids import CompanyId, UserId, VenueId

FIND_CREDENTIALS: Final[LiteralString] = """
    SELECT id AS user, password_hash, is_active
      FROM users
     WHERE email_folded = lower(%(email)s)
"""

SHOW_ME: Final[LiteralString] = """
    SELECT u.id, u.email, u.role, u.first_name, u.last_name,
           u.corporate_id AS company, c.company_name, u.venue_id AS venue, v.name AS venue_name,
           u.timezone AS time_zone, u.joined_at, u.email_verified_at
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

LOCK_PERSON: Final[LiteralString] = """
    SELECT id, email, role, first_name, last_name, corporate_id AS company, venue_id AS venue,
           timezone AS time_zone, monthly_credits, joined_at, left_at, is_active
      FROM users
     WHERE id = %(user)s
       FOR NO KEY UPDATE
"""

HOLD_ACCOUNT: Final[LiteralString] = """
    SELECT password_hash FROM users WHERE id = %(user)s AND is_active FOR NO KEY UPDATE
"""

DISABLE_USER: Final[LiteralString] = """
    UPDATE users
       SET is_active = false, disabled_at = %(at)s, disabled_reason = %(reason)s
     WHERE id = %(user)s
"""

ENABLE_USER: Final[LiteralString] = """
    UPDATE users
       SET is_active = true, disabled_at = NULL, disabled_reason = NULL
     WHERE id = %(user)s
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

    def lock(self, user: UserId) -> Person | None:
        with self._connection.cursor(row_factory=as_object(Person)) as cursor:
            return cursor.execute(LOCK_PERSON, {"user": user}).fetchone()

    def hold(self, user: UserId, password_hash: str) -> bool:
        # Compared here: while a statement waits for the lock, the password may change.
        return self._connection.execute(HOLD_ACCOUNT, {"user": user}).fetchone() == (password_hash,)

    def disable(self, user: UserId, *, reason: str, at: datetime) -> None:
        self._connection.execute(DISABLE_USER, {"user": user, "reason": reason, "at": at})

    def enable(self, user: UserId) -> None:
        self._connection.execute(ENABLE_USER, {"user": user})

    def has_venue(self, venue: VenueId) -> bool:
        return self._connection.execute(HAS_VENUE, {"venue": venue}).rowcount > 0

    def seats_taken(self, company: CompanyId, *, at: datetime) -> int:
        counted = self._connection.execute(COUNT_SEATS_TAKEN, {"company": company, "at": at}).fetchone()
        return 0 if counted is None else int(counted[0])
