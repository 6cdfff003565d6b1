"""What happened in the weeks before: ordinary life, crowded sessions, and one family in particular."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from nexus.application.booking.venue_sessions import PlanChange
from nexus.application.booking.views import BookingView, EntryView
from nexus.application.catalogue.views import VenueSessionView
from nexus.domain.booking.bookings import BookingStatus, CancellationReason
from nexus.domain.compliance.consent import ConsentMethod, Purpose
from nexus.domain.credits.ledger import InsufficientCredits
from nexus.domain.kernel.errors import Refusal
from nexus.domain.kernel.ids import SessionId, UserId
from nexus.domain.kernel.time import age_on
from nexus.entrypoints.demo.people import CONSENT_TEXT, Family, Kid, People
from nexus.entrypoints.demo.stage import Stage, unless_refused
from nexus.entrypoints.demo.town import Offer, Town

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)


@define
class History:
    """Families who book, wait, cancel and come; venues who answer and mark who came."""

    stage: Stage
    town: Town
    people: People
    sessions: Sequence[VenueSessionView] = ()
    short: set[UserId] = field(factory=set)
    """Families who found today that their credits do not suffice."""

    booked: dict[SessionId, list[tuple[Family, BookingView]]] = field(factory=lambda: defaultdict(list))

    # --- the background

    def work(self) -> None:
        """What the scheduler would have done in the meantime."""
        self.short.clear()
        nexus = self.stage.nexus
        nexus.sweep_sessions()
        nexus.complete_bookings()
        nexus.expire_credits()
        nexus.allocate_credits()
        nexus.warn_of_expiry()

    def plan_ahead(self) -> None:
        """Move the horizon of the weekly schedules on."""
        self.stage.nexus.generate_sessions()
        self.look_around()

    def look_around(self) -> None:
        self.sessions = self.town.sessions(self.stage)

    # --- finding

    def offer(self, session: VenueSessionView) -> Offer:
        return self.town.offers[session.activity_id]

    def between(self, first: datetime, last: datetime) -> Sequence[VenueSessionView]:
        """The sessions that start in that time, by start."""
        return self.sessions[
            bisect_left(self.sessions, first, key=_start) : bisect_left(self.sessions, last, key=_start)
        ]

    def suits(self, session: VenueSessionView, family: Family, kids: Sequence[Kid]) -> bool:
        """Whether they may go there, seats and credits aside."""
        offer = self.offer(session)
        youngest, oldest = offer.activity.min_age, offer.activity.max_age
        return (family.has_premium or not offer.venue.is_premium) and all(
            youngest <= age_on(session.session_date, kid.born) <= oldest for kid in kids
        )

    # --- families

    def book(self, family: Family, kids: Sequence[Kid], session: VenueSessionView) -> tuple[BookingView, ...]:
        """Places for these children; refused like anybody's."""
        try:
            views = self.stage.nexus.book(
                session.id, tuple(kid.id for kid in kids), parent=family.parent, company=family.company
            )
        except InsufficientCredits:
            self.short.add(family.parent)
            raise
        self.booked[session.id] += [(family, view) for view in views]
        return views

    def wait(self, family: Family, kids: Sequence[Kid], session: VenueSessionView) -> EntryView:
        return self.stage.nexus.join_waitlist(session.id, tuple(kid.id for kid in kids), parent=family.parent)

    def cancel(self, family: Family, view: BookingView, *, with_group: bool = False) -> None:
        with unless_refused():
            self.stage.nexus.cancel_booking(
                view.id, parent=family.parent, reason=CancellationReason.OTHER, with_group=with_group
            )

    def somebody_books(self) -> None:
        """A family finds something in the next two weeks, and life takes its course."""
        random, now = self.stage.random, self.stage.now
        family = random.choice([each for each in self.people.others if each.parent not in self.short])
        kids = family.kids if random.random() < 0.25 else [random.choice(family.kids)]  # noqa: PLR2004
        likes = frozenset[str]().union(*(kid.interests for kid in kids))
        fitting = [
            session
            for session in self.between(now + 1.5 * DAY, now + 14 * DAY)
            if not self.offer(session).is_scarce and self.suits(session, family, kids)
        ]
        few = random.sample(fitting, min(8, len(fitting)))
        few.sort(key=lambda session: self.offer(session).activity.category not in likes)
        for session in few[:3]:
            try:
                views = self.book(family, kids, session)
            except InsufficientCredits:
                return
            except Refusal:
                continue
            for view in views:
                self._goes_on(family, view)
            return

    def _goes_on(self, family: Family, view: BookingView) -> None:
        random, now = self.stage.random, self.stage.now
        answered, given_up, came = random.random(), random.random(), random.random()
        if view.status is BookingStatus.PENDING:
            when = now + random.uniform(1, 20) * HOUR
            if answered < 0.8:  # noqa: PLR2004
                self.stage.at(when, lambda: self.confirm(view))
            elif answered < 0.9:  # noqa: PLR2004
                self.stage.at(when, lambda: self.reject(view))
        if given_up < 0.14:  # noqa: PLR2004
            when = now + random.uniform(0.05, 0.98) * (view.starts_at - now)
            self.stage.at(when, lambda: self.cancel(family, view))
        if came < 0.85:  # noqa: PLR2004
            when = view.ends_at + random.uniform(0.2, 6) * HOUR
            self.stage.at(when, lambda: self.mark(view, present=came > 0.08))  # noqa: PLR2004

    # --- venues

    def confirm(self, view: BookingView) -> None:
        offer = self.town.offers[view.activity_id]
        with unless_refused():
            self.stage.nexus.confirm_booking(view.id, venue=view.venue_id, by=offer.admin)

    def reject(self, view: BookingView) -> None:
        offer = self.town.offers[view.activity_id]
        with unless_refused():
            self.stage.nexus.reject_booking(
                view.id, venue=view.venue_id, by=offer.admin, notes="The group has filled up meanwhile."
            )

    def mark(self, view: BookingView, *, present: bool) -> None:
        offer = self.town.offers[view.activity_id]
        with unless_refused():
            self.stage.nexus.mark_attendance(view.id, venue=view.venue_id, by=offer.admin, present=present)

    def call_a_session_off(self) -> None:
        """A venue cannot hold a session to which people were coming."""
        session = self._expected(self.stage.now + DAY)
        if session is not None:
            self.stage.nexus.cancel_session(
                session.id,
                venue=self.offer(session).venue.id,
                by=self.offer(session).admin,
                reason="A water pipe burst; we are drying the floor.",
            )

    def move_a_session(self) -> None:
        """A venue begins half an hour later than it said."""
        session = self._expected(self.stage.end + 4 * DAY)
        if session is not None:
            later = timedelta(minutes=30)
            start = datetime.combine(session.session_date, session.start_time) + later
            end = datetime.combine(session.session_date, session.end_time) + later
            self.stage.nexus.change_session(
                session.id,
                PlanChange(start_time=start.time(), end_time=end.time(), instructor="Wanda Quill"),
                venue=self.offer(session).venue.id,
            )

    def _expected(self, first: datetime) -> VenueSessionView | None:
        """The first session from then on to which others than the fixed family are coming."""
        for session in self.between(first, first + 12 * DAY):
            coming = self.booked.get(session.id, [])
            if not coming or self.offer(session).is_scarce or any(family.is_fixed for family, _ in coming):
                continue
            roster = self.stage.nexus.show_roster(session.id, venue=self.offer(session).venue.id)
            if any(line.status is BookingStatus.CONFIRMED for line in roster):
                return session
        return None

    # --- the platform

    def correct_credits(self) -> None:
        """The platform makes up for something, and takes back what it gave twice."""
        admin = self.people.platform_admin
        first, second = self.stage.random.sample(self.people.others, 2)
        adjust = self.stage.nexus.adjust_credits
        with unless_refused():
            adjust(first.parent, 5, reason="Goodwill: the session was shorter than announced", actor=admin)
            adjust(second.parent, -1, reason="Corrects a goodwill credit that was given twice", actor=admin)

    def withdraw_photos(self) -> None:
        family = next(family for family in self.people.others if len(family.kids) > 1)
        self.stage.nexus.record_consent(
            family.kids[0].id,
            {Purpose.PHOTO_SHARING: False},
            actor=family.actor,
            text_version=CONSENT_TEXT,
            method=ConsentMethod.CHECKBOX,
        )

    def interested(self, session: VenueSessionView) -> Iterator[tuple[Family, Kid]]:
        """Families with a child who could go, in the order of chance."""
        families = list(self.people.others)
        self.stage.random.shuffle(families)
        for family in families:
            for kid in family.kids:
                if self.suits(session, family, [kid]):
                    yield family, kid
                    break


def _start(session: VenueSessionView) -> datetime:
    return session.starts_at
