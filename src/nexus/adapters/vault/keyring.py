"""The keys of an installation: one for each use, none of which tells another."""

import os
from base64 import b64encode
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from nexus.adapters.vault.aesgcm import KEY_BYTES, AesGcmVault, mark


class Use(StrEnum):
    """What keys are for. The names are part of the derivation: another name is another key."""

    SEALING = "sealing"
    FINGERPRINTS = "command fingerprints"
    API_KEYS = "api keys"


def derived(key: bytes, use: Use) -> bytes:
    """The key for one use (HKDF-SHA256)."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"nexus/{use.value}".encode()).derive(key)


def fresh_key() -> str:
    """A new key, as settings state it."""
    return b64encode(os.urandom(KEY_BYTES)).decode()


class KeyRing:
    """
    The current key and former ones, which only open and recognise.

    Until keys were derived, the key itself sealed notes and keyed fingerprints: for
    those two uses each key counts as a former one in its own right.
    """

    def __init__(self, current: bytes, former: Sequence[bytes] = ()) -> None:
        self._roots = {"current": current} | {
            f"former {number}": key for number, key in enumerate(former, 1) if key != current
        }

    def keys_for(self, use: Use) -> tuple[bytes, ...]:
        """The keys for one use: the current one first, then those that are only recognised."""
        own = [derived(root, use) for root in self._roots.values()]
        return tuple(own if use is Use.API_KEYS else [*own, *self._roots.values()])

    @cached_property
    def vault(self) -> AesGcmVault:
        """Seals with the current key, opens with all of them."""
        current, *former = self.keys_for(Use.SEALING)
        return AesGcmVault(current, former=former)

    @cached_property
    def names(self) -> Mapping[bytes, str]:
        """What each key is called, by how everything begins that is sealed with it."""
        return {
            mark(key): name + how
            for name, root in self._roots.items()
            for key, how in ((derived(root, Use.SEALING), ""), (root, ", underived"))
        }
