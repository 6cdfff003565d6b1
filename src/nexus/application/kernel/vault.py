"""
Texts that nobody reads from the store alone.

What is sealed is bound to its place by a *context*, ``table/column/row``: moved
anywhere else it does not open. Everything about a child is sealed under the
child's own key, which is stored sealed itself: without that one row nothing of it
can be read again.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from nexus.domain.kernel.ids import ChildId


class SealBroken(Exception):
    """
    A sealed text cannot be opened.

    It was changed, moved to another place, sealed with a key that is not here, or
    its key was destroyed.
    """


def place(table: str, column: str, row: UUID) -> str:
    """The context of what is sealed in this column of this row."""
    return f"{table}/{column}/{row}"


def place_of_key(child: ChildId) -> str:
    """The context of a child's own key."""
    return place("child_keys", "key", child)


class Seals(Protocol):
    """Seals texts and opens them again."""

    def seal(self, plaintext: str, *, context: str) -> bytes:
        """
        The text, encrypted and bound to the place (*context*) where it is kept.

        Raises:
            SealBroken: The stored key that it should be sealed under cannot be opened.
        """
        ...

    def open(self, sealed: bytes, *, context: str) -> str:
        """
        The text again.

        Raises:
            SealBroken: It was changed, or sealed for another place or with another key.
        """
        ...


class Vault(Seals, Protocol):
    """Seals under the installation's current key, opens with that and former ones."""

    def new_key(self, *, context: str) -> bytes:
        """A fresh key for :meth:`under`, sealed for the place (*context*) where it is kept."""
        ...

    def under(self, key: bytes | None, *, context: str) -> Seals:
        """
        What seals and opens with a stored key; *context* is the key's own place.

        A key is opened when it is used and not before: with none, or a broken one,
        only what was sealed without it opens.
        """
        ...


class RotatingVault(Vault, Protocol):
    """A vault that moves what is sealed to its current key."""

    @property
    def mark(self) -> bytes:
        """How everything begins that is sealed under the current key."""
        ...

    @property
    def mark_under(self) -> bytes:
        """How everything begins that is sealed under a stored key."""
        ...

    def reseal(self, sealed: bytes, *, context: str) -> bytes:
        """
        The same text or key, sealed under the current key.

        Raises:
            SealBroken: It does not open.
        """
        ...


class ChildKeys(Protocol):
    """The children's own keys, sealed."""

    def give(self, child: ChildId, key: bytes, *, at: datetime) -> bytes:
        """
        The key of the child, for all time: *key* if it had none, else the one it has.

        Raises:
            SealBroken: It was destroyed; nothing is ever sealed for that child again.
        """
        ...
