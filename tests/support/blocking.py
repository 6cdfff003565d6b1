"""Notices what blocks a thread while a fiber runs in it: then everybody waits."""

import sys
import traceback
from typing import Any, Final

from nexus.adapters.postgres.fibers import fiber

BLOCKS: Final = frozenset({
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "time.sleep", "urllib.Request",
})  # fmt: skip
"""Events that the interpreter tells its auditors; PostgreSQL's own waits are none of them."""


class Blocking:
    """
    What was seen since it was last asked, each with the place it came from.

    An interpreter's auditors are for life: there is one for all tests.
    """

    def __init__(self) -> None:
        self._seen: list[str] = []
        sys.addaudithook(self._look)

    def _look(self, event: str, _: tuple[Any, ...]) -> None:
        if event in BLOCKS and fiber() is not None:
            self._seen.append(f"{event}\n{''.join(traceback.format_stack(limit=8))}")

    def seen(self) -> list[str]:
        """All of it, told once."""
        told, self._seen = self._seen, []
        return told
