"""What happens now may be followed from process to process, by what it comes from."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

origin: Final[ContextVar[str | None]] = ContextVar("origin", default=None)
"""
The trace that whatever runs in this context belongs to, as W3C's ``traceparent``.

None where nobody traces. Events that are added keep it, and whoever handles them goes on
from there. It is made of random numbers, and tells of nobody.
"""


@contextmanager
def coming_from(trace: str | None) -> Iterator[None]:
    """What runs in the block belongs to this trace."""
    token = origin.set(trace)
    try:
        yield
    finally:
        origin.reset(token)
