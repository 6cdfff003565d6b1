"""What people are told."""

from functools import cached_property

from nexus.application.notifications.announce import Announce
from nexus.application.notifications.read import ListNotifications, ReadNotification
from nexus.entrypoints.wiring.means import Means


class Notifications(Means):
    """Telling people, and what they have read of it."""

    @cached_property
    def announce(self) -> Announce:
        return Announce(self.new_id)

    @cached_property
    def list_notifications(self) -> ListNotifications:
        return ListNotifications(self.read)

    @cached_property
    def read_notification(self) -> ReadNotification:
        return ReadNotification(self.begin, self.now)
