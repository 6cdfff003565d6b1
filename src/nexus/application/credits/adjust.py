"""Correct somebody's credits by hand."""

from attrs import frozen

from nexus.application.credits.ports import CreditWork
from nexus.application.credits.views import BalanceView
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.credits.events import CreditsAdjusted
from nexus.domain.credits.ledger import InsufficientCredits, NoOpenBalance
from nexus.domain.kernel.errors import InvalidValue, NoSuchThing
from nexus.domain.kernel.ids import EventId, LineId, UserId
from nexus.domain.kernel.texts import short_text

MOST = 1_000_000


@frozen
class AdjustCredits:
    """Add to or take from the balance open now, with a reason; never below zero."""

    begin: Begin[CreditWork]
    now: Clock
    new_id: NewId

    def __call__(self, user: UserId, amount: int, *, reason: str, actor: Actor) -> BalanceView:
        """
        The balance afterwards.

        Raises:
            InvalidValue: Nothing to move, or no reason.
            NoSuchThing: No such employee.
            NoOpenBalance: No period is open for them.
            InsufficientCredits: More would be taken than is there.
        """
        if not 0 < abs(amount) <= MOST:
            raise InvalidValue("amount", f"must be between 1 and {MOST}, or the same below zero")
        why = short_text("reason", reason, at_most=500)
        at = self.now()
        with self.begin() as work:
            if not work.credits.is_employee(user):
                raise NoSuchThing("user")
            found = work.credits.lock_open(user, at=at)
            if found is None:
                raise NoOpenBalance
            if found.available + amount < 0:
                raise InsufficientCredits(found.available, -amount)
            after = work.credits.adjust(
                found.balance, amount, line=LineId(self.new_id()), by=actor.user, reason=why, at=at
            )
            work.outbox.add(
                CreditsAdjusted(id=EventId(self.new_id()), at=at, user=user, amount=amount, reason=why)
            )
            work.audit.add(
                Deed(
                    Action.CREDITS_ADJUSTED,
                    user,
                    old={"available": found.available},
                    new={"available": after.available},
                )
            )
        return after
