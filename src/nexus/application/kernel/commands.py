"""Commands that a client named, so that repeating one repeats its answer and not its effect."""

from typing import Protocol

from attrs import frozen

from nexus.domain.kernel.errors import Invalid
from nexus.domain.kernel.ids import UserId


@frozen
class IdempotencyKeyReused(Invalid):
    """This Idempotency-Key was used for a different request."""


@frozen
class Fingerprint:
    """What tells a request from others: its digest under the key of now, and under those of before."""

    current: bytes
    former: tuple[bytes, ...] = ()

    def matches(self, stored: bytes) -> bool:
        """Whether that is this request's, whichever key was current when it was stored."""
        return stored == self.current or stored in self.former


@frozen
class Reply:
    """What was answered, to the byte."""

    status: int
    media_type: str
    body: bytes


class Commands(Protocol):
    """The commands that took effect, each with its reply."""

    def claim(self, actor: UserId, key: str, fingerprint: Fingerprint) -> Reply | None:
        """
        Take the key for this transaction, or give the reply that it has already.

        While another transaction holds the key, this waits for its outcome.

        Raises:
            IdempotencyKeyReused: The key belongs to a request with another fingerprint.
        """
        ...

    def store(self, actor: UserId, key: str, reply: Reply) -> None:
        """Keep the reply to the command claimed in this transaction."""
        ...
