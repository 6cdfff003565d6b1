"""
What a trace tells: requests by route, use cases and events by name, and how each ended.

Never whose, about whom or with which values. Names and attributes come from the program
alone: routes as templates, classes, status codes. Errors are told by their class, without
their message. The only numbers are the trace's own.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from os import environ
from threading import Thread
from typing import Any, Final

from attrs import evolve, frozen
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, use_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bound_contextvars

from nexus import __version__
from nexus.application.kernel.inbox import HandleEvent
from nexus.application.kernel.jobs import JobDue
from nexus.application.kernel.origin import coming_from, origin
from nexus.domain.kernel.errors import Refusal
from nexus.domain.kernel.events import Event
from nexus.entrypoints.http.methods import METHODS

PATIENCE: Final = 3.0
"""Seconds for which the end of a process waits until its last spans are sent."""

_W3C: Final = TraceContextTextMapPropagator()
_FAILED: Final = 500


@contextmanager
def sending(part: str) -> Iterator["Traces"]:
    """The traces of a process, sent as the standard variables say."""
    exporter = OTLPSpanExporter()
    provider = TracerProvider(resource=_resource(part), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield Traces(provider.get_tracer("nexus", __version__))
    finally:
        # Sending tries again for as long as it may, and would hold up the end of the process for that.
        last = Thread(target=provider.shutdown, name="last traces", daemon=True)
        last.start()
        last.join(PATIENCE)
        if last.is_alive():
            exporter.shutdown()  # type: ignore[no-untyped-call]


def _resource(part: str) -> Resource:
    """Who sends: what the operator calls it, or else its part of the product."""
    stated = Resource.create({SERVICE_VERSION: __version__})
    if environ.get("OTEL_SERVICE_NAME") or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        return stated
    return stated.merge(Resource({SERVICE_NAME: f"nexus-{part}"}))


@frozen
class Traces:
    """Tells a tracer what happens in this process."""

    tracer: Tracer

    def around(self, app: ASGIApp, *, trusts: Callable[[str | None], bool] = lambda _: False) -> ASGIApp:
        """
        The same application, each request of which is told.

        It goes on with a trace that a declared proxy hands over; anybody else's would let
        strangers decide what is kept.
        """

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            method = scope["method"] if scope["method"] in METHODS else "_OTHER"
            name = "HTTP" if method == "_OTHER" else method
            client = scope["client"]
            parent = _stated(scope["headers"]) if trusts(client[0] if client else None) else Context()
            status = _FAILED

            async def noticing(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            with self._span(name, SpanKind.SERVER, parent) as span:
                span.set_attribute("http.request.method", method)
                try:
                    await app(scope, receive, noticing)
                finally:
                    if (route := scope.get("path_template")) is not None:
                        span.update_name(f"{name} {route}")
                        span.set_attribute("http.route", str(route))
                    span.set_attribute("url.scheme", scope["scheme"])
                    span.set_attribute("http.response.status_code", status)
                    if status >= _FAILED:
                        span.set_attribute("error.type", str(status))
                        span.set_status(StatusCode.ERROR)

        return traced

    def use_case(self, use_case: Any) -> Any:
        """The same use case, each call of which is told by its class."""
        return _Told(self, use_case) if callable(use_case) else use_case

    def handling(self, handle: HandleEvent) -> HandleEvent:
        """The same handler, which tells each event that it takes up."""
        others = handle.watching

        @contextmanager
        def watching(event: Event) -> Iterator[None]:
            with self._event(event), others(event):
                yield

        return evolve(handle, watching=watching)

    @contextmanager
    def _event(self, event: Event) -> Iterator[None]:
        came_from = origin.get()
        parent = _W3C.extract({"traceparent": came_from}, Context()) if came_from else Context()
        kind = type(event).__name__
        name = f"job {event.job}" if isinstance(event, JobDue) else f"handle {kind}"
        with self._span(name, SpanKind.CONSUMER, parent) as span:
            span.set_attribute("nexus.event", kind)
            with _judged(span):
                yield

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """A part of what is being told."""
        with (
            self.tracer.start_as_current_span(
                name, record_exception=False, set_status_on_exception=False
            ) as span,
            _judged(span),
        ):
            yield

    @contextmanager
    def _span(self, name: str, kind: SpanKind, parent: Context) -> Iterator[Span]:
        """A span of its own, which logs and events of what runs in it name."""
        span = self.tracer.start_span(name, parent, kind)
        stated: dict[str, str] = {}
        with ExitStack() as stack:
            stack.enter_context(
                use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False)
            )
            if span.get_span_context().trace_flags.sampled:
                _W3C.inject(stated)
                trace = f"{span.get_span_context().trace_id:032x}"
                stack.enter_context(bound_contextvars(trace_id=trace))
            stack.enter_context(coming_from(stated.get("traceparent")))
            yield span


class _Told:
    """Stands for a use case."""

    def __init__(self, traces: Traces, use_case: Callable[..., Any]) -> None:
        self._traces, self._use_case = traces, use_case
        self._name = type(use_case).__name__

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        with self._traces.inside(self._name):
            return self._use_case(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._use_case, name)


@contextmanager
def _judged(span: Span) -> Iterator[None]:
    """A refusal is an answer; anything else that is raised is a fault."""
    try:
        yield
    except Refusal as refusal:
        span.set_attribute("nexus.refused", type(refusal).__name__)
        raise
    except Exception as error:
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(StatusCode.ERROR)
        raise


def _stated(headers: Iterable[tuple[bytes, bytes]]) -> Context:
    found = {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in headers
        if name.lower() in {b"traceparent", b"tracestate"}
    }
    return _W3C.extract(found, Context())
