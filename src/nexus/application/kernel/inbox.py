"""Handle each event that was committed, once in effect, however often it arrives."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any, Protocol

from attrs import field, frozen

from nexus.application.kernel.jobs import Job, JobDue
from nexus.application.kernel.mishap import kind, trace
from nexus.application.kernel.origin import coming_from
from nexus.application.kernel.ports import Begin
from nexus.domain.kernel.events import Event
from nexus.domain.kernel.ids import EventId


@frozen
class Taken:
    """An event that is being handled, and the trace to which what caused it belongs."""

    event: Event
    origin: str | None = None


class Inbox(Protocol):
    """Events on their way to their handlers."""

    def take(self, event: EventId) -> Taken | None:
        """The event, locked; None when it was handled, is being handled, or does not exist."""
        ...

    def done(self, event: EventId) -> None:
        """It was handled: nothing of it happens again."""
        ...

    def failed(self, event: EventId, error: str) -> None:
        """It was not handled; the error is kept for whoever looks."""
        ...


@frozen
class HandleEvent:
    """
    React to one event in the transaction that marks it handled.

    A due job works in transactions of its own, since it may be long; it is marked
    when it has ended, and runs again if it was cut off. So does an errand: what an
    event asks of the world outside, for which no transaction is held open.
    """

    begin: Begin[Any]
    react: Callable[[Any, Event], None]
    jobs: Mapping[Job, Callable[[], object]]
    errands: Mapping[type[Event], Callable[[Any], object]] = field(factory=dict)
    watching: Callable[[Event], AbstractContextManager[object]] = lambda _: nullcontext()
    """Surrounds the handling of an event; an error passes through."""

    def __call__(self, event_id: EventId) -> bool:
        """Whether the event was handled now."""
        with ExitStack() as watched:
            return self._handle(event_id, watched)

    def _handle(self, event_id: EventId, watched: ExitStack) -> bool:
        try:
            with self.begin() as work:
                taken: Taken | None = work.inbox.take(event_id)
                if taken is None:
                    return False
                event = taken.event
                watched.enter_context(coming_from(taken.origin))
                watched.enter_context(self.watching(event))
                if not isinstance(event, JobDue) and type(event) not in self.errands:
                    self.react(work, event)
                    work.inbox.done(event_id)
                    return True
            if isinstance(event, JobDue):
                self.jobs[Job(event.job)]()
            else:
                self.errands[type(event)](event)
            with self.begin() as work:
                work.inbox.done(event_id)
        except Exception as error:
            with self.begin() as work:
                work.inbox.failed(event_id, f"{kind(error)}\n{trace(error)}")
            raise
        return True
