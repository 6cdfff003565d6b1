"""Commands that a client named, each with its reply."""

from typing import Final, LiteralString

from nexus.adapters.postgres.connection import WalledConnection
from nexus.application.kernel.commands import Fingerprint, IdempotencyKeyReused, Reply
from nexus.domain.kernel.ids import UserId

CLAIM_KEY: Final[LiteralString] = """
    INSERT INTO command_keys (actor_id, key, fingerprint, claimed_at)
    VALUES (%(actor)s, %(key)s, %(fingerprint)s, now())
    ON CONFLICT DO NOTHING
"""

FIND_REPLY: Final[LiteralString] = """
    SELECT fingerprint, status, media_type, body
      FROM command_keys
     WHERE actor_id = %(actor)s AND key = %(key)s
"""

STORE_REPLY: Final[LiteralString] = """
    UPDATE command_keys
       SET status = %(status)s, media_type = %(media_type)s, body = %(body)s
     WHERE actor_id = %(actor)s AND key = %(key)s
"""


class PostgresCommands:
    """The table ``command_keys``; its primary key makes a second claim wait for the first."""

    def __init__(self, connection: WalledConnection) -> None:
        self._connection = connection

    def claim(self, actor: UserId, key: str, fingerprint: Fingerprint) -> Reply | None:
        names = {"actor": actor, "key": key}
        if self._connection.execute(CLAIM_KEY, names | {"fingerprint": fingerprint.current}).rowcount:
            return None
        found = self._connection.execute(FIND_REPLY, names).fetchone()
        if found is None:
            raise RuntimeError("a claimed key vanished")
        used_for, status, media_type, body = found
        if not fingerprint.matches(used_for):
            raise IdempotencyKeyReused
        return Reply(status, media_type, body)

    def store(self, actor: UserId, key: str, reply: Reply) -> None:
        self._connection.later(
            STORE_REPLY,
            {
                "actor": actor,
                "key": key,
                "status": reply.status,
                "media_type": reply.media_type,
                "body": reply.body,
            },
        )
