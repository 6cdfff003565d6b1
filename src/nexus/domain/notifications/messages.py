"""What people are told, in the application at first; other channels carry the same messages."""

from datetime import date, datetime, time
from enum import StrEnum

from attrs import frozen

from nexus.domain.kernel.ids import NotificationId, UserId


class Priority(StrEnum):
    """How soon somebody should know."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


@frozen(kw_only=True)
class Message:
    """A message to one person; ``about`` is the kind and id of what it is about."""

    id: NotificationId
    to: UserId
    type: str
    priority: Priority
    title: str
    body: str
    about: tuple[str, str] | None


@frozen(kw_only=True)
class SessionInWords:
    """What a message says about a session, in the venue's local time."""

    activity: str
    venue: str
    day: date
    start: time
    time_zone: str

    def __str__(self) -> str:
        return f"{self.activity} at {self.venue}, {self.day:%A %-d %B} at {self.start:%H:%M}"


def in_words(at: datetime) -> str:
    """A local moment such as ``Monday 2 March at 14:05``."""
    return f"{at:%A %-d %B} at {at:%H:%M}"


def credits_in_words(count: int) -> str:
    """``1 credit`` or ``3 credits``."""
    return f"{count} credit{'' if count == 1 else 's'}"
