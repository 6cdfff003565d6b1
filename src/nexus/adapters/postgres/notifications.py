"""Messages in the application."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, LiteralString

from psycopg import Connection

from nexus.adapters.postgres.rows import as_object
from nexus.application.notifications.ports import NotificationView
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import EventId, NotificationId, SessionId, UserId
from nexus.domain.notifications.messages import Message, SessionInWords

ADD_NOTIFICATIONS: Final[LiteralString] = """
    INSERT INTO notifications (
        id, user_id, event_id, notification_type, priority, channel, title, body,
        related_entity_type, related_entity_id, created_at)
    SELECT id, user_id, %(event)s, type, priority, 'in_app', title, body, about_kind, about_id, %(at)s
      FROM unnest(%(ids)s::uuid[], %(users)s::uuid[], %(types)s::text[], %(priorities)s::text[],
                  %(titles)s::text[], %(bodies)s::text[], %(kinds)s::text[], %(abouts)s::uuid[])
           AS n (id, user_id, type, priority, title, body, about_kind, about_id)
    ON CONFLICT DO NOTHING
"""

SESSION_IN_WORDS: Final[LiteralString] = """
    SELECT a.name AS activity, v.name AS venue, s.session_date AS day, s.start_time AS start, s.timezone AS time_zone
      FROM activity_sessions s
      JOIN activities a ON a.id = s.activity_id
      JOIN venues v ON v.id = s.venue_id
     WHERE s.id = %(session)s
"""

TIME_ZONES: Final[LiteralString] = "SELECT id, timezone FROM users WHERE id = ANY (%(people)s)"

_NOTIFICATION: Final[LiteralString] = """
    id, notification_type AS type, priority, title, body,
    related_entity_type AS about_kind, related_entity_id::text AS about_id, created_at, read_at
"""

LIST_NOTIFICATIONS: Final[LiteralString] = (
    "SELECT"
    + _NOTIFICATION
    + """
      FROM notifications
     WHERE user_id = %(reader)s AND channel = 'in_app'
       AND (NOT %(unread)s OR read_at IS NULL)
       AND (%(after_at)s::timestamptz IS NULL OR (created_at, id) < (%(after_at)s, %(after_id)s::uuid))
     ORDER BY created_at DESC, id DESC
     LIMIT %(limit)s
"""
)

READ_NOTIFICATION: Final[LiteralString] = (
    """
    UPDATE notifications
       SET read_at = coalesce(read_at, %(at)s)
     WHERE id = %(notification)s AND user_id = %(reader)s
    RETURNING
"""
    + _NOTIFICATION
)


class PostgresNotifications:
    """The table ``notifications``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, event: EventId, messages: Sequence[Message], *, at: datetime) -> None:
        self._connection.execute(
            ADD_NOTIFICATIONS,
            {
                "event": event,
                "at": at,
                "ids": [message.id for message in messages],
                "users": [message.to for message in messages],
                "types": [message.type for message in messages],
                "priorities": [message.priority.value for message in messages],
                "titles": [message.title for message in messages],
                "bodies": [message.body for message in messages],
                "kinds": [message.about and message.about[0] for message in messages],
                "abouts": [message.about and message.about[1] for message in messages],
            },
        )

    def session_in_words(self, session: SessionId) -> SessionInWords:
        with self._connection.cursor(row_factory=as_object(SessionInWords)) as cursor:
            found = cursor.execute(SESSION_IN_WORDS, {"session": session}).fetchone()
        if found is None:
            raise NoSuchThing("session")
        return found

    def time_zones(self, people: Sequence[UserId]) -> dict[UserId, str]:
        return dict(self._connection.execute(TIME_ZONES, {"people": list(people)}).fetchall())

    def of(
        self,
        reader: UserId,
        *,
        unread: bool,
        after: tuple[datetime, NotificationId] | None,
        limit: int,
    ) -> tuple[NotificationView, ...]:
        after_at, after_id = after or (None, None)
        values = {
            "reader": reader,
            "unread": unread,
            "after_at": after_at,
            "after_id": after_id,
            "limit": limit,
        }
        with self._connection.cursor(row_factory=as_object(NotificationView)) as cursor:
            return tuple(cursor.execute(LIST_NOTIFICATIONS, values).fetchall())

    def read(self, notification: NotificationId, *, reader: UserId, at: datetime) -> NotificationView:
        values = {"notification": notification, "reader": reader, "at": at}
        with self._connection.cursor(row_factory=as_object(NotificationView)) as cursor:
            found = cursor.execute(READ_NOTIFICATION, values).fetchone()
        if found is None:
            raise NoSuchThing("notification")
        return found
