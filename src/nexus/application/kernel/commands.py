"""A command that was sent twice is done once: what is remembered of the first time."""

from typing import Protocol

from attrs import frozen

from nexus.domain.kernel.errors import Invalid
from nexus.domain.kernel.ids import UserId


@frozen
class Reply:
    """The answer that was given the first time, and to which request."""

    fingerprint: bytes
    status: int
    body: bytes
    media_type: str


class Commands(Protocol):
    """The keys that each person has used, with the answers."""

    def claim(self, actor: UserId, key: str, fingerprint: bytes) -> Reply | None:
        """
        Take the key for this transaction, or say what was answered under it.

        Of several who claim a key at the same time one gets it; the others wait for
        its end and are given its answer, or the key if it was rolled back.
        """
        ...

    def store(self, actor: UserId, key: str, reply: Reply) -> None:
        """Keep the answer under the key that this transaction claimed."""
        ...


class CommandWork(Protocol):
    """A unit of work that remembers commands."""

    @property
    def commands(self) -> Commands: ...


@frozen
class IdempotencyKeyReused(Invalid):
    """This Idempotency-Key was already used for another request."""
