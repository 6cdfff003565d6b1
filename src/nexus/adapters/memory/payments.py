"""Credits that go back to families, or are gone: the twin of balances and ledger."""

from collections.abc import Sequence
from datetime import datetime

from nexus.adapters.memory.account_rows import LineRow
from nexus.adapters.memory.tables import updated
from nexus.adapters.memory.world import World
from nexus.application.booking.ports import Movement, Posting, Purse
from nexus.application.credits.views import LineView
from nexus.domain.booking.bookings import Booking
from nexus.domain.credits import ledger

IN_THE_LEDGER = {each: ledger.Movement(each.value) for each in Movement}
BACK = {Movement.REFUND, Movement.PARTIAL_REFUND}


class MemoryPayments:
    """Keeps the promises of ``PostgresPayments``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def lock_purses(self, bookings: Sequence[Booking], *, at: datetime) -> tuple[Purse, ...]:
        wanted = {booking.balance for booking in bookings}
        for parent in {booking.parent for booking in bookings}:
            wanted |= {each.id for each in self._world.balances_of.of(parent) if each.is_open(at)}
        return tuple(
            Purse(balance=balance.id, parent=balance.user, is_open=balance.is_open(at))
            for balance in (self._world.balances[each] for each in sorted(wanted))
        )

    def post(self, postings: Sequence[Posting], *, at: datetime) -> None:
        for posting in postings:
            before = self._world.balances[posting.balance]
            balance = updated(
                before,
                available=before.available + posting.amount,
                refunded=before.refunded + posting.amount * (posting.movement in BACK),
                expired=before.expired - posting.amount * (posting.movement is Movement.EXPIRY),
                forfeited=before.forfeited + posting.forfeited,
                last_sequence=before.last_sequence + 1,
            )
            self._world.balances[balance.id] = balance
            self._world.lines[posting.line] = LineRow(
                user=posting.parent,
                view=LineView(
                    id=posting.line,
                    balance=balance.id,
                    sequence=balance.last_sequence,
                    movement=IN_THE_LEDGER[posting.movement],
                    amount=posting.amount,
                    balance_after=balance.available,
                    booking=posting.booking,
                    reason=None,
                    occurred_at=at,
                ),
                reverses=None if posting.movement is Movement.EXPIRY else posting.reverses,
            )
