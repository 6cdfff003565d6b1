"""``nexus serve``, ``nexus worker`` and ``nexus scheduler``: the processes of an installation."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Event

import click

from nexus.entrypoints.commands.terminal import Fault, Taught, settings
from nexus.entrypoints.settings import Settings


@click.command(cls=Taught, examples=["nexus serve --host 0.0.0.0 --port 8000 --workers 2"])
@click.option("--host", help="The address to listen on, instead of NEXUS_HOST.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on, instead of NEXUS_PORT.")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Processes that answer; each has NEXUS_POOL_SIZE database connections.",
)
def serve(host: str | None, port: int | None, workers: int) -> None:
    """
    Answer HTTP requests.

    SIGTERM or Ctrl-C: finishes what is being answered, then ends. `/healthz`
    says whether the process lives, `/readyz` whether it can work.
    """
    from nexus.entrypoints import logs
    from nexus.entrypoints.http.server import http_server
    from nexus.entrypoints.shared_figures import sharing

    stated = _ready(settings(), "database_url", "secret_key")
    host, port = host or stated.host, port or stated.port
    _refuse_taken(host, port)
    logs.configure(stated)
    # Loaded before the processes part, so that they share the memory of what is loaded.
    __import__("nexus.entrypoints.http.asgi")
    _warn_of_powers(stated)
    server = http_server(
        "nexus.entrypoints.http.asgi:create",
        host=host,
        port=port,
        workers=workers,
        logs=logs.of_libraries(stated),
    )
    with sharing() if stated.metrics else nullcontext():
        server.serve()


@click.command(
    short_help="Handle what happened, and jobs that are due.",
    cls=Taught,
    examples=["nexus worker --threads 8"],
)
@click.option(
    "--threads", type=click.IntRange(1, 256), help="Events at a time, instead of NEXUS_WORKER_THREADS."
)
def worker(threads: int | None) -> None:
    """
    Handle what happened: tell people, pass freed places on, run jobs that are due.

    Any number may run. SIGTERM or Ctrl-C: finishes what is in hand (30 s at
    most), then ends; what is cut off is done again by another worker.
    """
    from nexus.entrypoints import logs
    from nexus.entrypoints.monitoring import serving
    from nexus.entrypoints.tracing import tracing
    from nexus.entrypoints.wiring import open_nexus
    from nexus.entrypoints.worker.run import working

    stated = _ready(settings(), "database_url", "redis_url", "secret_key")
    logs.configure(stated)
    _warn_of_powers(stated)
    with (
        _until_asked_to_stop() as stop,
        tracing(os.environ, "worker") as traces,
        open_nexus(stated) as nexus,
        serving(stated.host, stated.metrics_port, nexus.scrape),
        working(
            nexus,
            stated.need("redis_url"),
            threads=threads or stated.worker_threads,
            handle=None if traces is None else traces.handling(nexus.handle_event),
        ),
    ):
        stop.wait()


@click.command(cls=Taught, examples=["nexus scheduler"])
def scheduler() -> None:
    """
    Hand jobs to the workers when they are due.

    One is enough; several are safe: each time of a job is handed over once.
    """
    from nexus.entrypoints import logs
    from nexus.entrypoints.monitoring import serving
    from nexus.entrypoints.wiring import open_nexus
    from nexus.entrypoints.worker.scheduler import Scheduler

    stated = _ready(settings(), "database_url", "secret_key")
    logs.configure(stated)
    _warn_of_powers(stated)
    with (
        _until_asked_to_stop() as stop,
        open_nexus(stated) as nexus,
        serving(stated.host, stated.metrics_port, nexus.scrape),
    ):
        Scheduler(nexus.call_due_jobs).run(stop)


def _refuse_taken(host: str, port: int) -> None:
    """The server would share a port with whoever has it, and each get some of the requests."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise Fault(f"cannot listen on {host}:{port}: {error.strerror}") from error


def _warn_of_powers(stated: Settings) -> None:
    """An owner's login works, and goes unnoticed until somebody executes SQL of their own with it."""
    import structlog

    from nexus.entrypoints.wiring import excessive_powers

    if powers := excessive_powers(stated):
        structlog.get_logger("nexus").warning(
            "the database login may do too much", login="; ".join(powers), see="docs/howto/deploy.md"
        )


def _ready(stated: Settings, *names: str) -> Settings:
    for name in names:
        stated.need(name)
    return stated


@contextmanager
def _until_asked_to_stop() -> Iterator[Event]:
    """An event that SIGTERM and SIGINT set."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    yield stop
