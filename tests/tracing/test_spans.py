"""Traces tell what happened and how long it took, by names from the program, and never of whom."""

import json
import re
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
import structlog
from litestar.testing import TestClient
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode
from psycopg_pool import ConnectionPool

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.application.kernel.jobs import Job
from nexus.application.kernel.origin import origin
from nexus.domain.kernel.ids import EventId
from nexus.entrypoints.http.api import build
from nexus.entrypoints.http.methods import METHODS
from nexus.entrypoints.http.proxies import network
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.tracing.spans import Traces
from nexus.entrypoints.wiring import Nexus
from tests.support.front import V1, Front, People, Setting, seen_from
from tests.support.town import NOON, Town

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"
PLACES = {
    "http.request.method", "http.route", "http.response.status_code", "url.scheme", "error.type",
    "nexus.event", "nexus.refused",
}  # fmt: skip
"""Every attribute that there is."""


@pytest.fixture(scope="module")
def kept() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture(scope="module")
def traces(kept: InMemorySpanExporter) -> Traces:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    return Traces(provider.get_tracer("test"))


@pytest.fixture(scope="module")
def served(pool: ConnectionPool, traces: Traces) -> Iterator[Front]:
    """The whole application, told to a tracer; proxies in 10.0.0.0/8 are believed."""
    clock, people = Setting(), People()
    nexus = Nexus(pool, now=clock, secret_key=bytes(range(32)))
    nexus.authenticate = people
    app = build(nexus, Settings(pool_size=4, trusted_proxies=(network("10.0.0.0/8"),)), traces=traces)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Front(client, nexus, clock, people, None)


@pytest.fixture
def front(
    served: Front, begin: PostgresBegin, owner: psycopg.Connection, kept: InMemorySpanExporter
) -> Front:
    served.clock.at, served.town = NOON, Town(owner)
    served.nexus.handle_event  # noqa: B018 - made before anything is told
    kept.clear()
    return served


def handled(front: Front, traces: Traces) -> None:
    """What workers do that are traced."""
    handle = traces.handling(front.nexus.handle_event)
    while events := front.town.owner.execute(
        "SELECT id FROM outbox WHERE handled_at IS NULL ORDER BY position"
    ).fetchall():
        for (event,) in events:
            handle(EventId(event))


def named(kept: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in kept.get_finished_spans()}


def telling(spans: list[ReadableSpan], secrets: list[str]) -> list[str]:
    """What a span says that it must not: one of the secrets, an id, or something at a place of its own."""
    found = []
    for span in spans:
        told = json.loads(span.to_json())
        for own in ("context", "parent_id", "start_time", "end_time", "resource"):
            del told[own]
        text = json.dumps(told)
        found += [secret for secret in secrets if secret.lower() in text.lower()]
        found += re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]+|[0-9a-f]{16,}", text)
        found += sorted(set(told["attributes"]) - PLACES)
        found += [f"{span.name} has events" for _ in told["events"]]
    return found


def test_a_request_is_told_by_its_route_and_the_use_case_within(front: Front, kept: InMemorySpanExporter):
    family, session = front.town.family(), front.town.session()
    front.booked(family, session)
    spans = named(kept)
    request, use_case = spans[f"POST {V1}/bookings"], spans["Book"]
    assert request.kind is SpanKind.SERVER
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": f"{V1}/bookings",
        "url.scheme": "http",
        "http.response.status_code": 201,
    }
    assert use_case.parent is not None
    assert use_case.parent.span_id == request.context.span_id
    assert request.status.status_code is use_case.status.status_code is StatusCode.UNSET


def test_what_follows_from_a_request_belongs_to_its_trace(
    front: Front, traces: Traces, kept: InMemorySpanExporter, owner: psycopg.Connection
):
    """From the request through the outbox to the worker, and on to what the worker's own events cause."""
    first, second, session = front.town.family(), front.town.family(), front.town.session(seats=1)
    booking = front.booked(first, session)
    front.waiting(second, session)
    handled(front, traces)
    kept.clear()
    assert front.post(front.parent(first), f"/bookings/{booking}/cancel", {}).status_code == 200
    handled(front, traces)
    spans = named(kept)
    request = spans[f"POST {V1}/bookings/{{booking_id}}/cancel"]
    for name in ("handle BookingCancelled", "handle OfferMade"):
        assert spans[name].context.trace_id == request.context.trace_id, name
        assert spans[name].parent.span_id == request.context.span_id
        assert spans[name].kind is SpanKind.CONSUMER
        assert dict(spans[name].attributes) == {"nexus.event": name.removeprefix("handle ")}
    # The events themselves are what they were.
    assert front.credits(first) == front.credits(front.town.family())


def test_a_job_begins_a_trace_and_what_it_causes_goes_on_with_it(
    front: Front, traces: Traces, kept: InMemorySpanExporter
):
    front.nexus.call_due_jobs()
    handled(front, traces)
    spans = named(kept)
    assert {f"job {job}" for job in Job} <= spans.keys()
    assert spans["job sweep_sessions"].parent is None
    assert len({span.context.trace_id for span in spans.values() if span.name.startswith("job")}) == len(Job)


def test_only_a_declared_proxy_may_say_what_a_request_belongs_to(front: Front, kept: InMemorySpanExporter):
    with seen_from(front.client.app, "10.0.0.1"):
        front.client.get("/healthz", headers={"traceparent": TRACEPARENT, "baggage": "name=Zora"})
    [believed] = kept.get_finished_spans()
    kept.clear()
    with seen_from(front.client.app, "203.0.113.9"):
        front.client.get("/healthz", headers={"traceparent": TRACEPARENT})
    [stranger] = kept.get_finished_spans()
    assert f"{believed.context.trace_id:032x}" == TRACE
    assert f"{believed.parent.span_id:016x}" == CALLER
    assert f"{stranger.context.trace_id:032x}" != TRACE
    assert stranger.parent is None
    assert telling([believed], ["Zora"]) == []


def test_errors_are_told_by_their_class_and_refusals_are_none(
    front: Front, traces: Traces, kept: InMemorySpanExporter, owner: psycopg.Connection
):
    family, session = front.town.family(credits=0), front.town.session()
    assert front.book(family, session).status_code == 409
    refused = named(kept)["Book"]
    assert refused.status.status_code is StatusCode.UNSET
    assert refused.attributes["nexus.refused"] == "InsufficientCredits"
    kept.clear()
    front.nexus.call_due_jobs()
    owner.execute("UPDATE outbox SET payload = jsonb_set(payload, '{job}', '\"private name\"')")
    [(event,), *_] = owner.execute("SELECT id FROM outbox").fetchall()
    with pytest.raises(ValueError, match="private name"):
        traces.handling(front.nexus.handle_event)(EventId(event))
    [failed] = kept.get_finished_spans()
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.status.description is None
    assert failed.attributes["error.type"] == "ValueError"
    assert not failed.events


def test_faults_of_the_edge_are_told_too(front: Front, kept: InMemorySpanExporter):
    front.client.request("HEAD", "/healthz")
    front.client.request("BREW", "/healthz")
    front.client.get(f"/nowhere/{uuid4()}")
    assert [span.name for span in kept.get_finished_spans()] == ["HEAD /healthz", "HTTP", "GET"]
    assert {span.attributes["http.request.method"] for span in kept.get_finished_spans()} <= METHODS | {
        "_OTHER"
    }
    assert kept.get_finished_spans()[2].attributes["http.response.status_code"] == 404


def ask_around(front: Front, traces: Traces) -> list[str]:
    """Requests with ids, names and secrets everywhere a client can put them; all of those."""
    family, session = front.town.family(), front.town.session()
    who = front.parent(family)
    secrets = [
        str(session),
        *map(str, family.children),
        str(family.parent),
        who,
        "Zora",
        "sesame",
        "Zq-agent",
    ]
    booking = front.booked(family, session)
    front.get(who, f"/bookings/{booking}")
    front.get(who, f"/bookings/{uuid4()}")
    front.get(who, "/activities?q=Zora")
    front.post(who, "/children", {"first_name": "Zora", "date_of_birth": "2018-05-17"})
    front.client.get("/account/reset-password/sesame-sesame-sesame")
    with seen_from(front.client.app, "10.0.0.1"):
        front.client.get(f"{V1}/bookings?after=sesame", headers={
            "user-agent": "Zq-agent", "cookie": "nexus_session=sesame", "x-request-id": "Zora-Zora-Zora",
            "traceparent": TRACEPARENT, "tracestate": "name=Zora", "baggage": "name=Zora",
            "x-forwarded-for": "sesame", "authorization": "Bearer sesame", "referer": "https://sesame/Zora",
        })  # fmt: skip
    front.post(who, f"/bookings/{booking}/cancel", {})
    handled(front, traces)
    return [*secrets, booking]


def test_no_span_tells_of_anybody(front: Front, traces: Traces, kept: InMemorySpanExporter):
    secrets = ask_around(front, traces)
    spans = list(kept.get_finished_spans())
    assert len(spans) > 14
    assert telling(spans, secrets) == []
    assert all(span.name.split()[0] in METHODS | {"handle"} or span.name.isidentifier() for span in spans)


@pytest.mark.parametrize("careless", ["name", "attribute", "path", "event"])
def test_a_span_that_tells_would_be_found(
    front: Front, traces: Traces, kept: InMemorySpanExporter, careless: str
):
    """The negative control: what a library would have told by itself."""
    inner = front.client.app.asgi_handler

    async def telling_too_much(scope, receive, send):
        with traces.tracer.start_as_current_span("inner") as span:
            match careless:
                case "name":
                    span.update_name(f"{scope['method']} {scope['path']}")
                case "attribute":
                    span.set_attribute("nexus.refused", scope["query_string"].decode())
                case "path":
                    span.set_attribute("url.path", "/")
                case "event":
                    span.record_exception(ValueError("Zora"))
            await inner(scope, receive, send)

    front.client.app.asgi_handler = telling_too_much
    try:
        secrets = ask_around(front, traces)
    finally:
        front.client.app.asgi_handler = inner
    assert telling(list(kept.get_finished_spans()), secrets) != []


def test_lines_of_the_log_name_the_trace(front: Front, traces: Traces, kept: InMemorySpanExporter):
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        with seen_from(front.client.app, "10.0.0.1"):
            front.client.get("/healthz", headers={"traceparent": TRACEPARENT})
        front.nexus.call_due_jobs()
        handled(front, traces)
    [answered] = [line for line in lines if line["event"] == "answered"]
    assert answered["trace_id"] == TRACE
    assert {f"{span.context.trace_id:032x}" for span in kept.get_finished_spans()} == {
        line["trace_id"] for line in lines if line["event"] in {"answered", "handled"}
    }
    assert "trace_id" not in structlog.contextvars.get_contextvars()


def test_what_is_not_sampled_leaves_no_trace_in_the_outbox(front: Front, owner: psycopg.Connection):
    off = Traces(TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False).get_tracer("test"))
    with off.inside("something"):
        assert origin.get() is None
    front.nexus.call_due_jobs()
    assert owner.execute("SELECT count(*) FROM outbox WHERE payload ? 'traceparent'").fetchone() == (0,)
