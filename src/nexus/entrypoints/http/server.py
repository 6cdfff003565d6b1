"""The HTTP server, with what it allows a client before the application hears of it."""

from typing import Any, Final

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server import Server
from granian.server.common import AbstractServer

HEADERS_WITHIN: Final = 10_000
"""Milliseconds in which a request's line and headers must arrive, and an idle connection is kept."""
LONGEST_HEADERS: Final = 32_768
"""
Bytes of a request's line and headers, about: what has been read already is still looked at.

Of headers there may be 100, by the server's own rule (431 beyond).
"""


def http_server(
    target: str, *, host: str, port: int, workers: int = 1, logs: dict[str, Any] | None = None
) -> AbstractServer[Any]:
    """
    A server for the application that the factory *target* makes.

    HTTP/1.1 only: what is in front speaks it too, and what it does not do cannot be abused.
    """
    return Server(
        target,
        factory=True,
        interface=Interfaces.ASGI,
        address=host,
        port=port,
        workers=workers,
        loop=Loops.auto,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_WITHIN, max_buffer_size=LONGEST_HEADERS),
        websockets=False,
        log_enabled=logs is not None,
        log_dictconfig=logs,
        respawn_failed_workers=True,
        respawn_interval=1,
        workers_kill_timeout=30,
    )
