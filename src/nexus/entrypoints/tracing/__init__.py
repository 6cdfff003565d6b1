"""
Traces for OpenTelemetry, where the operator asks for them.

Asked for by its own standard variables (``OTEL_*``), and an extra of the package:
where they are not wanted nothing of it is loaded, and no request does anything for it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from nexus.entrypoints.tracing.spans import Traces

_log = structlog.get_logger("nexus.tracing")


def are_wanted(environment: Mapping[str, str]) -> bool:
    """Whether traces are to be sent: an exporter is named, or where to send to, and nothing forbids it."""
    if _said(environment, "OTEL_SDK_DISABLED") == "true":
        return False
    named = _said(environment, "OTEL_TRACES_EXPORTER")
    if not named:
        return any(_said(environment, f"OTEL_EXPORTER_OTLP{one}_ENDPOINT") for one in ("", "_TRACES"))
    if named not in {"otlp", "none"}:
        _log.warning("no traces: OTEL_TRACES_EXPORTER must be otlp or none")
    return named == "otlp"


def _speaks_http(environment: Mapping[str, str]) -> bool:
    for name in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if stated := _said(environment, name):
            return stated == "http/protobuf"
    return True


def _said(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, "").strip().lower()


@contextmanager
def tracing(environment: Mapping[str, str], part: str) -> Iterator["Traces | None"]:
    """
    The traces of this process, a *part* of the product; None when none are wanted.

    A product that cannot be traced serves all the same: what is missing is said once, in
    the log. What has not been sent when the block ends is sent then, within a few seconds.
    """
    if not are_wanted(environment):
        yield None
        return
    if not _speaks_http(environment):
        _log.warning("no traces: OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf")
        yield None
        return
    try:
        from nexus.entrypoints.tracing.spans import sending
    except ImportError:
        _log.warning("no traces: OpenTelemetry is not installed (pip install 'nexus-family-pass[otel]')")
        yield None
        return
    with sending(part) as traces:
        yield traces
