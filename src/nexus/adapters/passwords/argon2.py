"""Argon2id, never more than a few at once: each takes 19 MiB and a core for some 20 ms."""

from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from nexus.adapters.passwords.common import common_passwords

AT_ONCE: Final = 2

HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class Argon2Passwords:
    """Hashes with t=2, m=19 MiB, p=1 by default; callers beyond the limit wait for their turn."""

    def __init__(self, *, at_once: int = AT_ONCE, hasher: PasswordHasher = HASHER) -> None:
        self._hasher = hasher
        self._turn = BoundedSemaphore(at_once)
        # Checked when there is no account, so that its absence takes as long.
        self._nobody = self._hasher.hash("nobody")

    @property
    def common(self) -> frozenset[str]:
        return common_passwords()

    def hash(self, password: str) -> str:
        with self._turn:
            return self._hasher.hash(password)

    def verify(self, password: str, hashed: str | None) -> bool:
        with self._turn:
            try:
                self._hasher.verify(hashed or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return hashed is not None

    def needs_rehash(self, hashed: str) -> bool:
        return self._hasher.check_needs_rehash(hashed)
