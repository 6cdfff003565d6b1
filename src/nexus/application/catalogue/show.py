"""Look closer at what browsing found."""

from datetime import datetime
from uuid import UUID

from attrs import frozen

from nexus.application.catalogue.ports import BrowseWork
from nexus.application.catalogue.views import ActivityDetail, SessionView
from nexus.application.kernel.ports import Begin, Clock
from nexus.domain.kernel.ids import ActivityId, SessionId


@frozen
class ShowActivity:
    """An activity that families may see; others do not exist."""

    begin: Begin[BrowseWork]
    now: Clock

    def __call__(self, activity_id: ActivityId) -> ActivityDetail:
        with self.begin() as work:
            return work.browsing.activity(activity_id, at=self.now())


@frozen
class ListSessionsOfActivity:
    """The coming sessions of an activity, full ones too; by start, key ``(starts_at, id)``."""

    begin: Begin[BrowseWork]
    now: Clock

    def __call__(
        self, activity_id: ActivityId, *, after: tuple[datetime, UUID] | None = None, limit: int = 20
    ) -> tuple[SessionView, ...]:
        at = self.now()
        with self.begin() as work:
            work.browsing.activity(activity_id, at=at)
            return work.browsing.sessions(
                activity_id,
                at=at,
                last_offer_minutes=work.settings.at(at).waitlist_last_offer_minutes,
                after=after,
                limit=limit,
            )


@frozen
class ShowSession:
    """One session, whatever became of it: its seats, its queue, and until when it sells."""

    begin: Begin[BrowseWork]
    now: Clock

    def __call__(self, session_id: SessionId) -> SessionView:
        at = self.now()
        with self.begin() as work:
            return work.browsing.session(
                session_id, at=at, last_offer_minutes=work.settings.at(at).waitlist_last_offer_minutes
            )
