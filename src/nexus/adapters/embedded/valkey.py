"""The bundled Valkey."""

import signal
import socket
from pathlib import Path
from typing import ClassVar

from nexus.adapters.embedded import binaries
from nexus.adapters.embedded.process import LOOPBACK
from nexus.adapters.embedded.server import EmbeddedServer


class EmbeddedValkey(EmbeddedServer):
    """
    A Valkey server that evicts nothing and writes everything down.

    What was acknowledged survives the death of this process and of the server;
    the death of the machine may cost the last second, unless *durable* is
    False, when nothing is written at all.
    """

    name: ClassVar[str] = "Valkey"
    stopping: ClassVar[tuple[tuple[signal.Signals, float], ...]] = ((signal.SIGTERM, 30.0),)

    @property
    def redis_url(self) -> str:
        """The URL of database 0; it contains the password."""
        return f"redis://:{self._folder.password()}@{LOOPBACK}:{self.port}/0"

    def prepare(self) -> None:
        self._program = binaries.valkey(self._folder.path, self.account)
        self._folder.data.mkdir(mode=0o700, exist_ok=True)
        self.account.own(self._folder.data)

    def command(self) -> list[str | Path]:
        return [self._program, "-"]

    def standard_input(self) -> bytes:
        return f"""
            bind {LOOPBACK}
            port {self.port}
            requirepass {self._folder.password()}
            dir "{self._folder.data}"
            appendonly {"yes" if self.durable else "no"}
            appendfsync everysec
            save ""
            maxmemory-policy noeviction
            daemonize no
        """.encode()

    def answers(self) -> bool:
        """Only our own server knows the password, and only a loaded one says PONG."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=5) as connection:
                connection.sendall(f"AUTH {self._folder.password()}\r\nPING\r\n".encode())
                said = b""
                while said.count(b"\r\n") < 2 and (more := connection.recv(256)):  # noqa: PLR2004 - two answers
                    said += more
        except OSError:
            return False
        return said == b"+OK\r\n+PONG\r\n"
