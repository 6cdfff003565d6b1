"""Clients that do not behave, at the real server."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nexus.adapters.embedded.process import free_port

ROOT = Path(__file__).parents[2]
CLOSED = b"<closed>"
JSON = "Content-Type: application/json"


@pytest.fixture(scope="module")
def port():
    chosen = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "http_edge.served", str(chosen)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests"), str(ROOT)])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", chosen)).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield chosen
    finally:
        process.terminate()
        process.wait(30)


def said(port, *parts, pause=0.0, patience=8.0):
    """What the server says to these bytes, until it says no more for a while or closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        answer = b""
        try:
            for part in parts:
                connection.sendall(part.encode())
                time.sleep(pause)
            connection.settimeout(patience)
            while more := connection.recv(65536):
                answer += more
        except TimeoutError:
            return answer
        except OSError:
            pass
        return answer + CLOSED


def request(method, path, *headers):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: here", *headers, "", ""])


def status(answer):
    return int(answer.split()[1])


def test_two_requests_share_a_connection(port):
    answer = said(
        port, request("GET", "/fast"), request("HEAD", "/fast"), request("GET", "/fast"), patience=0.5
    )
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert answer.count(b"\r\n\r\nfast") == 2
    assert not answer.endswith(CLOSED)


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ("Content-Length: 2000", "a" * 2000),
        ("Content-Length: 2000000", "a" * 20),
        ("Transfer-Encoding: chunked", "7d0\r\n" + "a" * 2000 + "\r\n"),
    ],
)
def test_a_body_that_is_too_large_ends_the_connection(port, framing, body):
    """What is still on its way must not be taken for the next request."""
    answer = said(port, request("POST", "/small", JSON, framing) + body)
    assert status(answer) == 413
    assert b'"/problems/request-too-large"' in answer
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(CLOSED)


def test_a_body_that_does_not_arrive_in_time_is_given_up(port):
    began = time.monotonic()
    answer = said(port, request("POST", "/small", JSON, "Content-Length: 100"), "{")
    assert 0.5 < time.monotonic() - began < 6
    assert status(answer) == 408
    assert b'"/problems/request-timeout"' in answer
    assert answer.endswith(CLOSED)


@pytest.mark.slow
def test_a_body_that_trickles_in_is_given_up(port):
    """Each byte in time, but not all of them."""
    began = time.monotonic()
    answer = said(port, request("POST", "/small", JSON, "Content-Length: 100"), *"{" * 20, pause=0.2)
    assert time.monotonic() - began < 6
    assert not answer.startswith(b"HTTP/1.1 2")
    assert answer.endswith(CLOSED)


@pytest.mark.slow
def test_many_that_trickle_hold_nobody_else_up(port):
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    try:
        for connection in held[:50]:
            connection.sendall(request("POST", "/small", JSON, "Content-Length: 100").encode())
        for connection in held[50:]:
            connection.sendall(b"GET /fast HTTP/1.1\r\nX: ")
        began = time.monotonic()
        assert status(said(port, request("GET", "/fast", "Connection: close"))) == 200
        assert time.monotonic() - began < 1
    finally:
        for connection in held:
            connection.close()


@pytest.mark.slow
def test_headers_that_do_not_arrive_in_time_end_the_connection(port):
    began = time.monotonic()
    assert said(port, "GET /fast HTTP/1.1\r\nX: ", patience=20) == CLOSED
    assert 8 < time.monotonic() - began < 15


@pytest.mark.slow
def test_an_answer_that_takes_too_long_is_given_up(port):
    answer = said(port, request("POST", "/slow", "Content-Length: 0"))
    assert status(answer) == 504
    assert b'"/problems/took-too-long"' in answer
    assert status(said(port, request("GET", "/fast", "Connection: close"))) == 200


def test_a_body_that_nobody_reads_ends_the_connection(port):
    answer = said(port, request("GET", "/fast", "Content-Length: 100"))
    assert status(answer) == 200
    assert answer.endswith(CLOSED)


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        (request("GET", "/fast?" + "a" * 9000), 414),
        (request("GET", "/fast?" + "a" * 70_000), 431),
        (request("GET", "/fast", "X: " + "a" * 100_000), 431),
        (request("GET", "/fast", *(f"X{n}: a" for n in range(120))), 431),
        (request("GET", "/fast", "X : a"), 400),
        (request("GET", "/fast", "Content-Length: 1", "Content-Length: 2"), 400),
        (request("GET", "/fast", "Content-Length: -1"), 400),
    ],
)
def test_what_is_too_long_or_ambiguous_is_refused(port, sent, refused):
    answer = said(port, sent)
    assert status(answer) == refused
    assert answer.endswith(CLOSED)
    assert b"Traceback" not in answer


def test_a_second_request_cannot_hide_in_the_body_of_the_first(port):
    hidden = request("GET", "/fast")
    first = request(
        "POST", "/small", JSON, f"Content-Length: {len(hidden) + 5}", "Transfer-Encoding: chunked"
    )
    answer = said(port, first + "0\r\n\r\n" + hidden)
    assert b"\r\n\r\nfast" not in answer
    assert answer.endswith(CLOSED)


def test_version_2_is_not_spoken(port):
    assert said(port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == CLOSED


def test_trace_is_refused(port):
    answer = said(port, request("TRACE", "/fast", "X-Secret: canary", "Connection: close"))
    assert status(answer) == 405
    assert b"canary" not in answer
