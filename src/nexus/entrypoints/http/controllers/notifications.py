"""What a person was told."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.application.notifications.ports import NotificationView
from nexus.application.notifications.read import ListNotifications, ReadNotification
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import NotificationId
from nexus.entrypoints.http.calls import LIGHT
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import Policy, allow

_BY_TELLING: Final = Keyset("notifications", datetime, UUID)


class NotificationController(Controller):
    """A family's messages."""

    path = "/api/v1/notifications"
    opt = allow(Policy.FAMILY) | LIGHT
    tags = ("Notifications",)

    @get("/", sync_to_thread=True)
    def browse(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        list_notifications: NamedDependency[SkipValidation[ListNotifications]],
        unread: Annotated[bool, QueryParameter(description="Only those not read yet.")] = False,
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[NotificationView]:
        """List what one was told, latest first."""
        rows = list_notifications(
            reader=actor.user,
            unread=unread,
            after=_BY_TELLING.after(cursor),
            limit=limit + 1,
        )
        return _BY_TELLING.page(rows, limit, lambda row: (row.created_at, row.id), lambda row: row)

    @post(
        "/{notification_id:uuid}/read",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing),
    )
    def read(
        self,
        *,
        notification_id: FromPath[NotificationId],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        read_notification: NamedDependency[SkipValidation[ReadNotification]],
    ) -> Response[NotificationView]:
        """Mark a message as read; the first reading counts."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: read_notification(notification_id, reader=actor.user),
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [NotificationController]
