"""Second factors, recovery codes and half-done sign-ins."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, LiteralString

from psycopg import Connection

from nexus.adapters.postgres.rows import as_object
from nexus.application.identity.factor_ports import Challenge, StoredFactor
from nexus.domain.kernel.ids import UserId

FIND_FACTOR: Final[LiteralString] = """
    SELECT user_id AS user, seed, last_step, confirmed_at, pending_seed, pending_since
      FROM second_factors
     WHERE user_id = %(user)s
"""

BEGIN_FACTOR: Final[LiteralString] = """
    INSERT INTO second_factors (user_id, pending_seed, pending_since)
    VALUES (%(user)s, %(pending_seed)s, %(at)s)
    ON CONFLICT (user_id)
    DO UPDATE SET pending_seed = excluded.pending_seed, pending_since = excluded.pending_since
"""

CONFIRM_FACTOR: Final[LiteralString] = """
    UPDATE second_factors
       SET seed = %(seed)s, last_step = %(step)s, confirmed_at = %(at)s,
           pending_seed = NULL, pending_since = NULL
     WHERE user_id = %(user)s AND pending_seed = %(pending_seed)s
"""

ACCEPT_STEP: Final[LiteralString] = """
    UPDATE second_factors
       SET last_step = %(step)s
     WHERE user_id = %(user)s AND seed = %(seed)s AND last_step < %(step)s
"""

REMOVE_FACTOR: Final[LiteralString] = """
    DELETE FROM second_factors WHERE user_id = %(user)s RETURNING seed IS NOT NULL
"""

TAKE_ATTEMPT: Final[LiteralString] = """
    UPDATE second_factors
       SET attempts = CASE WHEN attempts_since > %(since)s THEN attempts + 1 ELSE 1 END,
           attempts_since = CASE WHEN attempts_since > %(since)s THEN attempts_since ELSE %(at)s END
     WHERE user_id = %(user)s
       AND (attempts < %(at_most)s OR attempts_since <= %(since)s)
"""

ATTEMPTED_SINCE: Final[LiteralString] = """
    SELECT attempts_since FROM second_factors WHERE user_id = %(user)s
"""

FORGET_ATTEMPTS: Final[LiteralString] = """
    UPDATE second_factors SET attempts = 0, attempts_since = NULL WHERE user_id = %(user)s
"""

FORGET_RECOVERY_CODES: Final[LiteralString] = "DELETE FROM recovery_codes WHERE user_id = %(user)s"

ADD_RECOVERY_CODES: Final[LiteralString] = """
    INSERT INTO recovery_codes (user_id, code_hash, created_at)
    SELECT %(user)s, code_hash, %(at)s FROM unnest(%(hashes)s::bytea[]) AS code_hash
"""

USE_RECOVERY_CODE: Final[LiteralString] = """
    UPDATE recovery_codes
       SET used_at = %(at)s
     WHERE user_id = %(user)s AND code_hash = %(code_hash)s AND used_at IS NULL
"""

COUNT_RECOVERY_CODES: Final[LiteralString] = """
    SELECT count(*) FROM recovery_codes WHERE user_id = %(user)s AND used_at IS NULL
"""

ADD_CHALLENGE: Final[LiteralString] = """
    INSERT INTO sign_in_challenges (token_hash, user_id, remember, created_at, expires_at)
    VALUES (%(token_hash)s, %(user)s, %(remember)s, %(created_at)s, %(expires_at)s)
"""

TRY_CHALLENGE: Final[LiteralString] = """
    UPDATE sign_in_challenges c
       SET tries = tries + 1
      FROM users u
     WHERE c.token_hash = %(token_hash)s
       AND c.closed_at IS NULL
       AND c.expires_at > %(at)s
       AND c.tries < %(at_most)s
       AND u.id = c.user_id
       AND u.is_active
    RETURNING c.user_id AS user, c.remember, c.created_at, c.expires_at
"""

CLOSE_CHALLENGE: Final[LiteralString] = """
    UPDATE sign_in_challenges
       SET closed_at = %(at)s
     WHERE token_hash = %(token_hash)s AND closed_at IS NULL
"""

CLOSE_CHALLENGES: Final[LiteralString] = """
    UPDATE sign_in_challenges SET closed_at = %(at)s WHERE user_id = %(user)s AND closed_at IS NULL
"""


class PostgresSecondFactors:
    """The tables ``second_factors`` and ``recovery_codes``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, user: UserId) -> StoredFactor | None:
        with self._connection.cursor(row_factory=as_object(StoredFactor)) as cursor:
            return cursor.execute(FIND_FACTOR, {"user": user}).fetchone()

    def begin(self, user: UserId, pending_seed: bytes, *, at: datetime) -> None:
        self._connection.execute(BEGIN_FACTOR, {"user": user, "pending_seed": pending_seed, "at": at})

    def confirm(self, user: UserId, pending_seed: bytes, *, seed: bytes, step: int, at: datetime) -> bool:
        values = {"user": user, "pending_seed": pending_seed, "seed": seed, "step": step, "at": at}
        return self._connection.execute(CONFIRM_FACTOR, values).rowcount == 1

    def accept(self, user: UserId, seed: bytes, *, step: int) -> bool:
        values = {"user": user, "seed": seed, "step": step}
        return self._connection.execute(ACCEPT_STEP, values).rowcount == 1

    def remove(self, user: UserId) -> bool:
        self._connection.execute(FORGET_RECOVERY_CODES, {"user": user})
        was_set_up = self._connection.execute(REMOVE_FACTOR, {"user": user}).fetchone()
        return was_set_up == (True,)

    def take_attempt(
        self, user: UserId, *, at: datetime, at_most: int, within: timedelta
    ) -> timedelta | None:
        values = {"user": user, "at": at, "since": at - within, "at_most": at_most}
        if self._connection.execute(TAKE_ATTEMPT, values).rowcount:
            return None
        found = self._connection.execute(ATTEMPTED_SINCE, {"user": user}).fetchone()
        if found is None or found[0] is None:
            return None
        wait: timedelta = found[0] + within - at
        return wait

    def forget_attempts(self, user: UserId) -> None:
        self._connection.execute(FORGET_ATTEMPTS, {"user": user})

    def replace_recovery_codes(self, user: UserId, hashes: Sequence[bytes], *, at: datetime) -> None:
        self._connection.execute(FORGET_RECOVERY_CODES, {"user": user})
        self._connection.execute(ADD_RECOVERY_CODES, {"user": user, "hashes": list(hashes), "at": at})

    def use_recovery_code(self, user: UserId, code_hash: bytes, *, at: datetime) -> bool:
        values = {"user": user, "code_hash": code_hash, "at": at}
        return self._connection.execute(USE_RECOVERY_CODE, values).rowcount == 1

    def recovery_codes_left(self, user: UserId) -> int:
        counted = self._connection.execute(COUNT_RECOVERY_CODES, {"user": user}).fetchone()
        return 0 if counted is None else int(counted[0])


class PostgresChallenges:
    """The table ``sign_in_challenges``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, token_hash: bytes, challenge: Challenge) -> None:
        self._connection.execute(
            ADD_CHALLENGE,
            {
                "token_hash": token_hash,
                "user": challenge.user,
                "remember": challenge.remember,
                "created_at": challenge.created_at,
                "expires_at": challenge.expires_at,
            },
        )

    def take_try(self, token_hash: bytes, *, at: datetime, at_most: int) -> Challenge | None:
        values = {"token_hash": token_hash, "at": at, "at_most": at_most}
        with self._connection.cursor(row_factory=as_object(Challenge)) as cursor:
            return cursor.execute(TRY_CHALLENGE, values).fetchone()

    def close(self, token_hash: bytes, *, at: datetime) -> bool:
        values = {"token_hash": token_hash, "at": at}
        return self._connection.execute(CLOSE_CHALLENGE, values).rowcount == 1

    def close_all(self, user: UserId, *, at: datetime) -> None:
        self._connection.execute(CLOSE_CHALLENGES, {"user": user, "at": at})
