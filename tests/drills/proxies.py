"""Proxies that lose answers: what was asked for has happened, and nobody is told."""

import random
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from attrs import define, field

SHARE: Final = 0.2
"""Of all replies that matter, so many are lost."""


@define
class Losing:
    """
    Forwards connections to *port*, and cuts some off when the answer to a question has come.

    *matters* says whether these bytes ask for what is to be lost; *is_answered*, whether
    the bytes that came back since are the answer.
    """

    port: int
    matters: Callable[[bytes], bool]
    is_answered: Callable[[bytes], bool]
    chance: random.Random = field(factory=lambda: random.Random(3))
    seen: int = 0
    drops: int = 0
    _lock: threading.Lock = field(factory=threading.Lock)

    @contextmanager
    def listening(self) -> Iterator[int]:
        """The port at which it is reached."""
        with socket.create_server(("127.0.0.1", 0), backlog=256) as server:
            threading.Thread(target=self._accept, args=(server,), daemon=True).start()
            yield server.getsockname()[1]

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                threading.Thread(target=self._pair, args=(client,), daemon=True).start()

    def _pair(self, client: socket.socket) -> None:
        try:
            other = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        except OSError:
            client.close()
            return
        other.settimeout(None)
        _Pair(self, client, other).run()

    def is_unlucky(self) -> bool:
        with self._lock:
            self.seen += 1
            return self.chance.random() < SHARE

    def note_drop(self) -> None:
        with self._lock:
            self.drops += 1


@define
class _Pair:
    proxy: Losing
    client: socket.socket
    server: socket.socket
    dooms: bool = False
    said: bytes = b""

    def run(self) -> None:
        for one in (self.client, self.server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=self._back, daemon=True)
        back.start()
        with suppress(OSError):
            while data := self.client.recv(65536):
                if self.proxy.matters(data) and self.proxy.is_unlucky():
                    self.dooms, self.said = True, b""
                self.server.sendall(data)
        self._cut()

    def _back(self) -> None:
        with suppress(OSError):
            while data := self.server.recv(65536):
                if not self.dooms:
                    self.client.sendall(data)
                    continue
                self.said += data
                if self.proxy.is_answered(self.said):
                    self.proxy.note_drop()
                    break
        self._cut()

    def _cut(self) -> None:
        for one in (self.client, self.server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def commits(port: int) -> Losing:
    """In front of PostgreSQL: loses its word that it has committed."""
    return Losing(
        port, lambda asked: b"COMMIT\x00" in asked, lambda said: b"C\x00\x00\x00\x0bCOMMIT\x00" in said
    )


_LENGTH: Final = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def answers(port: int) -> Losing:
    """In front of the web process: loses whole answers to commands."""

    def is_whole(said: bytes) -> bool:
        head, found, body = said.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        return bool(found) and (length is None or len(body) >= int(length[1]))

    return Losing(port, lambda asked: asked.startswith(b"POST "), is_whole)
