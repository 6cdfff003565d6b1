"""
Sealed texts: AES-256-GCM.

::

    1 byte    format version
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

_VERSION: Final = b"\x01"
_NONCE: Final = slice(5, 17)
_SEALED: Final = slice(17, None)


class AesGcmVault:
    """Seals with the first key and opens with any of them, so that keys can be rotated."""

    def __init__(self, key: bytes, *, former: Sequence[bytes] = ()) -> None:
        self._current = _name(key)
        self._keys: Mapping[bytes, AESGCM] = {_name(each): AESGCM(each) for each in (*former, key)}

    def seal(self, plaintext: str, *, context: str) -> bytes:
        nonce = os.urandom(12)
        sealed = self._keys[self._current].encrypt(nonce, plaintext.encode(), context.encode())
        return _VERSION + self._current + nonce + sealed

    def open(self, sealed: bytes, *, context: str) -> str:
        key = self._keys.get(sealed[1:5])
        if sealed[:1] != _VERSION or key is None:
            raise SealBroken
        try:
            return key.decrypt(sealed[_NONCE], sealed[_SEALED], context.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error


def _name(key: bytes) -> bytes:
    return sha256(key).digest()[:4]
