"""
What Prometheus is told, and by whom.

What waits is asked of the database and the broker, and is the same from every
process. What happens is counted by the process in which it does. Processes that answer
at one port put their counters together (:mod:`nexus.entrypoints.shared_figures`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from time import perf_counter
from typing import Final

import structlog
from attrs import field, frozen
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from nexus.application.kernel.jobs import Job, JobDue
from nexus.application.platform.backlog import Backlog
from nexus.application.platform.condition import Queue
from nexus.domain.booking.events import BookingCancelled, OfferLapsed, OfferMade, PlacesBooked, SessionChanged
from nexus.domain.kernel.events import Event
from nexus.entrypoints.settings import SettingError
from nexus.entrypoints.shared_figures import shared

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_log = structlog.get_logger("nexus.background")


@frozen
class Flows:
    """What the events of this process say happened; each event is handled once, whoever caused it."""

    registry: CollectorRegistry = field(factory=CollectorRegistry)
    _counters: dict[str, Counter] = field(init=False)
    _seconds: Histogram = field(init=False)

    def __attrs_post_init__(self) -> None:
        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(f"nexus_{name}", meaning, labels, registry=self.registry)

        counters = {
            "events": counter("events_handled", "Events taken up, by type and outcome", "type", "outcome"),
            "jobs": counter("jobs_run", "Jobs run, by name and outcome", "name", "outcome"),
            "made": counter("offers_made", "Freed seats that were offered to a family"),
            "accepted": counter("offers_accepted", "Offers that a family accepted"),
            "expired": counter("offers_expired", "Offers that were not answered in time"),
            "refunds": counter("refunds", "Refunds of credits"),
            "credits": counter("refunded_credits", "Credits that were refunded"),
        }
        seconds = Histogram("nexus_job_seconds", "Time that a job took", ["name"], registry=self.registry)
        for job in Job:
            for outcome in ("done", "failed"):
                # There from the start: of a series that begins with 1 Prometheus sees no increase.
                counters["jobs"].labels(job, outcome)
        object.__setattr__(self, "_counters", counters)
        object.__setattr__(self, "_seconds", seconds)

    @contextmanager
    def watching(self, event: Event) -> Iterator[None]:
        """Count and log the handling of an event: what kind, how it ended, how long it took."""
        begun, outcome = perf_counter(), "failed"
        try:
            yield
            outcome = "done"
        finally:
            seconds = perf_counter() - begun
            told = {
                "type": type(event).__name__,
                "outcome": outcome,
                "milliseconds": round(seconds * 1000, 1),
            }
            self._counters["events"].labels(told["type"], outcome).inc()
            if isinstance(event, JobDue):
                self._counters["jobs"].labels(event.job, outcome).inc()
                self._seconds.labels(event.job).observe(seconds)
                told["job"] = event.job
            elif outcome == "done":
                self._count(event)
            _log.info("handled", **told)

    def _count(self, event: Event) -> None:
        match event:
            case OfferMade():
                self._counters["made"].inc()
            case OfferLapsed():
                self._counters["expired"].inc()
            case PlacesBooked(from_offer=True):
                self._counters["accepted"].inc()
            case BookingCancelled(refunded=credits) | SessionChanged(refunded=credits) if credits:
                self._counters["refunds"].inc()
                self._counters["credits"].inc(credits)
            case _:
                pass


class OfProcess:
    """What this process alone knows of itself: its connections, and how it limits."""

    def __init__(self, number: int = 0) -> None:
        self.registry = CollectorRegistry()
        self._number = str(number)
        self._lock = Lock()
        self._counted: dict[str, int] = {}
        self._gauges = {
            name: Gauge(
                f"nexus_{name}", meaning, ["process"], registry=self.registry, multiprocess_mode="sum"
            )
            for name, meaning in (
                ("pool_connections", "Connections to the database of this process"),
                ("pool_connections_in_use", "Connections that are in use"),
                ("pool_connections_max", "Connections that this process may have"),
                ("pool_waiting", "Who waits for a connection"),
            )
        }
        self._counters = {
            name: Counter(f"nexus_{name}", meaning, ["process"], registry=self.registry)
            for name, meaning in (
                ("pool_refused", "Waits for a connection that were in vain"),
                ("limiter_fallbacks", "Limits decided without Redis"),
            )
        }

    def note(self, pool: Mapping[str, int], fallbacks: int | None) -> None:
        """Write down what the pool and the limiter say now; *fallbacks* is None without Redis."""
        size = pool.get("pool_size", 0)
        for name, value in (
            ("pool_connections", size),
            ("pool_connections_in_use", size - pool.get("pool_available", 0)),
            ("pool_connections_max", pool.get("pool_max", 0)),
            ("pool_waiting", pool.get("requests_waiting", 0)),
        ):
            self._gauges[name].labels(self._number).set(value)
        with self._lock:
            self._count("pool_refused", pool.get("requests_errors", 0))
            if fallbacks is not None:
                self._count("limiter_fallbacks", fallbacks)

    def _count(self, name: str, total: int) -> None:
        """Add what is new: the figure may have begun with another process, the total began with this one."""
        self._counters[name].labels(self._number).inc(total - self._counted.get(name, 0))
        self._counted[name] = total


@frozen(eq=False)
class Seen(Collector):
    """What one look showed, as metrics; what did not answer is left out."""

    backlog: Backlog | None
    queue: Queue | None
    has_broker: bool

    def collect(self) -> Iterable[Metric]:
        yield _gauge(
            "database_up", "Whether the database answered this scrape", int(self.backlog is not None)
        )
        if self.backlog is not None:
            yield from _of_database(self.backlog)
        if self.has_broker:
            yield _gauge("broker_up", "Whether the broker answered this scrape", int(self.queue is not None))
        if self.queue is not None:
            yield _gauge("queue_messages", "Messages that wait for a worker", self.queue.waiting)
            yield _gauge("queue_dead_messages", "Messages that the broker gave up", self.queue.dead)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"nexus_{name}", meaning, value=value)


def _of_database(seen: Backlog) -> Iterator[Metric]:
    yield _gauge("outbox_unhandled", "Events that are not handled yet", seen.unhandled)
    age = seen.late(seen.oldest_unhandled)
    yield _gauge("outbox_oldest_unhandled_seconds", "Age of the oldest of them", age)
    yield _gauge("outbox_parked", "Events that wait for people", seen.parked)
    yield _gauge("offers_open", "Offers that families may accept", seen.open_offers)
    lag = GaugeMetricFamily(
        "nexus_sweeper_lag_seconds", "How long what is due was not swept", labels=["what"]
    )
    for what, due in (
        ("offer", seen.offer_ends),
        ("answer", seen.answer_due),
        ("release", seen.release_due),
    ):
        lag.add_metric([what], seen.late(due))
    yield lag
    age_of = GaugeMetricFamily(
        "nexus_job_age_seconds", "Since a job was last due and handed over", labels=["name"]
    )
    for job, at in seen.jobs.items():
        age_of.add_metric([job], seen.late(at))
    yield age_of
    if seen.verified is not None:
        age = seen.late(seen.verified.at)
        yield _gauge("verification_age_seconds", "Since the data was last checked", age)
        yield _gauge("verification_seconds", "How long that took", seen.verified.seconds)
        rows = GaugeMetricFamily(
            "nexus_verification_findings", "Rows that broke a promise then (at most 100)", labels=["promise"]
        )
        for promise, count in seen.verified.findings.items():
            rows.add_metric([promise], count)
        yield rows


def exposition(seen: Seen, *registries: CollectorRegistry) -> bytes:
    """
    The text of a scrape: what was seen, and what these registries hold.

    Where processes share their figures it is those of all, which are kept elsewhere.
    """
    looked = CollectorRegistry(auto_describe=False)
    looked.register(seen)
    if (together := shared()) is None:
        return b"".join(generate_latest(registry) for registry in (*registries, looked))
    looked.register(together)
    return generate_latest(looked)


@contextmanager
def serving(host: str, port: int | None, metrics: Callable[[], bytes]) -> Iterator[int | None]:
    """
    ``/metrics`` and ``/healthz`` of a process that serves nothing else; nothing without a port.

    Raises:
        SettingError: Somebody else has the port.
    """
    if port is None:
        yield None
        return

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/healthz":
                self._say(200, b'{"status":"alive"}', "application/json")
            elif self.path == "/metrics":
                self._say(200, metrics(), MEDIA_TYPE)
            else:
                self._say(404, b"", "text/plain")

        def _say(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
            """Scrapes are not news."""

    try:
        server = ThreadingHTTPServer((host, port), Answering)
    except OSError as error:
        reason = error.strerror
        raise SettingError(f"NEXUS_METRICS_PORT: cannot listen on {host}:{port}: {reason}") from error
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
