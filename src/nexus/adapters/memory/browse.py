"""Finding activities by looking at every one of them."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from attrs import evolve, frozen

from nexus.adapters.memory.rows import SessionRow
from nexus.adapters.memory.world import World
from nexus.application.catalogue.search import After, ChildInBrowse, Search, Sort
from nexus.application.catalogue.views import (
    ActivityCard,
    ActivityDetail,
    NextSession,
    SessionView,
    VenueSummary,
)
from nexus.domain.catalogue.activities import Activity
from nexus.domain.catalogue.places import DRIVE
from nexus.domain.catalogue.venues import Venue, VenueStatus
from nexus.domain.identity.families import ChildStatus
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import ActivityId, ChildId, SessionId, UserId
from nexus.domain.kernel.time import age_on, local_date


@frozen
class _Moment:
    at: datetime
    last_offer: datetime

    @classmethod
    def of(cls, at: datetime, last_offer_minutes: int) -> "_Moment":
        return cls(at, at + timedelta(minutes=last_offer_minutes))

    def free_seats(self, s: SessionRow, venue: Venue) -> int:
        sells = (
            s.status == "scheduled"
            and s.starts_at > self.at
            and (s.opens_at is None or s.opens_at <= self.at)
            and (s.releases_at is None or s.released_at is not None or s.releases_at > self.at)
            and (s.waiting_count == 0 or s.starts_at < self.last_offer)
            and venue.is_insured_on(s.session_date)
        )
        return s.seats - s.booked_count - s.held_count if sells else 0


class MemoryBrowsing:
    """What families may see, over dictionaries; words match where each occurs in a text."""

    def __init__(self, world: World) -> None:
        self._world = world

    def child(self, child: ChildId, *, parent: UserId) -> ChildInBrowse:
        found = self._world.children.get(child)
        if found is None or found.parent != parent:
            raise NoSuchThing("child")
        return ChildInBrowse(
            date_of_birth=found.date_of_birth,
            activities_to_avoid=frozenset(found.activities_to_avoid),
            is_active=found.status is ChildStatus.ACTIVE,
        )

    def browse(
        self,
        search: Search,
        *,
        child: ChildInBrowse | None,
        at: datetime,
        last_offer_minutes: int,
        after: After | None,
        limit: int,
    ) -> tuple[ActivityCard, ...]:
        moment = _Moment.of(at, last_offer_minutes)
        cards = []
        for activity, venue in self._visible(at):
            if not _suits(activity, venue, search, child):
                continue
            fitting = (
                s
                for s in self._sessions_of(activity.id, at)
                if _fits(s, activity, search, child)
                and venue.is_insured_on(s.session_date)
                and (not search.available or moment.free_seats(s, venue) > 0)
            )
            if session := next(fitting, None):
                cards.append(_card(activity, venue, session, search, moment))
        cards.sort(key=lambda card: card.key)
        return tuple(card for card in cards if after is None or card.key > after)[:limit]

    def activity(self, activity: ActivityId, *, at: datetime) -> ActivityDetail:
        for seen, venue in self._visible(at):
            if seen.id == activity:
                return ActivityDetail(activity=evolve(seen, external_ref=None), venue=_summary(venue))
        raise NoSuchThing("activity")

    def sessions(
        self,
        activity: ActivityId,
        *,
        at: datetime,
        last_offer_minutes: int,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> tuple[SessionView, ...]:
        moment = _Moment.of(at, last_offer_minutes)
        return tuple(
            _view(s, seen, venue, moment)
            for seen, venue in self._visible(at)
            if seen.id == activity
            for s in self._sessions_of(activity, at)
            if after is None or (s.starts_at, s.id) > after
        )[:limit]

    def session(self, session: SessionId, *, at: datetime, last_offer_minutes: int) -> SessionView:
        found = self._world.sessions.get(session)
        for seen, venue in self._visible(at):
            if found is not None and seen.id == found.activity:
                return _view(found, seen, venue, _Moment.of(at, last_offer_minutes))
        raise NoSuchThing("session")

    def _visible(self, at: datetime) -> Iterator[tuple[Activity, Venue]]:
        for activity in self._world.activities.values():
            venue = self._world.venues[activity.venue]
            insured = venue.is_insured_on(local_date(at, venue.time_zone))
            if activity.is_visible and venue.status is VenueStatus.ACTIVE and insured:
                yield activity, venue

    def _sessions_of(self, activity: ActivityId, at: datetime) -> list[SessionRow]:
        coming = [
            s
            for s in self._world.sessions.values()
            if s.activity == activity and s.status == "scheduled" and s.starts_at > at
        ]
        return sorted(coming, key=lambda s: (s.starts_at, s.id))


def _suits(activity: Activity, venue: Venue, search: Search, child: ChildInBrowse | None) -> bool:
    avoided = child.activities_to_avoid if child else frozenset()
    return (
        (not search.categories or activity.category in search.categories)
        and (search.age is None or activity.min_age <= search.age <= activity.max_age)
        and not avoided & {*activity.tags, activity.category}
        and search.tags.accepts(activity.tags)
        and _near_enough(venue, search)
        and (search.q is None or _mentions(activity, search.q))
    )


def _near_enough(venue: Venue, search: Search) -> bool:
    if search.near is None or search.within_minutes is None:
        return True
    return search.near.distance_km(venue.place.position) <= DRIVE.reach_km(search.within_minutes)


def _mentions(activity: Activity, q: str) -> bool:
    texts = (activity.name, activity.short_description, activity.full_description)
    words = re.findall(r"\w+", " ".join(text for text in texts if text).lower())
    asked = re.findall(r"\w+", q.lower())
    return q.strip().lower() in activity.name.lower() or (
        bool(asked) and all(word in words for word in asked)
    )


def _fits(s: SessionRow, activity: Activity, search: Search, child: ChildInBrowse | None) -> bool:
    return (
        _from(s, search)
        and _until(s, search)
        and search.time_of_day in (None, s.time_of_day)
        and (search.max_credits is None or s.credits_required <= search.max_credits)
        and (
            child is None
            or activity.min_age <= age_on(s.session_date, child.date_of_birth) <= activity.max_age
        )
    )


def _from(s: SessionRow, search: Search) -> bool:
    first = search.starts_from
    if isinstance(first, datetime):
        return s.starts_at >= first
    return first is None or s.session_date >= first


def _until(s: SessionRow, search: Search) -> bool:
    last = search.starts_until
    if isinstance(last, datetime):
        return s.starts_at < last
    return last is None or s.session_date <= last


def _card(
    activity: Activity, venue: Venue, session: SessionRow, search: Search, moment: _Moment
) -> ActivityCard:
    distance = search.near.distance_km(venue.place.position) if search.near else None
    keys: dict[Sort, Any] = {
        Sort.SOONEST: session.starts_at,
        Sort.NEAREST: distance,
        Sort.CHEAPEST: session.credits_required,
        Sort.RATING: -float(activity.average_rating),
        Sort.NAME: activity.name.lower(),
    }
    return ActivityCard(
        id=activity.id,
        name=activity.name,
        category=activity.category,
        short_description=activity.short_description,
        min_age=activity.min_age,
        max_age=activity.max_age,
        duration_minutes=activity.duration_minutes,
        tags=tuple(sorted(activity.tags)),
        average_rating=float(activity.average_rating),
        total_reviews=activity.total_reviews,
        venue=_summary(venue),
        distance_km=distance,
        drive_minutes=None if distance is None else DRIVE.minutes(distance),
        next_session=NextSession(
            id=session.id,
            session_date=session.session_date,
            start_time=session.start_time,
            end_time=session.end_time,
            time_zone=session.time_zone,
            starts_at=session.starts_at,
            ends_at=session.ends_at,
            credits_required=session.credits_required,
            free_seats=moment.free_seats(session, venue),
        ),
        sort_key=keys[search.sort],
    )


def _view(s: SessionRow, activity: Activity, venue: Venue, moment: _Moment) -> SessionView:
    return SessionView(
        id=s.id,
        activity_id=activity.id,
        activity_name=activity.name,
        category=activity.category,
        min_age=activity.min_age,
        max_age=activity.max_age,
        venue=_summary(venue),
        session_date=s.session_date,
        start_time=s.start_time,
        end_time=s.end_time,
        time_zone=s.time_zone,
        time_of_day=s.time_of_day,
        starts_at=s.starts_at,
        ends_at=s.ends_at,
        credits_required=s.credits_required,
        status=s.status,
        status_reason=s.status_reason,
        free_seats=moment.free_seats(s, venue),
        waiting_count=s.waiting_count,
        opens_at=s.opens_at,
        releases_at=s.releases_at,
        released_at=s.released_at,
        instructor_name=s.instructor_name,
        location=s.location,
    )


def _summary(venue: Venue) -> VenueSummary:
    return VenueSummary(
        id=venue.id,
        name=venue.name,
        place=venue.place,
        is_premium=venue.is_premium,
        requires_confirmation=venue.requires_confirmation,
    )
