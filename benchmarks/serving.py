"""The product as it is served, and those who ask it."""

import base64
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.error import URLError

from attrs import frozen

from nexus.adapters.embedded.process import free_port

READY_WITHIN: Final = 60.0
"""Seconds."""


@frozen(kw_only=True)
class Answers:
    """What came back: rate per second, latencies in milliseconds, how many of each status."""

    rate: float
    seconds: float
    p50: float
    p99: float
    statuses: Mapping[str, int]
    unasked: int


@frozen
class Served:
    """A running web process."""

    port: int
    pid: int

    def ask(self, questions: Sequence[str], *, clients: int = 16, seconds: float | None = None) -> Answers:
        """All of these questions, or as many as fit into *seconds*."""
        with self.asking(questions, clients=clients, seconds=seconds) as asking:
            return asking()

    @contextmanager
    def asking(
        self,
        questions: Sequence[str],
        *,
        clients: int = 16,
        seconds: float | None = None,
        again: bool = False,
    ) -> Iterator[Callable[[], Answers]]:
        """
        The same, in the background: what comes with the block waits for its end.

        With *again* the questions begin anew after the last one.
        """
        wanted = {
            "port": self.port,
            "clients": clients,
            "seconds": seconds,
            "again": again,
            "questions": list(questions),
        }
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.client"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            if process.stdin is None:
                raise RuntimeError("no way to tell the client what to ask")
            process.stdin.write(json.dumps(wanted))
            process.stdin.close()
            process.stdin = None
            yield lambda: Answers(**json.loads(process.communicate()[0]))


AWAY: Final = "redis://127.0.0.1:1"
"""Where no broker answers."""


@contextmanager
def served(database_url: str, redis_url: str = AWAY, *, workers: int = 1) -> Iterator[Served]:
    """Web processes over this database, with the settings of an installation that is not told otherwise."""
    port = free_port()
    command = ("serve", "--port", str(port), "--workers", str(workers))
    with _process(database_url, redis_url, *command) as process:
        wait_for(port, process)
        yield Served(port, process.pid)


@contextmanager
def running(database_url: str, redis_url: str, command: str) -> Iterator[int]:
    """Another process of the same installation, by its command; its process id."""
    with _process(database_url, redis_url, command) as process:
        yield process.pid


@contextmanager
def _process(database_url: str, redis_url: str, *command: str) -> "Iterator[subprocess.Popen[bytes]]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NEXUS_")} | {
        "NEXUS_DATABASE_URL": database_url,
        "NEXUS_REDIS_URL": redis_url,
        "NEXUS_SECRET_KEY": base64.b64encode(bytes(32)).decode(),
        # Counted like anybody's, but never refused: few accounts ask for many.
        "NEXUS_RATE_LIMIT_PER_ACCOUNT": "10000000",
        "NEXUS_RATE_LIMIT_PER_ADDRESS": "10000000",
    }
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "nexus", *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Until it answers."""
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the web process did not come up")


def question(method: str, path: str, token: str, body: Any = None) -> str:
    """A request as it goes over the wire."""
    content = "" if body is None else json.dumps(body)
    stated = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n" if content else ""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n{stated}\r\n{content}"
    )
