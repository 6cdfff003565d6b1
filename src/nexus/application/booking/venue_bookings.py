"""What a venue does with single bookings: confirm, reject, mark attendance, cancel."""

from attrs import frozen

from nexus.application.booking.book import until_settled
from nexus.application.booking.end_bookings import end_bookings, endings
from nexus.application.booking.ports import BookWork
from nexus.application.booking.settle_credits import settle_credits
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.booking.bookings import BookingStatus, CancellationReason, NotPending
from nexus.domain.booking.events import AttendanceMarked, BookingConfirmed
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.ids import BookingId, EventId, UserId, VenueId


@frozen
class ConfirmBooking:
    """Accept a pending booking: the held seat becomes a booked one."""

    begin: Begin[BookWork]
    now: Clock
    new_id: NewId

    def __call__(self, booking: BookingId, *, venue: VenueId, by: UserId) -> BookingStatus:
        """
        Raises:
            NoSuchThing: The venue has no such booking.
            NotPending: There is nothing to confirm.
            ConfirmationLapsed: The venue took too long.
        """
        at = self.now()
        with self.begin() as work:
            found = work.places.lock(booking, venue=venue)[0]
            confirmed = found.confirmed(at=at)
            before = work.lines.lock(found.session)
            work.places.save([confirmed], at=at, by=by)
            work.lines.save(before, before.confirmed())
            work.outbox.add(
                BookingConfirmed(
                    id=EventId(self.new_id()),
                    at=at,
                    parent=found.parent,
                    session=found.session,
                    booking=found.id,
                )
            )
            work.audit.add(
                Deed(
                    Action.BOOKING_CONFIRMED,
                    found.id,
                    old={"status": found.status},
                    new={"status": confirmed.status},
                )
            )
        return confirmed.status


@frozen
class RejectBooking:
    """Turn a pending booking down: everything goes back to the family."""

    begin: Begin[BookWork]
    now: Clock
    new_id: NewId

    def __call__(
        self, booking: BookingId, *, venue: VenueId, by: UserId, notes: str | None = None
    ) -> BookingStatus:
        """
        Raises:
            NoSuchThing: The venue has no such booking.
            NotPending: It was answered or ended before.
        """
        at = self.now()
        with self.begin() as work:
            found = work.places.lock(booking, venue=venue)[0]
            if found.status is not BookingStatus.PENDING:
                raise NotPending(found.id, found.status)
            end_bookings(
                work,
                endings([found], lambda each: each.cancelled_by_venue()),
                at=at,
                new_id=self.new_id,
                by=by,
                reason=CancellationReason.NOT_CONFIRMED,
                notes=notes,
            )
        return BookingStatus.CANCELLED_VENUE


@frozen
class CancelBookingByVenue:
    """Take one place away, with a reason; always refunded in full."""

    begin: Begin[BookWork]
    now: Clock
    new_id: NewId

    def __call__(
        self,
        booking: BookingId,
        *,
        venue: VenueId,
        by: UserId,
        reason: CancellationReason = CancellationReason.VENUE_CANCELLED,
        notes: str | None = None,
    ) -> BookingStatus:
        """
        Raises:
            NoSuchThing: The venue has no such booking.
            BookingEnded: It has ended already.
        """

        def attempt() -> BookingStatus:
            at = self.now()
            with self.begin() as work:
                found = work.places.lock(booking, venue=venue)
                end_bookings(
                    work,
                    endings(found, lambda each: each.cancelled_by_venue()),
                    at=at,
                    new_id=self.new_id,
                    by=by,
                    reason=reason,
                    notes=notes,
                )
            return BookingStatus.CANCELLED_VENUE

        return until_settled(attempt)


@frozen
class MarkAttendance:
    """
    Say whether a child came.

    Saying the same again changes nothing; evidence once given stands.
    """

    begin: Begin[BookWork]
    now: Clock
    new_id: NewId

    def __call__(self, booking: BookingId, *, venue: VenueId, by: UserId, present: bool) -> BookingStatus:
        """
        Raises:
            NoSuchThing: The venue has no such booking.
            BookingEnded: It was cancelled, or marked otherwise.
            NotYetConfirmed: The venue never accepted it.
            OutsideMarkingPeriod: Too early or too late.
        """
        at = self.now()
        wanted = BookingStatus.COMPLETED if present else BookingStatus.NO_SHOW
        with self.begin() as work:
            found = work.places.lock(booking, venue=venue)[0]
            work.audit.add(
                Deed(Action.ATTENDANCE_MARKED, found.id, old={"status": found.status}, new={"status": wanted})
            )
            if found.status is wanted:
                return wanted
            marked, settlement = found.marked(present=present, at=at)
            work.places.save([marked], at=at, by=by)
            settle_credits(work, [(marked, settlement)], at=at, new_id=self.new_id)
            work.outbox.add(
                AttendanceMarked(
                    id=EventId(self.new_id()),
                    at=at,
                    parent=found.parent,
                    session=found.session,
                    booking=found.id,
                    present=present,
                    forfeited=settlement.forfeit,
                )
            )
        return marked.status
