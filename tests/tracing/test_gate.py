"""Traces are sent where an operator asks for them, and elsewhere nothing of them is loaded."""

import os
import socket
import subprocess
import sys
from time import monotonic

import pytest
import structlog

from nexus.entrypoints.tracing import are_wanted, tracing
from tests.support.collector import collector

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
EVERYTHING = "nexus.entrypoints.http.asgi, nexus.entrypoints.worker.run, nexus.entrypoints.commands.processes"
BLOCKED = "import sys; sys.modules['opentelemetry'] = None; "


@pytest.fixture(autouse=True)
def nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("stated", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "pass"}, False),
        ({ENDPOINT: "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": " OTLP "}, True),
        ({"OTEL_TRACES_EXPORTER": "", ENDPOINT: "http://collector:4318"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", ENDPOINT: "http://collector:4318"}, False),
        ({"OTEL_TRACES_EXPORTER": "zipkin", ENDPOINT: "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE", ENDPOINT: "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "false", ENDPOINT: "http://collector:4318"}, True),
    ],
)
def test_the_standard_variables_decide(stated: dict[str, str], wanted: bool):
    assert are_wanted(stated) is wanted


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_of_it_is_loaded_where_it_is_not_wanted():
    """Redis' client loads what measures where it finds it; what traces and what sends is ours to load."""
    names = "[name for name in sys.modules if re.match('opentelemetry[.](sdk[.]trace|exporter)', name)]"
    quiet = f"import re, sys, {EVERYTHING}\nfrom nexus.entrypoints.tracing import tracing\n"
    block = f"with tracing({{}}, 'web') as traces:\n    assert traces is None\nprint(len({names}))\n"
    control = f"import nexus.entrypoints.tracing.spans\nprint(len({names}))"
    before, after = run(quiet + block + control).split()
    assert (before, int(after) > 5) == ("0", True)


def test_where_it_is_not_installed_the_product_serves_and_says_so():
    said = run(
        BLOCKED + f"import {EVERYTHING}\nfrom nexus.entrypoints.tracing import tracing\n"
        f"with tracing({{'{ENDPOINT}': 'http://127.0.0.1:1'}}, 'web') as traces:\n    print(traces)\n"
    )
    assert "nexus-family-pass[otel]" in said
    assert said.rstrip().endswith("None")


def test_a_protocol_that_is_not_spoken_is_said_and_not_tried():
    with structlog.testing.capture_logs() as lines:
        stated = {ENDPOINT: "http://collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
        with tracing(stated, "web") as traces:
            assert traces is None
    assert ["http/protobuf" in line["event"] for line in lines] == [True]


@pytest.mark.parametrize(
    ("named", "seen"),
    [
        ({}, b"nexus-worker"),
        ({"OTEL_SERVICE_NAME": "pass"}, b"pass"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=ours,deployment.environment.name=test"}, b"ours"),
    ],
)
def test_spans_are_sent_when_the_process_ends_at_the_latest(
    monkeypatch: pytest.MonkeyPatch, named: dict[str, str], seen: bytes
):
    with collector() as (address, taken):
        for name, value in {ENDPOINT: address, **named}.items():
            monkeypatch.setenv(name, value)
        with tracing(os.environ, "worker") as traces, traces.inside("CancelBooking"):
            pass
    [(path, body)] = taken
    assert path == "/v1/traces"
    assert b"CancelBooking" in body
    assert b"service.name" in body
    assert seen in body
    assert (b"nexus-worker" in body) == (seen == b"nexus-worker")


def test_a_collector_that_hangs_holds_up_no_end(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{mute.getsockname()[1]}")
        monkeypatch.setattr("nexus.entrypoints.tracing.spans.PATIENCE", 0.2)
        with tracing(os.environ, "web") as traces:
            for _ in range(3000):
                with traces.inside("CancelBooking"):
                    pass
            before = monotonic()
        assert monotonic() - before < 5
