"""The queue of events, as monitoring sees it."""

from typing import Final, Self

from attrs import frozen
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from nexus.application.platform.condition import Queue

WAITING: Final = "nexus:events"
"""The list in which dramatiq keeps what waits for a worker."""
DEAD: Final = "nexus:events.XQ"
"""The set in which it keeps what it gave up."""


@frozen
class RedisQueue:
    """A broker that does not answer at once is away."""

    _client: "Redis"

    @classmethod
    def at(cls, url: str, *, patience: float = 0.3) -> Self:
        client = Redis.from_url(
            url,
            socket_connect_timeout=patience,
            socket_timeout=patience,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
        )
        return cls(client)

    def look(self) -> Queue | None:
        try:
            with self._client.pipeline(transaction=False) as asked:
                asked.ping()
                asked.llen(WAITING)
                asked.zcard(DEAD)
                _, waiting, dead = asked.execute()
        except (RedisError, OSError):
            return None
        return Queue(waiting=waiting, dead=dead)

    def close(self) -> None:
        self._client.close()
