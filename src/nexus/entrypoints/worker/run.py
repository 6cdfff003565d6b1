"""One worker process: handles events and relays new ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from dramatiq import Worker

from nexus.domain.kernel.ids import EventId
from nexus.entrypoints.wiring import Nexus
from nexus.entrypoints.worker.broker import QUEUE, declare_handler, open_broker, sender
from nexus.entrypoints.worker.relay import Relay


@contextmanager
def working(
    nexus: Nexus,
    redis_url: str,
    *,
    threads: int,
    patience: float = 30.0,
    handle: Callable[[EventId], object] | None = None,
) -> Iterator[None]:
    """
    Handle and relay events inside the block, by the product's own handler unless *handle* is given.

    At its end no new event is taken up, and those in hand have *patience* seconds;
    what is cut off then is handled by another worker, or after the next start.
    """
    broker = open_broker(redis_url)
    declare_handler(broker, handle or nexus.handle_event)
    worker = Worker(broker, queues={QUEUE}, worker_threads=threads, worker_timeout=200)
    stop = Event()
    relay = Thread(target=Relay(nexus.begin, sender(broker)).run, args=(stop,), name="relay", daemon=True)
    worker.start()
    relay.start()
    try:
        yield
    finally:
        stop.set()
        relay.join()
        worker.stop(timeout=int(patience * 1000))
        broker.close()
