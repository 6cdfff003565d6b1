"""Texts that nobody reads from the store alone."""

from typing import Protocol


class SealBroken(Exception):
    """A sealed text was changed, moved to another place, or sealed with a key that is not here."""


class Vault(Protocol):
    """
    Seals texts and opens them again.

    A *context* names the place where a sealed text is kept, as ``table/column/row``:
    moved anywhere else it does not open.
    """

    def seal(self, plaintext: str, *, context: str) -> bytes:
        """The text, encrypted and bound to the place (*context*) where it is kept."""
        ...

    def open(self, sealed: bytes, *, context: str) -> str:
        """
        The text again.

        Raises:
            SealBroken: It was changed, or sealed for another place or with another key.
        """
        ...
