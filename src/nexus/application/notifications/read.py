"""Read what one was told."""

from datetime import datetime

from attrs import frozen

from nexus.application.kernel.ports import Begin, Clock
from nexus.application.notifications.ports import NotificationView, NotificationWork
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.ids import NotificationId, UserId


@frozen
class ListNotifications:
    """A person's messages, latest first."""

    begin: Begin[NotificationWork]

    def __call__(
        self,
        *,
        reader: UserId,
        unread: bool = False,
        after: tuple[datetime, NotificationId] | None = None,
        limit: int = 20,
    ) -> tuple[NotificationView, ...]:
        """At most *limit*, from behind *after* (its ``created_at`` and id)."""
        with self.begin() as work:
            return work.notifications.of(reader, unread=unread, after=after, limit=limit)


@frozen
class ReadNotification:
    """Mark a message as read."""

    begin: Begin[NotificationWork]
    now: Clock

    def __call__(self, notification: NotificationId, *, reader: UserId) -> NotificationView:
        """
        Raises:
            NoSuchThing: It is not this reader's.
        """
        with self.begin() as work:
            work.audit.add(Deed(Action.NOTIFICATION_READ, notification))
            return work.notifications.read(notification, reader=reader, at=self.now())
