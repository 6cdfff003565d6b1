"""End periods: warn in time, then let what is left expire."""

from typing import Final, Protocol

from attrs import frozen

from nexus.application.credits.ports import CreditWork
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.application.platform.ports import Settings
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.credits.events import CreditsExpired, CreditsExpireSoon, Remainder
from nexus.domain.kernel.ids import EventId, LineId

BATCH: Final = 1000


class WarnWork(CreditWork, Protocol):
    """A unit of work that also knows the settings."""

    @property
    def settings(self) -> Settings: ...


@frozen
class ExpireCredits:
    """Close every balance whose period is over; late, twice or concurrently comes to the same."""

    begin: Begin[CreditWork]
    now: Clock
    new_id: NewId
    batch: int = BATCH

    def __call__(self) -> int:
        """How many balances were closed."""
        at = self.now()
        total = 0
        while True:
            with self.begin() as work:
                closings = work.credits.lock_over(at=at, limit=self.batch)
                work.credits.close([(each, LineId(self.new_id())) for each in closings], at=at)
                lost = tuple(
                    Remainder(user=each.user, credits=each.available, closes_at=each.closes_at)
                    for each in closings
                    if each.available
                )
                if lost:
                    work.outbox.add(CreditsExpired(id=EventId(self.new_id()), at=at, remainders=lost))
                if closings:
                    expired = sum(each.available for each in closings)
                    new = {"balances": len(closings), "credits": expired}
                    work.audit.add(Deed(Action.CREDITS_EXPIRED, new=new))
            if not closings:
                return total
            total += len(closings)


@frozen
class WarnOfExpiry:
    """Tell people, once per period, that credits they still have will expire soon."""

    begin: Begin[WarnWork]
    now: Clock
    new_id: NewId
    batch: int = BATCH

    def __call__(self) -> int:
        """How many people are warned."""
        at = self.now()
        total = 0
        while True:
            with self.begin() as work:
                notice = work.settings.at(at).credit_expiry_warning
                remainders = work.credits.warn(at=at, closing_until=at + notice, limit=self.batch)
                if remainders:
                    work.outbox.add(
                        CreditsExpireSoon(id=EventId(self.new_id()), at=at, remainders=tuple(remainders))
                    )
            if not remainders:
                return total
            total += len(remainders)
