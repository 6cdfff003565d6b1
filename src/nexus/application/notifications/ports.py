"""What telling people asks of a store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen

from nexus.application.kernel.audit import AuditWork
from nexus.domain.kernel.ids import EventId, NotificationId, SessionId, UserId
from nexus.domain.notifications.messages import Message, SessionInWords


@frozen(kw_only=True)
class NotificationView:
    """A message as its reader sees it; ``about`` names a session, booking or waitlist entry."""

    id: NotificationId
    type: str
    priority: str
    title: str
    body: str
    about_kind: str | None
    about_id: str | None
    created_at: datetime
    read_at: datetime | None


class Notifications(Protocol):
    """Messages in the application."""

    def add(self, event: EventId, messages: Sequence[Message], *, at: datetime) -> None:
        """Store the messages of an event; those that it told before are left as they are."""
        ...

    def session_in_words(self, session: SessionId) -> SessionInWords:
        """What a message says about that session."""
        ...

    def time_zones(self, people: Sequence[UserId]) -> dict[UserId, str]:
        """The time zone in which each of these people reads."""
        ...

    def of(
        self,
        reader: UserId,
        *,
        unread: bool,
        after: tuple[datetime, NotificationId] | None,
        limit: int,
    ) -> tuple[NotificationView, ...]:
        """Latest first."""
        ...

    def read(self, notification: NotificationId, *, reader: UserId, at: datetime) -> NotificationView:
        """
        Mark it as read; the first reading counts.

        Raises:
            NoSuchThing: It is not this reader's.
        """
        ...


class NotificationWork(AuditWork, Protocol):
    """What telling people needs."""

    @property
    def notifications(self) -> Notifications: ...
