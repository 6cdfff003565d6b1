"""Time, ids and transactions, as every use case asks for them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from nexus.domain.kernel.events import Event

Clock = Callable[[], datetime]
"""The present instant, in UTC."""

NewId = Callable[[], UUID]
"""A fresh id, never given before."""

W_co = TypeVar("W_co", covariant=True)


class Begin(Protocol[W_co]):
    """
    Opens a unit of work.

    A clean exit commits everything that was done through it, an exception undoes
    it. Opened inside another one on the same thread it is a savepoint: its own
    failure undoes its own part, and only the outermost exit commits.
    """

    def __call__(self) -> AbstractContextManager[W_co]: ...


class Outbox(Protocol):
    """Events that must reach the background, stored with the change that made them true."""

    def add(self, *events: Event) -> None:
        """Store the events in this transaction; each is handled at least once after the commit."""
        ...
