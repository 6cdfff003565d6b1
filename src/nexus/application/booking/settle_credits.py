"""Bring the credits of ended or changed bookings to where they belong."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from nexus.application.booking.ports import BookWork, Movement, Posting, Purse
from nexus.application.kernel.ports import NewId
from nexus.domain.booking.bookings import Booking
from nexus.domain.booking.refunds import Settlement
from nexus.domain.kernel.ids import BalanceId, LineId


def settle_credits(
    work: BookWork,
    settled: Sequence[tuple[Booking, Settlement]],
    *,
    at: datetime,
    new_id: NewId,
    partial: bool = False,
    purses: Sequence[Purse] | None = None,
) -> None:
    """
    Write the refunds and forfeits of these bookings; a booking that moves nothing is left out.

    A refund goes back to the balance that paid while it is open, else to the one
    open now. With neither, it goes to the balance that paid and expires there at
    once: the ledger says both. *purses* are these balances where they are locked already.
    """
    moving = [
        (booking, settlement) for booking, settlement in settled if settlement.refund or settlement.forfeit
    ]
    if not moving:
        return
    if purses is None:
        purses = work.payments.lock_purses([booking for booking, _ in moving], at=at)
    work.payments.post(
        [
            posting
            for booking, settlement in moving
            for posting in _postings(booking, settlement, purses, new_id=new_id, partial=partial)
        ],
        at=at,
    )


def _postings(
    booking: Booking,
    settlement: Settlement,
    purses: Iterable[Purse],
    *,
    new_id: NewId,
    partial: bool,
) -> Iterator[Posting]:
    def posting(balance: BalanceId, movement: Movement, amount: int, forfeited: int = 0) -> Posting:
        return Posting(
            line=LineId(new_id()),
            balance=balance,
            parent=booking.parent,
            movement=movement,
            amount=amount,
            booking=booking.id,
            reverses=booking.debit,
            forfeited=forfeited,
        )

    if settlement.forfeit:
        yield posting(booking.balance, Movement.FORFEIT, 0, settlement.forfeit)
    if settlement.refund:
        back = Movement.PARTIAL_REFUND if partial else Movement.REFUND
        open_now = [purse.balance for purse in purses if purse.is_open and purse.parent == booking.parent]
        if booking.balance in open_now or not open_now:
            yield posting(booking.balance, back, settlement.refund)
        else:
            yield posting(open_now[0], back, settlement.refund)
        if not open_now:
            yield posting(booking.balance, Movement.EXPIRY, -settlement.refund)
