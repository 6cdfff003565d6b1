"""End bookings of one session in one step: status, credits, seats, queue, news."""

from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import evolve

from nexus.application.booking.line_up import change_line
from nexus.application.booking.ports import BookWork, Purse
from nexus.application.booking.settle_credits import settle_credits
from nexus.application.kernel.ports import NewId
from nexus.domain.booking.bookings import Booking, BookingStatus, CancellationReason
from nexus.domain.booking.events import BookingCancelled
from nexus.domain.booking.refunds import Settlement
from nexus.domain.booking.waitlist import Line
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.ids import EventId, UserId

Ending = tuple[Booking, Booking, Settlement]
"""A booking before and after it ended, and what happens to its credits."""


def endings(
    bookings: Sequence[Booking], end: Callable[[Booking], tuple[Booking, Settlement]]
) -> list[Ending]:
    """Each booking ended as *end* says."""
    return [(booking, *end(booking)) for booking in bookings]


def end_bookings(
    work: BookWork,
    ended: Sequence[Ending],
    *,
    at: datetime,
    new_id: NewId,
    by: UserId | None,
    reason: CancellationReason,
    notes: str | None = None,
    line: Line | None = None,
    purses: Sequence[Purse] | None = None,
) -> Line | None:
    """
    Carry out cancellations in one locked session, as one step.

    The freed seats go to the families in line within the same step. *line* and *purses*
    are what was locked for it already. None when there was nothing to end.
    """
    if not ended:
        return None
    before = line or work.lines.lock(ended[0][0].session)
    work.places.save([after for _, after, _ in ended], at=at, by=by, reason=reason, notes=notes)
    vacant = change_line(work, before, lambda line: vacated(line, ended), at=at, new_id=new_id)
    settled = [(after, settlement) for _, after, settlement in ended]
    settle_credits(work, settled, at=at, new_id=new_id, purses=purses)
    work.outbox.add(
        *(
            BookingCancelled(
                id=EventId(new_id()),
                at=at,
                parent=after.parent,
                session=after.session,
                booking=after.id,
                by="parent" if after.status is BookingStatus.CANCELLED_PARENT else "venue",
                reason=reason,
                refunded=settlement.refund,
                forfeited=settlement.forfeit,
            )
            for _, after, settlement in ended
        )
    )
    work.audit.add(*(_deed(ending, reason=reason) for ending in ended))
    return vacant


def _deed(ending: Ending, *, reason: CancellationReason) -> Deed:
    before, after, settlement = ending
    by_parent = after.status is BookingStatus.CANCELLED_PARENT
    return Deed(
        Action.BOOKING_CANCELLED if by_parent else Action.BOOKING_CANCELLED_BY_VENUE,
        after.id,
        old={"status": before.status},
        new={
            "status": after.status,
            "reason": reason,
            "refunded": settlement.refund,
            "forfeited": settlement.forfeit,
        },
    )


def vacated(line: Line, ended: Sequence[Ending]) -> Line:
    """The line after these bookings have given up their seats."""
    pending = sum(before.status is BookingStatus.PENDING for before, _, _ in ended)
    seats = evolve(
        line.seats,
        booked=line.seats.booked - (len(ended) - pending),
        held=line.seats.held - pending,
    )
    return evolve(line, seats=seats)
