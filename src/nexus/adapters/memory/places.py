"""Bookings, as they are made and ended: the twin of ``bookings``."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from nexus.adapters.memory.account_rows import BalanceRow, LineRow
from nexus.adapters.memory.booking_rows import BookingRow
from nexus.adapters.memory.booking_views import MemoryBookingViews
from nexus.adapters.memory.rows import STATUSES, SessionRow
from nexus.adapters.memory.tables import updated
from nexus.adapters.memory.world import World
from nexus.application.booking.ports import Facts, Order, Overtaken
from nexus.application.booking.views import BookingView
from nexus.application.credits.views import LineView
from nexus.domain.booking.bookings import Booking, BookingStatus
from nexus.domain.booking.sessions import Offering, Seats, SessionStatus
from nexus.domain.booking.waitlist import EntryStatus
from nexus.domain.booking.wishes import CONSENT, Attendee
from nexus.domain.catalogue.venues import VenueStatus
from nexus.domain.credits.ledger import Movement
from nexus.domain.identity.families import ChildStatus
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import BookingId, ChildId, SessionId, UserId, VenueId

ENDED = {BookingStatus.COMPLETED, BookingStatus.NO_SHOW}
CANCELLED = {BookingStatus.CANCELLED_PARENT, BookingStatus.CANCELLED_VENUE}


class MemoryPlaces:
    """Keeps the promises of ``PostgresPlaces``; nothing needs a lock, one unit of work runs at a time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._views = MemoryBookingViews(world)
        self._offered: dict[SessionId, tuple[tuple[object, ...], Offering]] = {}

    def facts(
        self, session: SessionId, children: Sequence[ChildId], *, parent: UserId, at: datetime
    ) -> Facts:
        row = self._world.sessions.get(session)
        if row is None:
            raise NoSuchThing("session")
        purse = self._purse(parent, at)
        return Facts(
            offering=self._offering(row, at),
            attendees=tuple(self._attendee(child, row, parent) for child in children),
            has_premium=purse is not None
            and self._world.subscriptions[purse.subscription].subscription.premium_venue_access,
            credits=purse.available if purse else 0,
        )

    def _purse(self, parent: UserId, at: datetime) -> BalanceRow | None:
        for each in self._world.balances_of.of(parent):
            if each.is_open(at):
                return each
        return None

    def _offering(self, row: SessionRow, at: datetime) -> Offering:
        """As it was said last, while everything that it is made of is the same: most who ask change nothing."""
        activity, venue = self._world.activities[row.activity], self._world.venues[row.venue]
        lapsed = any(
            queued.entry.status is EntryStatus.OFFERED
            and queued.entry.offer_expires_at is not None
            and queued.entry.offer_expires_at <= at
            for queued in self._world.queued_in.of(row.id)
        )
        known = self._offered.get(row.id)
        if known is not None:
            (of_row, of_activity, of_venue), offering = known
            same = of_row is row and of_activity is activity and of_venue is venue
            if same and offering.has_lapsed_offers == lapsed:
                return offering
        offering = Offering(
            session=row.id,
            activity=row.activity,
            venue=row.venue,
            status=STATUSES[row.status],
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            local_date=row.session_date,
            price=row.credits_required,
            min_age=activity.min_age,
            max_age=activity.max_age,
            is_published=activity.is_visible,
            venue_is_active=venue.status is VenueStatus.ACTIVE,
            insured_until=venue.insurance.expires_on if venue.insurance else None,
            is_premium=venue.is_premium,
            requires_confirmation=venue.requires_confirmation,
            confirmation_window=timedelta(hours=venue.confirmation_hours),
            seats=Seats(sellable=row.seats, booked=row.booked_count, held=row.held_count),
            waiting=row.waiting_count,
            opens_at=row.opens_at,
            releases_at=row.releases_at,
            released=row.released_at is not None,
            has_lapsed_offers=lapsed,
            version=row.version,
        )
        self._offered[row.id] = (row, activity, venue), offering
        return offering

    def _attendee(self, child: ChildId, row: SessionRow, parent: UserId) -> Attendee:
        found = self._world.children.get(child)
        if found is None or found.parent != parent:
            raise NoSuchThing("child")
        active = [each.booking for each in self._world.booked_for.of(child)]
        if len(active) > 1:
            active.sort(key=lambda each: (each.starts_at, each.id))
        same = overlapping = None
        for each in active:
            if each.session == row.id:
                same = each.id if same is None else same
            elif each.starts_at < row.ends_at and row.starts_at < each.ends_at and overlapping is None:
                overlapping = each.id
        return Attendee(
            child=child,
            born=found.date_of_birth,
            is_active=found.status is ChildStatus.ACTIVE,
            may_be_booked=CONSENT in found.consents,
            same_session=same,
            overlapping=overlapping,
        )

    def _active(self) -> Iterator[Booking]:
        return (row.booking for row in self._world.booked_in.rows())

    def place(self, order: Order, *, last: bool = False) -> tuple[BookingView, ...]:
        del last  # a unit of work ends by itself
        row, purse = self._world.sessions[order.session], self._purse(order.parent, order.at)
        if purse is None or not self._holds(order, row, purse):
            raise Overtaken
        self._check_unique(order, row)
        seats = len(order.places)
        pending = seats if order.status is BookingStatus.PENDING else 0
        self._world.sessions[row.id] = updated(
            row, booked_count=row.booked_count + seats - pending, held_count=row.held_count + pending
        )
        for place in order.places:
            purse = updated(
                purse,
                available=purse.available - order.price,
                used=purse.used + order.price,
                last_sequence=purse.last_sequence + 1,
            )
            self._world.balances[purse.id] = purse
            self._world.lines[place.debit] = LineRow(
                user=order.parent,
                view=LineView(
                    id=place.debit,
                    balance=purse.id,
                    sequence=purse.last_sequence,
                    movement=Movement.BOOKING_DEBIT,
                    amount=-order.price,
                    balance_after=purse.available,
                    booking=place.booking,
                    reason=None,
                    occurred_at=order.at,
                ),
            )
            self._world.bookings[place.booking] = BookingRow(
                booking=Booking(
                    id=place.booking,
                    session=row.id,
                    child=place.child,
                    parent=order.parent,
                    venue=row.venue,
                    status=order.status,
                    starts_at=row.starts_at,
                    ends_at=row.ends_at,
                    booked_length=row.ends_at - row.starts_at,
                    credits_charged=order.price,
                    credits_refunded=0,
                    refundable_until=order.refundable_until,
                    confirm_by=order.confirm_by,
                    debit=place.debit,
                    balance=purse.id,
                    group=order.group,
                    version=1,
                ),
                company=order.company,
                code=place.code,
                source=order.source,
                credit_value=order.credit_value,
                original=order.original,
                booked_at=order.at,
                confirmed_at=None if pending else order.at,
            )
        return tuple(self._views.booking(place.booking, parent=order.parent) for place in order.places)

    def _holds(self, order: Order, row: SessionRow, purse: BalanceRow) -> bool:
        children = (self._world.children[place.child] for place in order.places)
        nobody_comes_first = row.waiting_count == 0 or row.starts_at - order.at < timedelta(
            minutes=order.last_offer_minutes
        )
        is_settled = row.releases_at is None or row.releases_at > order.at or row.released_at is not None
        return (
            all(
                child.parent == order.parent
                and child.status is ChildStatus.ACTIVE
                and CONSENT in child.consents
                for child in children
            )
            and row.version == order.version
            and row.status == SessionStatus.SCHEDULED
            and row.starts_at > order.at
            and row.booked_count + row.held_count + len(order.places) <= row.seats
            and (order.in_turn or (nobody_comes_first and is_settled))
            and purse.available >= order.price * len(order.places)
        )

    def _check_unique(self, order: Order, row: SessionRow) -> None:
        for place in order.places:
            clash = any(
                not other.overlap_excused
                and other.booking.starts_at < row.ends_at
                and row.starts_at < other.booking.ends_at
                for other in self._world.booked_for.of(place.child)
            )
            if clash or self._world.booked_as.of(place.code):
                raise Overtaken

    def lock_children(self, children: Sequence[ChildId], *, parent: UserId) -> None:
        """Units of work on a world run one at a time anyway."""

    def lock(
        self,
        booking: BookingId,
        *,
        parent: UserId | None = None,
        venue: VenueId | None = None,
        with_group: bool = False,
    ) -> tuple[Booking, ...]:
        row = self._world.bookings.get(booking)
        if row is None or parent not in {None, row.booking.parent} or venue not in {None, row.booking.venue}:
            raise NoSuchThing("booking")
        found = row.booking
        rest = [
            each.booking
            for each in self._world.booked_in.of(found.session)
            if with_group
            and each.booking.group is not None
            and each.booking.group == found.group
            and each.booking.id != booking
        ]
        return (found, *sorted(rest, key=lambda each: each.id))

    def lock_active(self, session: SessionId) -> tuple[Booking, ...]:
        found = [row.booking for row in self._world.booked_in.of(session)]
        found.sort(key=lambda each: each.id)
        return tuple(found)

    def unanswered(self, session: SessionId, *, at: datetime) -> tuple[Booking, ...]:
        return tuple(
            each
            for each in self.lock_active(session)
            if each.status is BookingStatus.PENDING and each.confirm_by is not None and each.confirm_by <= at
        )

    def of_child(self, child: ChildId, *, at: datetime) -> Mapping[SessionId, BookingId]:
        mine = (row.booking for row in self._world.booked_for.of(child))
        return {each.session: each.id for each in mine if each.starts_at > at}

    def save(
        self,
        bookings: Sequence[Booking],
        *,
        at: datetime,
        by: UserId | None = None,
        reason: str | None = None,
        notes: str | None = None,
    ) -> None:
        for booking in bookings:
            row = self._world.bookings[booking.id]
            if row.booking.version != booking.version - 1:
                raise Overtaken
            told: dict[str, Any] = {}
            if booking.status is BookingStatus.CONFIRMED:
                told = {"confirmed_at": row.confirmed_at or at}
            elif booking.status in CANCELLED:
                told = {"cancelled_at": at, "cancellation_reason": reason, "cancellation_notes": notes}
            elif booking.status in ENDED:
                told = {"attendance_marked_at": at, "attendance_marked_by": by}
            self._world.bookings[booking.id] = updated(row, booking=booking, **told)

    def move(self, session: SessionId, *, starts_at: datetime, ends_at: datetime) -> None:
        for booking in self.lock_active(session):
            clashes = any(
                other.booking.id != booking.id
                and other.booking.starts_at < ends_at
                and starts_at < other.booking.ends_at
                for other in self._world.booked_for.of(booking.child)
            )
            moved = evolve(
                booking,
                starts_at=starts_at,
                ends_at=ends_at,
                refundable_until=starts_at,
                confirm_by=booking.confirm_by and min(booking.confirm_by, starts_at),
                version=booking.version + 1,
            )
            row = self._world.bookings[booking.id]
            self._world.bookings[booking.id] = updated(row, booking=moved, overlap_excused=clashes)

    def complete(self, *, before: datetime, at: datetime, limit: int) -> int:
        due = sorted(
            (
                each
                for each in self._active()
                if each.status is BookingStatus.CONFIRMED and each.ends_at <= before
            ),
            key=lambda each: (each.ends_at, each.id),
        )[:limit]
        for booking in due:
            done = evolve(booking, status=BookingStatus.COMPLETED, version=booking.version + 1)
            self.save([done], at=at)
        return len(due)

    def close_sessions(self, *, before: datetime, limit: int) -> int:
        expected = self._world.booked_in.values()
        over = sorted(
            (
                each
                for each in self._world.sessions.values()
                if each.status == SessionStatus.SCHEDULED
                and each.ends_at <= before
                and each.id not in expected
            ),
            key=lambda each: each.starts_at,
        )[:limit]
        for session in over:
            self._world.sessions[session.id] = updated(session, status=SessionStatus.COMPLETED.value)
        return len(over)
