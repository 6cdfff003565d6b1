"""``Idempotency-Key``: the same command sent again is answered again, not done again."""

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeVar

import msgspec
from attrs import frozen
from litestar import Request, Response

from nexus.application.kernel.commands import Commands, Fingerprint, Reply
from nexus.application.kernel.ports import Begin
from nexus.domain.kernel.errors import Refusal
from nexus.domain.kernel.ids import UserId
from nexus.entrypoints.http.etag import etag
from nexus.entrypoints.http.faults import parameter_fault
from nexus.entrypoints.http.problems import MEDIA_TYPE, document, status_of
from nexus.entrypoints.http.views import encode

V = TypeVar("V")

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
STORED_REFUSALS: Final = frozenset({403, 404, 409, 422})
"""Refusals that stay true for this command; the others may succeed when sent again."""

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}\Z")


@frozen
class Attempt:
    """The key a command was sent under, if any, and the digest of what was sent."""

    key: str | None
    fingerprint: Fingerprint


def request_key(stated: str | None) -> str | None:
    """
    The value of the header.

    Raises:
        Malformed: It is not 1 to 255 visible ASCII characters.
    """
    if stated is None or _KEY.match(stated):
        return stated
    raise parameter_fault(f"header.{HEADER}", "must be 1 to 255 visible ASCII characters")


def fingerprint(secret: bytes, method: str, path: str, body: bytes) -> bytes:
    """
    The same for the same request, however its JSON is spaced or ordered.

    Keyed: a body may hold a password, which nobody shall guess from what is stored.
    """
    try:
        canonical = msgspec.json.encode(msgspec.json.decode(body), order="deterministic") if body else b""
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        canonical = body
    stated = b"\n".join([method.encode(), path.encode("utf-8", "replace"), canonical])
    return hmac.digest(secret, stated, "sha256")


def attempts(secrets: Sequence[bytes]) -> Callable[[Request[Any, Any, Any]], Awaitable[Attempt]]:
    """What a handler's ``attempt`` is, with fingerprints keyed by the first of *secrets* and by former ones."""

    async def attempt_of(request: Request[Any, Any, Any]) -> Attempt:
        key = request_key(request.headers.get(HEADER))
        if key is None:
            return Attempt(None, Fingerprint(b""))
        query = request.scope["query_string"].decode("latin-1")
        path = f"{request.scope['path']}?{query}" if query else request.scope["path"]
        body = await request.body()
        current, *former = (fingerprint(secret, request.method, path, body) for secret in secrets)
        return Attempt(key, Fingerprint(current, tuple(former)))

    return attempt_of


class CommandWork(Protocol):
    """A unit of work that remembers commands."""

    @property
    def commands(self) -> Commands: ...


@frozen
class Once:
    """Runs somebody's commands, each key once."""

    begin: Begin[CommandWork]
    actor: UserId

    def __call__(
        self, key: str | None, fingerprint: Fingerprint, status: int, run: Callable[[], V]
    ) -> Response[V]:
        """
        The answer to a command: done now, or remembered from the first time.

        The command and the memory of its answer are committed together. A refusal
        undoes the command's own part and is remembered too; failures are not.

        Raises:
            IdempotencyKeyReused: The key belongs to a different request.
        """
        if key is None:
            return _fresh(run(), status)
        with self.begin() as work:
            earlier = work.commands.claim(self.actor, key, fingerprint)
            if earlier is not None:
                return _answer(earlier, {REPLAYED: "true"})
            reply = self._reply(status, run)
            work.commands.store(self.actor, key, reply)
        return _answer(reply)

    def _reply(self, status: int, run: Callable[[], Any]) -> Reply:
        try:
            with self.begin():
                view = run()
                body = b"" if view is None else encode(view)
        except Refusal as refusal:
            refused = status_of(refusal)
            if refused not in STORED_REFUSALS or refusal.is_passing:
                raise
            return Reply(refused, MEDIA_TYPE, document(refusal, with_request=False))
        return Reply(status, "application/json", body)


def _fresh(view: V, status: int) -> Response[V]:
    version = getattr(view, "version", None)
    return Response(view, status_code=status, headers=etag(version) if isinstance(version, int) else {})


def _answer(reply: Reply, headers: Mapping[str, str] | None = None) -> Response[Any]:
    stated = dict(headers or {})
    if reply.status < HTTPStatus.MULTIPLE_CHOICES and reply.body:
        view = msgspec.json.decode(reply.body)
        if isinstance(view, dict) and isinstance(view.get("version"), int):
            stated |= etag(view["version"])
    return Response(reply.body or None, status_code=reply.status, media_type=reply.media_type, headers=stated)
