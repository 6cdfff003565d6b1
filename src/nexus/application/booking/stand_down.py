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

    def __call__(self, work: BookWork, child: ChildId, *, parent: UserId, reason: str, at: datetime) -> None:
        booked = work.places.of_child(child, at=at)
        sessions = sorted({*booked, *work.lines.waiting_for(child)})
        # Every session before any balance: whoever holds one of them may want the family's credits.
        for session in sessions:
            work.lines.lock(session)
        for session in sessions:
            found = work.places.lock(booked[session], parent=parent) if session in booked else ()
            end_bookings(
                work,
                endings(
                    [each for each in found if each.status.is_active and at < each.starts_at],
                    lambda each: each.cancelled_by_parent(at=at),
                ),
                at=at,
                new_id=self.new_id,
                by=parent,
                reason=CancellationReason(reason),
            )
            change_line(
                work,
                work.lines.lock(session),
                lambda line: line.closed_for(child, at=at),
                at=at,
                new_id=self.new_id,
            )
