"""A child can no longer be booked: it gives up every future place and stops waiting."""

from datetime import datetime

from attrs import frozen

from nexus.application.booking.end_bookings import end_bookings, endings
from nexus.application.booking.line_up import change_line
from nexus.application.booking.ports import BookWork
from nexus.application.kernel.ports import NewId
from nexus.domain.booking.bookings import CancellationReason
from nexus.domain.kernel.ids import ChildId, UserId


@frozen
class StandDown:
    """
    End a child's future bookings and waiting, inside the transaction that ends its consent.

    The family's own step, so the ordinary terms hold: everything comes back while
    the booking's free cancellation lasts.
    """

    new_id: NewId

    def __call__(self, work: BookWork, child: ChildId, *, parent: UserId, at: datetime) -> None:
        for booking in work.places.of_child(child, at=at):
            found = work.places.lock(booking, parent=parent)
            if not found[0].status.is_active:
                continue
            end_bookings(
                work,
                endings(found, lambda each: each.cancelled_by_parent(at=at)),
                at=at,
                new_id=self.new_id,
                by=parent,
                reason=CancellationReason.CONSENT_WITHDRAWN,
            )
        for session in work.lines.waiting_for(child):
            before = work.lines.lock(session)
            change_line(
                work, before, lambda line: line.closed_for(child, at=at), at=at, new_id=self.new_id
            )
