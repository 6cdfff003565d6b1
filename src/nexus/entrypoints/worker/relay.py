"""Hands committed events over to the broker."""

from collections.abc import Callable
from threading import Event
from typing import Any, Final, Protocol

import structlog
from attrs import frozen

from nexus.application.kernel.ports import Begin
from nexus.domain.kernel.ids import EventId

BATCH: Final = 200

PAUSE: Final = 0.1
"""Seconds between two looks at the outbox when it was empty."""

log = structlog.get_logger(__name__)


class Outgoing(Protocol):
    """The outbox, as the relay reads it."""

    def claim_unsent(self, *, limit: int) -> tuple[EventId, ...]: ...


class RelayWork(Protocol):
    @property
    def inbox(self) -> Outgoing: ...


@frozen
class Relay:
    """
    Sends each event that was not sent, or was sent in vain, oldest first.

    Marking and sending are one transaction: an event is sent at least once, and
    any number of relays share the work. When the broker is away nothing is
    marked.
    """

    begin: Begin[RelayWork]
    send: Callable[[EventId], Any]

    def __call__(self) -> int:
        """Send one batch; returns how many were sent."""
        with self.begin() as work:
            events = work.inbox.claim_unsent(limit=BATCH)
            for event in events:
                self.send(event)
        return len(events)

    def run(self, stop: Event) -> None:
        """Relay until *stop* is set; outages of broker or database are waited out."""
        while not stop.is_set():
            try:
                sent = self()
            except Exception as error:
                log.warning("relay is waiting", reason=type(error).__name__)
                stop.wait(1)
                continue
            if not sent:
                stop.wait(PAUSE)
