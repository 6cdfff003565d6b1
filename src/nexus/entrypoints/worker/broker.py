"""The broker and its one actor."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, Callbacks, Pipelines, Retries, ShutdownNotifications, TimeLimit

from nexus.domain.kernel.ids import EventId

QUEUE: Final = "events"

HANDLE: Final = "handle_event"
"""The actor's name, as messages carry it."""

ONE_HOUR: Final = 3_600_000


class _Broker(RedisBroker):
    """Dramatiq leaves the connections to whoever made them."""

    def close(self) -> None:
        self.client.connection_pool.disconnect()


def open_broker(redis_url: str, *, patience: float = 3.0) -> RedisBroker:
    """
    The broker, as sender and workers need it.

    A message is only a reminder that an event waits in the database. The relay
    sends it again until the event was handled, so nothing here retries, and
    the messages of dead workers need not come back. A broker that does not answer
    for *patience* seconds counts as away: nobody waits for it with an open
    transaction, or when stopping.
    """
    connections = redis.ConnectionPool.from_url(
        redis_url, socket_connect_timeout=patience, socket_timeout=patience
    )
    return _Broker(  # type: ignore[no-untyped-call]
        client=redis.Redis(connection_pool=connections),
        namespace="nexus",
        heartbeat_timeout=15_000,
        maintenance_chance=100_000,
        middleware=[
            AgeLimit(max_age=ONE_HOUR),
            TimeLimit(time_limit=ONE_HOUR),
            ShutdownNotifications(),
            Callbacks(),
            Pipelines(),
            Retries(max_retries=0),
        ],
    )


def declare_handler(
    broker: dramatiq.Broker, handle: Callable[[EventId], object]
) -> dramatiq.Actor[[str], None]:
    """The actor that handles the event whose id it is sent."""

    def handle_event(event_id: str) -> None:
        handle(EventId(UUID(event_id)))

    return dramatiq.actor(broker=broker, actor_name=HANDLE, queue_name=QUEUE)(handle_event)


def sender(broker: dramatiq.Broker) -> Callable[[EventId], None]:
    """
    Sends the id of an event to whichever worker is free.

    Raises ConnectionError while the broker is away.
    """
    broker.declare_queue(QUEUE)

    def send(event: EventId) -> None:
        broker.enqueue(
            dramatiq.Message(queue_name=QUEUE, actor_name=HANDLE, args=(str(event),), kwargs={}, options={})
        )

    return send
