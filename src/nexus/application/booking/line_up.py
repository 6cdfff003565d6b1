"""Store a changed line and tell those whom the change concerns."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache

from nexus.application.booking.ports import BookWork
from nexus.application.kernel.ports import NewId
from nexus.domain.booking.events import OfferLapsed, OfferMade, WaitingEnded
from nexus.domain.booking.waitlist import EntryStatus, Line, OfferPolicy
from nexus.domain.kernel.events import Event
from nexus.domain.kernel.ids import EventId
from nexus.domain.platform.settings import PlatformSettings


def offer_policy(settings: PlatformSettings) -> OfferPolicy:
    """How long offers stand, by the settings in force."""
    return _policy(settings.waitlist_confirmation_hours, settings.waitlist_last_offer_minutes)


@cache
def _policy(hours: int, last_minutes: int) -> OfferPolicy:
    return OfferPolicy(lifetime=timedelta(hours=hours), last_offer=timedelta(minutes=last_minutes))


def change_line(
    work: BookWork,
    before: Line,
    change: Callable[[Line], Line],
    *,
    at: datetime,
    new_id: NewId,
) -> Line:
    """
    Apply *change* to a locked line, settle it, store it and tell those concerned.

    Freeing a seat and offering it to the next in line is therefore one step that
    nothing can come between. A release that is due comes first, so that a seat given
    up after it is not returned with the unsold ones.
    """
    policy = offer_policy(work.settings.at(at))
    after = change(before.released(at=at)).settled(at=at, policy=policy)
    if after != before:
        work.lines.save(before, after)
        work.outbox.add(*_news(before, after, at=at, new_id=new_id))
    return after


def _news(before: Line, after: Line, *, at: datetime, new_id: NewId) -> Iterator[Event]:
    offered_before = {entry.id for entry in before.entries if entry.status is EntryStatus.OFFERED}
    for entry in after.entries:
        if entry.offer_expires_at is not None and entry.id not in offered_before:
            yield OfferMade(
                id=EventId(new_id()),
                at=at,
                parent=entry.parent,
                session=after.session,
                entry=entry.id,
                seats=entry.seats,
                expires_at=entry.offer_expires_at,
            )
    for entry in after.gone:
        event = EventId(new_id())
        if entry.status is EntryStatus.EXPIRED:
            yield OfferLapsed(id=event, at=at, parent=entry.parent, session=after.session, entry=entry.id)
        elif entry.closed_reason is not None:
            yield WaitingEnded(
                id=event,
                at=at,
                parent=entry.parent,
                session=after.session,
                entry=entry.id,
                reason=entry.closed_reason,
            )
