"""Ids and codes that come out the same when the same past is told again."""

from itertools import count
from random import Random
from uuid import UUID

from nexus.adapters.system.chance import UNAMBIGUOUS
from nexus.application.kernel.ports import Clock


class SeededChance:
    """
    Ids and codes that follow from a seed, a clock, and how many were made before.

    They can be foretold: only for worlds in which nothing is at stake.
    """

    def __init__(self, seed: int, now: Clock) -> None:
        self._random = Random(seed)  # noqa: S311 - being foretold is its purpose
        self._now = now
        self._made = count()

    def new_id(self) -> UUID:
        """A UUID of version 7, of the clock's time; those of one millisecond are in the order of making."""
        milliseconds = int(self._now().timestamp() * 1000) & (1 << 48) - 1
        order = next(self._made) & 0xFFF
        return UUID(
            int=milliseconds << 80 | 0x7 << 76 | order << 64 | 0b10 << 62 | self._random.getrandbits(62)
        )

    def new_code(self) -> str:
        """A confirmation code like those of :func:`nexus.adapters.system.chance.new_code`."""
        letters = "".join(self._random.choices(UNAMBIGUOUS, k=8))
        return f"{letters[:4]}-{letters[4:]}"
