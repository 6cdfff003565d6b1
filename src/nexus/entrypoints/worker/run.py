"""One worker process: handles events and relays new ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from dramatiq import Worker

from nexus.entrypoints.wiring import Nexus
from nexus.entrypoints.worker.broker import QUEUE, declare_handler, open_broker, sender
from nexus.entrypoints.worker.relay import Relay


@contextmanager
def working(nexus: Nexus, redis_url: str, *, threads: int, patience: float = 30.0) -> Iterator[None]:
    """
    Handle and relay events inside the block.

    At its end no new event is taken up, and those in hand have *patience* seconds;
    what is cut off then is handled by another worker, or after the next start.
    """
    broker = open_broker(redis_url)
    declare_handler(broker, nexus.handle_event)
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
