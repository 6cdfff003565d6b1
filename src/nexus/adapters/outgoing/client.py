"""The client that asks the outside, and nobody else."""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, Final

import httpcore
from attrs import field, frozen

from nexus.adapters.outgoing.addresses import is_public
from nexus.adapters.outgoing.destinations import Address, Destination, ForbiddenDestination

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host name, for a port."""

_PIECE: Final = 16384
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class NoAnswer(Exception):
    """There was no answer, or none that can be used; the message says why."""


class _OutOfTimeError(Exception):
    """The time for the whole request is over."""


@frozen
class Answer:
    """An answer that has begun to arrive."""

    status: int
    headers: Sequence[tuple[str, str]]
    """Names in lower case."""
    chunks: Iterator[bytes]
    """
    The body, once.

    Raises:
        NoAnswer: It is larger than allowed, comes too slowly or breaks off.
    """

    def read(self) -> bytes:
        """The whole body."""
        return b"".join(self.chunks)


def system_addresses(host: str, port: int) -> Sequence[str]:
    """What the machine's resolver says."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@frozen(kw_only=True)
class OutgoingClient:
    """
    Asks a server on the public internet, whoever named it.

    The host is resolved once; if any of its addresses is not public, nothing is
    sent. The connection goes to an address that was checked, so a name that
    answers differently a moment later changes nothing. TLS is verified against
    the name. Redirects are not followed, proxies in the environment not used,
    and nothing is decompressed: a small answer stays small.
    """

    origins: frozenset[tuple[str, int]] = frozenset({("https", 443)})
    """Scheme and port of what may be asked."""
    admits: Callable[[Address], bool] = is_public
    resolve: Resolve = system_addresses
    tls: ssl.SSLContext = field(factory=ssl.create_default_context, repr=False)
    connect_within: timedelta = timedelta(seconds=5)
    """For each of: finding the addresses, connecting to one of them, agreeing on keys."""
    answer_within: timedelta = timedelta(seconds=30)
    """For everything, until the last byte."""
    most_bytes: int = 1 << 20
    """The longest body that is read."""

    @contextmanager
    def ask(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Iterator[Answer]:
        """
        Send a request; the answer lives as long as the block.

        Raises:
            UnusableUrl: The URL cannot be meant, or carries a user and password.
            ForbiddenDestination: Not there: the scheme, the port or an address of the host.
            NoAnswer: No connection, no trust, no time, or a redirect.
        """
        deadline = _Deadline.after(self.answer_within, step=self.connect_within)
        there = Destination.of(url)
        if (there.scheme, there.port) not in self.origins:
            raise ForbiddenDestination(there.shown, f"{there.scheme} on port {there.port} is not allowed")
        # What goes wrong inside the block is the asker's own matter, and told as it is.
        with ExitStack() as opened:
            with _told():
                backend = _Checked(self._addresses(there, deadline), deadline)
                pool = httpcore.ConnectionPool(
                    ssl_context=self.tls, network_backend=backend, max_connections=1
                )
                sent = {"accept-encoding": "identity", "connection": "close", **(headers or {})}
                where = httpcore.URL(
                    scheme=there.scheme, host=there.shown, port=there.port, target=there.target
                )
                named = {"sni_hostname": str(there.host)}
                opened.enter_context(pool)
                response = opened.enter_context(
                    pool.stream(method, where, headers=[*sent.items()], content=content, extensions=named)
                )
                received = [(k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in response.headers]
                _refuse(response.status, dict(received))
            yield Answer(response.status, received, self._bounded(response))

    def _addresses(self, there: Destination, deadline: "_Deadline") -> Sequence[Address]:
        if isinstance(there.host, str):
            found = [ip_address(text) for text in _within(deadline, self.resolve, there.host, there.port)]
        else:
            found = [there.host]
        if not found:
            raise NoAnswer("the host has no address")
        if not all(map(self.admits, found)):
            raise ForbiddenDestination(there.shown, "it has an address that is not on the public internet")
        return found

    def _bounded(self, response: httpcore.Response) -> Iterator[bytes]:
        length = 0
        with _told():
            for chunk in response.iter_stream():
                length += len(chunk)
                if length > self.most_bytes:
                    raise NoAnswer(f"the answer is longer than {self.most_bytes} bytes")
                yield chunk


def _refuse(status: int, headers: Mapping[str, str]) -> None:
    if status in _REDIRECTS:
        raise NoAnswer("the answer is a redirect, which is not followed")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise NoAnswer("the answer is compressed, which was not asked for")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (_OutOfTimeError, httpcore.TimeoutException):
        raise NoAnswer("the answer took too long") from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as fault:
        raise NoAnswer(str(fault) or "the connection broke") from fault
    except (OSError, UnicodeError) as fault:
        raise NoAnswer(f"the host is not found: {fault}") from fault


@frozen
class _Deadline:
    end: float
    step: float

    @classmethod
    def after(cls, total: timedelta, *, step: timedelta) -> "_Deadline":
        return cls(time.monotonic() + total.total_seconds(), step.total_seconds())

    def left(self) -> float:
        """Seconds until the whole time is over."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise _OutOfTimeError
        return left

    def left_for_a_step(self) -> float:
        return min(self.left(), self.step)


def _within(deadline: _Deadline, resolve: Resolve, host: str, port: int) -> Sequence[str]:
    """
    Resolve in time: the C library cannot be interrupted.

    The thread of a resolver that hangs ends when the resolver gives up.
    """
    results: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            results.put(resolve(host, port))
        except (OSError, UnicodeError) as fault:
            results.put(fault)

    threading.Thread(target=work, name="resolve", daemon=True).start()
    try:
        found = results.get(timeout=deadline.left_for_a_step())
    except queue.Empty:
        raise NoAnswer("the host's name could not be looked up in time") from None
    if isinstance(found, Exception):
        raise found
    return found


class _Checked(httpcore.NetworkBackend):
    """Connects to addresses that were checked, whatever the host's name means by now."""

    def __init__(self, addresses: Sequence[Address], deadline: _Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - it was resolved already, once
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline knows better
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        last: Exception = httpcore.ConnectError("no address answers")
        step_ends = time.monotonic() + self._deadline.left_for_a_step()
        for address in self._addresses:
            left = step_ends - time.monotonic()
            if left <= 0:
                break
            try:
                stream = self._sockets.connect_tcp(str(address), port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as fault:
                last = fault
                continue
            return _Timed(stream, self._deadline)
        raise last


class _Timed(httpcore.NetworkStream):
    """Bytes that all have to pass before the same deadline, however many steps they take."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        within = self._deadline.left_for_a_step()
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, within), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
