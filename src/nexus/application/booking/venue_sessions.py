"""What a venue does with a whole session that families know already: change it, cancel it, see who comes."""

from datetime import date, datetime, time

from attrs import evolve, frozen

from nexus.application.booking.book import until_settled
from nexus.application.booking.end_bookings import Ending, end_bookings, endings
from nexus.application.booking.line_up import change_line
from nexus.application.booking.ports import BookWork, Plan
from nexus.application.booking.settle_credits import settle_credits
from nexus.application.booking.views import RosterEntry, RosterLine, SessionChange
from nexus.application.identity.sealing import UNREADABLE, opened_notes
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.application.kernel.vault import Vault
from nexus.domain.booking.bookings import Booking, CancellationReason
from nexus.domain.booking.events import SessionChanged
from nexus.domain.booking.refunds import Settlement
from nexus.domain.booking.sessions import SessionCancelled, SessionStarted, SessionStatus
from nexus.domain.booking.waitlist import Line
from nexus.domain.catalogue.sessions import (
    FARTHEST,
    AllocationAboveCapacity,
    SessionInThePast,
    SessionTooFarAhead,
    session_times,
)
from nexus.domain.compliance.audit import Action, Deed, differences
from nexus.domain.kernel.errors import VersionMismatch
from nexus.domain.kernel.ids import EventId, SessionId, UserId, VenueId


@frozen(kw_only=True)
class PlanChange:
    """What to change of a session; None leaves a value as it is, ``allocated`` 0 sells nothing."""

    session_date: date | None = None
    start_time: time | None = None
    end_time: time | None = None
    price: int | None = None
    total_capacity: int | None = None
    allocated: int | None = None
    instructor: str | None = None
    notes: str | None = None
    location: str | None = None


@frozen
class ChangeSession:
    """
    Change time, place, price or seats of a session.

    Families that are booked are told and, when it is at another time or place, or
    shorter, may leave with a full refund until the start. Shorter or cheaper gives
    the difference back at once, a fraction in the family's favour. More seats go to
    the queue first.
    """

    begin: Begin[BookWork]
    now: Clock
    new_id: NewId

    def __call__(
        self, session: SessionId, change: PlanChange, *, venue: VenueId, version: int | None = None
    ) -> SessionChange:
        """
        Raises:
            NoSuchThing: The venue has no such session.
            VersionMismatch: It is not at that version any more.
            SessionCancelled: It is not going to happen.
            SessionStarted: It is too late to change it.
            SessionInThePast: It would have started already.
            SessionTooFarAhead: Only the next two years can be planned.
            NonexistentLocalTime: The clocks skip a time on that day.
            CapacityBelowTaken: More seats are booked or held.
            AllocationAboveCapacity: The block would be larger than the session.
        """

        def attempt() -> SessionChange:
            at = self.now()
            with self.begin() as work:
                old = work.plans.lock(session, venue=venue)
                if version is not None and version != old.version:
                    raise VersionMismatch(version, old.version)
                before = work.lines.lock(session, venue=venue)
                _check_changeable(before, at=at)
                new = _changed(old, change, at=at)
                return self._carry_out(work, old, new, before, at=at)

        return until_settled(attempt)

    def _carry_out(
        self, work: BookWork, old: Plan, new: Plan, before: Line, *, at: datetime
    ) -> SessionChange:
        bookings = work.places.lock_active(old.session)
        back = [(booking, _price_cut(booking, new)) for booking in bookings]
        refunded = [
            (
                evolve(
                    booking,
                    credits_refunded=booking.credits_refunded + cut.refund,
                    version=booking.version + 1,
                ),
                cut,
            )
            for booking, cut in back
            if cut.refund
        ]
        resized = evolve(before, seats=before.seats.resized(_sellable(before, old, new)))
        work.plans.save(new, sellable=resized.seats.sellable)
        work.places.save([booking for booking, _ in refunded], at=at)
        moved = _differences(old, new)
        if moved & MOVED:
            work.places.move(old.session, starts_at=new.starts_at, ends_at=new.ends_at)
        settled = change_line(
            work,
            before,
            lambda _: resized.rescheduled(starts_at=new.starts_at, releases_at=new.releases_at),
            at=at,
            new_id=self.new_id,
        )
        settle_credits(work, refunded, at=at, new_id=self.new_id, partial=True)
        was, is_now = differences(old, new)
        work.audit.add(Deed(Action.SESSION_CHANGED, old.session, old=was, new=is_now))
        told = [booking for booking, cut in back if cut.refund or moved & TOLD]
        work.outbox.add(
            *(
                SessionChanged(
                    id=EventId(self.new_id()),
                    at=at,
                    parent=booking.parent,
                    session=old.session,
                    booking=booking.id,
                    refunded=cut.refund,
                    changed=tuple(sorted(moved)),
                )
                for booking, cut in back
                if booking in told
            )
        )
        return SessionChange(
            session_id=old.session,
            version=new.version,
            families_told=len({booking.parent for booking in told}),
            credits_refunded=sum(cut.refund for _, cut in back),
            entries_closed=len(settled.gone),
        )


MOVED = frozenset({"time", "place"})
"""Changes that let a family leave for free until the start; shorter is a change of time."""

TOLD = MOVED | {"price", "instructor", "notes"}
"""Changes of which booked families are told."""


def _differences(old: Plan, new: Plan) -> frozenset[str]:
    pairs = {
        "time": ((old.starts_at, old.ends_at), (new.starts_at, new.ends_at)),
        "place": (old.location, new.location),
        "price": (old.price, new.price),
        "instructor": (old.instructor, new.instructor),
        "notes": (old.notes, new.notes),
        "seats": ((old.total_capacity, old.allocated), (new.total_capacity, new.allocated)),
    }
    return frozenset(name for name, (was, is_now) in pairs.items() if was != is_now)


def _check_changeable(line: Line, *, at: datetime) -> None:
    if line.status is SessionStatus.CANCELLED:
        raise SessionCancelled
    if at >= line.starts_at:
        raise SessionStarted(line.starts_at)


def _changed(old: Plan, change: PlanChange, *, at: datetime) -> Plan:
    """The plan after the change; opening and release keep their distance to the start."""
    day = change.session_date or old.session_date
    start, end = change.start_time or old.start_time, change.end_time or old.end_time
    if day > (latest := at.date() + FARTHEST):
        raise SessionTooFarAhead(day, latest)
    starts_at, ends_at = session_times(day, start, end, old.time_zone)
    if starts_at <= at:
        raise SessionInThePast(starts_at)
    total = change.total_capacity or old.total_capacity
    allocated = old.allocated if change.allocated is None else change.allocated
    if allocated is not None and allocated > total:
        raise AllocationAboveCapacity(allocated, total)
    shift = starts_at - old.starts_at
    return evolve(
        old,
        session_date=day,
        start_time=start,
        end_time=end,
        starts_at=starts_at,
        ends_at=ends_at,
        price=change.price or old.price,
        total_capacity=total,
        allocated=allocated,
        opens_at=old.opens_at and old.opens_at + shift,
        releases_at=old.releases_at and old.releases_at + shift,
        instructor=old.instructor if change.instructor is None else change.instructor,
        notes=old.notes if change.notes is None else change.notes,
        location=old.location if change.location is None else change.location,
        version=old.version + 1,
    )


def _sellable(line: Line, old: Plan, new: Plan) -> int:
    """
    The seats that Nexus may sell after the change.

    After the release that is what it still holds, whatever the capacity; only a
    change of the seats themselves gives it more.
    """
    if (old.total_capacity, old.allocated) == (new.total_capacity, new.allocated):
        return line.seats.sellable
    return new.total_capacity if new.allocated is None else new.allocated


def _price_cut(booking: Booking, new: Plan) -> Settlement:
    return Settlement(
        refund=booking.terms.when_the_session_changes(
            new_length=new.ends_at - new.starts_at, new_price=new.price
        )
    )


@frozen
class CancelSession:
    """
    Call a whole session off, with a reason.

    Every family gets everything back and is told; the queue is closed and told.
    """

    begin: Begin[BookWork]
    now: Clock
    new_id: NewId

    def __call__(self, session: SessionId, *, venue: VenueId, by: UserId, reason: str) -> SessionChange:
        """
        Raises:
            NoSuchThing: The venue has no such session.
            SessionCancelled: It was cancelled before.
            SessionStarted: It has started.
        """

        def attempt() -> SessionChange:
            at = self.now()
            with self.begin() as work:
                plan = work.plans.lock(session, venue=venue)
                before = work.lines.lock(session, venue=venue)
                _check_changeable(before, at=at)
                ended: list[Ending] = endings(
                    work.places.lock_active(session), lambda each: each.cancelled_by_venue()
                )
                work.plans.cancel(session, reason=reason)
                work.audit.add(Deed(Action.SESSION_CANCELLED, session, new={"bookings": len(ended)}))
                line = end_bookings(
                    work,
                    ended,
                    at=at,
                    new_id=self.new_id,
                    by=by,
                    reason=CancellationReason.VENUE_CANCELLED,
                    notes=reason,
                ) or change_line(
                    work,
                    before,
                    lambda line: evolve(line, status=SessionStatus.CANCELLED),
                    at=at,
                    new_id=self.new_id,
                )
                return SessionChange(
                    session_id=session,
                    version=plan.version + 1,
                    families_told=len({booking.parent for booking, _, _ in ended}),
                    credits_refunded=sum(settlement.refund for _, _, settlement in ended),
                    entries_closed=len(line.gone),
                )

        return until_settled(attempt)


@frozen
class ShowRoster:
    """Whom a venue expects at its own session; medical notes only with consent to share them."""

    begin: Begin[BookWork]
    vault: Vault

    def __call__(self, session: SessionId, *, venue: VenueId) -> tuple[RosterEntry, ...]:
        """
        Raises:
            NoSuchThing: The venue has no such session.
        """
        with self.begin() as work:
            lines = work.booking_views.roster(session, venue=venue)
            # Committed before anything is shown.
            work.audit.add(Deed(Action.ROSTER_READ, session, new={"bookings": len(lines)}))
        return tuple(
            RosterEntry(
                booking_id=line.booking_id,
                status=line.status,
                confirmation_code=line.confirmation_code,
                child_first_name=line.child_first_name,
                child_age=line.child_age,
                accessibility_needs=line.accessibility_needs,
                medical_notes=notes,
                medical_notes_unreadable=notes == UNREADABLE,
                parent_name=line.parent_name,
                parent_email=line.parent_email,
                parent_phone=line.parent_phone,
                confirm_by=line.confirm_by,
                attendance_marked_at=line.attendance_marked_at,
                version=line.version,
            )
            for line, notes in zip(lines, map(self._notes, lines), strict=True)
        )

    def _notes(self, line: RosterLine) -> str | None:
        return opened_notes(line.sealed_medical_notes, self.vault, child=line.child_id, key=line.child_key)
