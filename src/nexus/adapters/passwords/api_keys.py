"""API keys: made of chance, kept as keyed digests."""

import secrets
from collections.abc import Sequence
from hmac import compare_digest, digest

from attrs import field, frozen

from nexus.domain.platform.api_keys import (
    ALPHABET,
    PREFIX_ALPHABET,
    PREFIX_LENGTH,
    SECRET_LENGTH,
    KeyText,
)


def new_key_text() -> KeyText:
    """A fresh key; two prefixes alike are rarer than one in 2.8 thousand billion."""
    return KeyText(
        "".join(secrets.choice(PREFIX_ALPHABET) for _ in range(PREFIX_LENGTH)),
        "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH)),
    )


@frozen
class HmacDigests:
    """
    HMAC-SHA256 under the first key; digests made under the others are still recognised.

    A fast hash is enough for 256 random bits; the key makes a stolen table worth nothing.
    """

    _keys: Sequence[bytes] = field(repr=False)

    def of(self, text: KeyText) -> bytes:
        return _digest(self._keys[0], text)

    def matches(self, text: KeyText, digest: bytes) -> bool:
        # A list, so that all are compared whichever it is.
        return any([compare_digest(_digest(key, text), digest) for key in self._keys])  # noqa: C419

    def is_outdated(self, text: KeyText, digest: bytes) -> bool:
        return not compare_digest(self.of(text), digest)


def _digest(key: bytes, text: KeyText) -> bytes:
    return digest(key, f"{text.prefix}_{text.secret}".encode(), "sha256")
