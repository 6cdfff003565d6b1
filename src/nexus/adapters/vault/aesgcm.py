"""
Sealed texts: AES-256-GCM.

::

    1 byte    1: under a key of the installation; 2: under a key that is itself sealed and stored
    4 bytes   key id (the first bytes of the key's SHA-256)
    12 bytes  nonce, random for each text
    rest      ciphertext with its tag; the context is authenticated with it
"""

import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nexus.application.kernel.vault import SealBroken

KEY_BYTES: Final = 32
DIRECT: Final = b"\x01"
UNDER: Final = b"\x02"
_MARK: Final = slice(0, 5)
_NONCE: Final = slice(5, 17)
_SEALED: Final = slice(17, None)


def mark(key: bytes, *, kind: bytes = DIRECT) -> bytes:
    """How everything begins that is sealed with this key."""
    return kind + sha256(key).digest()[:4]


class AesGcmVault:
    """
    Seals with the first key and opens with any of them, so that keys can be rotated.

    Raises:
        ValueError: Two keys cannot be told apart by their ids; one of them must be made anew.
    """

    def __init__(self, key: bytes, *, former: Sequence[bytes] = ()) -> None:
        self.mark = mark(key)
        self._keys: Mapping[bytes, AESGCM] = {mark(each): AESGCM(each) for each in (*former, key)}
        if len(self._keys) != len({key, *former}):
            raise ValueError("two different keys share a key id")

    @property
    def mark_under(self) -> bytes:
        return UNDER

    def seal(self, plaintext: str, *, context: str) -> bytes:
        return self._seal(_bytes(plaintext), context)

    def open(self, sealed: bytes, *, context: str) -> str:
        return _text(self._open(sealed, context))

    def reseal(self, sealed: bytes, *, context: str) -> bytes:
        return self._seal(self._open(sealed, context), context)

    def new_key(self, *, context: str) -> bytes:
        return self._seal(os.urandom(KEY_BYTES), context)

    def under(self, key: bytes | None, *, context: str) -> "VaultUnder":
        return VaultUnder(self, key, context)

    def unwrap(self, key: bytes | None, *, context: str) -> bytes:
        """
        The key in clear.

        Raises:
            SealBroken: There is none any more, or its own seal is broken.
        """
        if key is None:
            raise SealBroken
        found = self._open(key, context)
        if len(found) != KEY_BYTES:
            raise SealBroken
        return found

    def _seal(self, plaintext: bytes, context: str) -> bytes:
        return _encrypt(self._keys[self.mark], self.mark, plaintext, context)

    def _open(self, sealed: bytes, context: str) -> bytes:
        key = self._keys.get(sealed[_MARK])
        if key is None:
            raise SealBroken
        return _decrypt(key, sealed, context)


class VaultUnder:
    """
    A vault with one key, which is unwrapped each time and never kept.

    That costs microseconds. What it buys: nobody opens anything without the stored
    key, so that destroying it takes effect at once and everywhere.
    """

    def __init__(self, outer: AesGcmVault, key: bytes | None, context: str) -> None:
        self._outer = outer
        self._wrapped = key
        self._context = context

    def seal(self, plaintext: str, *, context: str) -> bytes:
        key = self._outer.unwrap(self._wrapped, context=self._context)
        return _encrypt(AESGCM(key), mark(key, kind=UNDER), _bytes(plaintext), context)

    def open(self, sealed: bytes, *, context: str) -> str:
        if sealed[:1] == DIRECT:
            # Sealed before there were such keys, and not rotated since.
            return self._outer.open(sealed, context=context)
        key = self._outer.unwrap(self._wrapped, context=self._context)
        if sealed[_MARK] != mark(key, kind=UNDER):
            raise SealBroken
        return _text(_decrypt(AESGCM(key), sealed, context))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(plaintext: bytes) -> str:
    try:
        return plaintext.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise SealBroken from error


def _encrypt(key: AESGCM, begins: bytes, plaintext: bytes, context: str) -> bytes:
    nonce = os.urandom(12)
    return begins + nonce + key.encrypt(nonce, plaintext, context.encode())


def _decrypt(key: AESGCM, sealed: bytes, context: str) -> bytes:
    try:
        return key.decrypt(sealed[_NONCE], sealed[_SEALED], context.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error
