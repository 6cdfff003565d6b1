"""A parent gives a place up."""

from attrs import evolve, frozen

from nexus.application.booking.book import until_settled
from nexus.application.booking.end_bookings import end_bookings, endings
from nexus.application.booking.ports import BookWork
from nexus.application.booking.views import BookingView, CancellationQuote
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.booking.bookings import CancellationReason
from nexus.domain.kernel.errors import VersionMismatch
from nexus.domain.kernel.ids import BookingId, UserId


@frozen
class CancelBooking:
    """
    Give up a booked place, or those of the whole group.

    Until ``refundable_until`` every credit comes back, later they are forfeited;
    either way the seat is free for the first family in line.
    """

    begin: Begin[BookWork]
    now: Clock
    new_id: NewId

    def __call__(
        self,
        booking: BookingId,
        *,
        parent: UserId,
        reason: CancellationReason = CancellationReason.OTHER,
        notes: str | None = None,
        with_group: bool = False,
        version: int | None = None,
    ) -> tuple[BookingView, ...]:
        """
        The bookings that were given up, the one asked for first.

        Raises:
            NoSuchThing: It is not this parent's.
            VersionMismatch: It is not at that version any more.
            BookingEnded: It has ended already.
            CancellationTooLate: The session has started.
        """

        def attempt() -> tuple[BookingView, ...]:
            at = self.now()
            with self.begin() as work:
                found = work.departures.lock(booking, parent=parent, with_group=with_group, at=at)
                if version is not None and version != found.bookings[0].version:
                    raise VersionMismatch(version, found.bookings[0].version)
                ended = endings(found.bookings, lambda each: each.cancelled_by_parent(at=at))
                end_bookings(
                    work,
                    ended,
                    at=at,
                    new_id=self.new_id,
                    by=parent,
                    reason=reason,
                    notes=notes,
                    line=found.line,
                    purses=found.purses,
                )
            return tuple(
                evolve(
                    shown,
                    status=after.status,
                    credits_refunded=after.credits_refunded,
                    cancelled_at=at,
                    cancellation_reason=reason.value,
                    version=after.version,
                )
                for shown, (_, after, _) in zip(found.shown, ended, strict=True)
            )

        return until_settled(attempt)


@frozen
class QuoteCancellation:
    """Say exactly what cancelling would do now, and until when."""

    begin: Begin[BookWork]
    now: Clock

    def __call__(self, booking: BookingId, *, parent: UserId) -> CancellationQuote:
        """
        Raises:
            NoSuchThing: It is not this parent's.
            BookingEnded: It has ended already.
            CancellationTooLate: The session has started.
        """
        at = self.now()
        with self.begin() as work:
            found = work.places.lock(booking, parent=parent)[0]
        _, settlement = found.cancelled_by_parent(at=at)
        return CancellationQuote(
            booking_id=found.id,
            refund=settlement.refund,
            forfeit=settlement.forfeit,
            refundable_until=found.refundable_until,
            starts_at=found.starts_at,
        )
