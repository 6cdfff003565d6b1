"""Events that could not be handled: look at them, and try them again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from attrs import frozen

from nexus.application.kernel.audit import AuditWork
from nexus.application.kernel.ports import Begin
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import EventId

MOST: Final = 1000
"""Events shown at a time."""


@frozen(kw_only=True)
class TroubledEvent:
    """
    An event whose handler failed at least once.

    Until it is parked it is sent again, each time after twice as long; once
    ``parked_at`` is set only people send it again.
    """

    id: EventId
    type: str
    occurred_at: datetime
    attempts: int
    parked_at: datetime | None
    last_error: str | None


class ParkedEvents(Protocol):
    """What waits for people among the events."""

    def troubled(self, *, limit: int) -> Sequence[TroubledEvent]:
        """Events that failed and are not handled yet, parked ones first, oldest first."""
        ...

    def release(self, event: EventId | None) -> Sequence[EventId]:
        """Let the relay send parked events anew, as if they had just happened; without an id all of them."""
        ...


class ParkedWork(AuditWork, Protocol):
    """What looking after parked events needs."""

    @property
    def parked(self) -> ParkedEvents: ...


@frozen
class ListTroubledEvents:
    """What the background could not do so far, and why."""

    begin: Begin[ParkedWork]

    def __call__(self) -> Sequence[TroubledEvent]:
        with self.begin() as work:
            return work.parked.troubled(limit=MOST)


@frozen
class RetryParkedEvents:
    """Have parked events handled after all, once what stood in the way is mended."""

    begin: Begin[ParkedWork]

    def __call__(self, event: EventId | None = None) -> Sequence[EventId]:
        """
        Which are tried again: the one that is named, or all.

        Raises:
            NoSuchThing: The named event is not parked.
        """
        with self.begin() as work:
            released = work.parked.release(event)
            if event is not None and not released:
                raise NoSuchThing("parked event")
            work.audit.add(*(Deed(Action.EVENT_RETRIED, each) for each in released))
        return released
