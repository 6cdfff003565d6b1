"""Show somebody their credits."""

from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen

from nexus.application.credits.ports import CreditWork
from nexus.application.credits.views import CreditsView
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin, Clock

PERIODS: Final = 24


@frozen
class ShowCredits:
    """Balances and movements of whoever asks; others' do not exist."""

    begin: Begin[CreditWork]
    now: Clock

    def __call__(
        self, *, actor: Actor, after: tuple[datetime, UUID] | None = None, limit: int = 50
    ) -> CreditsView:
        """At most *limit* movements before the one with the key *after*."""
        at = self.now()
        with self.begin() as work:
            balances, lines = work.credits.account(actor.user, periods=PERIODS, after=after, limit=limit)
        current = next((each for each in balances if each.opens_at <= at < each.closes_at), None)
        return CreditsView(
            available=current.available if current else 0,
            current=current,
            balances=tuple(balances),
            lines=tuple(lines),
        )
