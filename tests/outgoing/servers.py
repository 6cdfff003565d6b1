"""Servers on this machine that the client is let loose on, with certificates that a test trusts."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address

from attrs import define, field
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nexus.adapters.system.clock import now


@define
class Authority:
    """An authority that certifies whatever a test wants."""

    key: ec.EllipticCurvePrivateKey = field(factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    certificate: x509.Certificate = field(init=False)

    def __attrs_post_init__(self):
        self.certificate = self._sign("Authority of the tests", self.key.public_key(), is_authority=True)

    def _sign(self, name, public_key, *, is_authority=False, other=()):
        at = now()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if is_authority else self.certificate.subject
        key_ids = x509.SubjectKeyIdentifier.from_public_key
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(at - timedelta(days=1))
            .not_valid_after(at + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(key_ids(public_key), critical=False)
        )
        if other:
            built = built.add_extension(x509.SubjectAlternativeName(list(other)), critical=False)
        return built.sign(self.key, hashes.SHA256())

    def serving(self, folder, host: str) -> ssl.SSLContext:
        """What a server of this name needs."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            other = x509.IPAddress(ip_address(host))
        except ValueError:
            other = x509.DNSName(host)
        signed = self._sign(host, key.public_key(), other=[other])
        path = folder / "server.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + signed.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def trusting(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(
            cadata=self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        )
        return context


@define
class Heard:
    """A server that notes what it is asked."""

    port: int
    requests: list[bytes] = field(factory=list)
    names: list[str | None] = field(factory=list)
    """The server names that clients sent in TLS."""


@contextmanager
def serving(
    reply: Callable[[socket.socket], None] | bytes,
    *,
    tls: ssl.SSLContext | None = None,
    family: socket.AddressFamily = socket.AF_INET,
) -> Iterator[Heard]:
    """A server on loopback that reads a request's head and replies."""
    listening = socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family)
    heard = Heard(listening.getsockname()[1])
    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: heard.names.append(name)

    def answer() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client:
                client.settimeout(5)
                try:
                    stream = tls.wrap_socket(client, server_side=True) if tls else client
                    head = b""
                    while b"\r\n\r\n" not in head and (piece := stream.recv(4096)):
                        head += piece
                    heard.requests.append(head)
                    if isinstance(reply, bytes):
                        stream.sendall(reply)
                    else:
                        reply(stream)
                    stream.close()
                except OSError:
                    pass  # The client hung up, as it may.

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield heard
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
