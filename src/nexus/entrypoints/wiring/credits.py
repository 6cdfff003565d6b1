"""What families may spend."""

from functools import cached_property
from time import sleep

from attrs import evolve

from nexus.adapters.system.lanes import Lanes
from nexus.application.credits.adjust import AdjustCredits
from nexus.application.credits.allocate import AllocateCredits
from nexus.application.credits.expire import ExpireCredits, WarnOfExpiry
from nexus.application.credits.show import ShowCredits
from nexus.entrypoints.wiring.means import Means


class Credits(Means):
    """Credits: shown, given, corrected and expired."""

    @cached_property
    def show_credits(self) -> ShowCredits:
        return ShowCredits(self.read, self.now)

    @cached_property
    def adjust_credits(self) -> AdjustCredits:
        return AdjustCredits(self.begin, self.now, self.new_id)

    @cached_property
    def allocate_credits(self) -> AllocateCredits:
        in_turn = AllocateCredits(self.begin, self.now, self.new_id, rest=self._give_way)
        return in_turn if self._lanes == 1 else evolve(in_turn, side_by_side=Lanes(self._lanes))

    def _give_way(self, seconds: float) -> None:
        """Rest so long that all lanes together take half of what one would take without a rest."""
        sleep(seconds * (2 * self._lanes - 1))

    @cached_property
    def expire_credits(self) -> ExpireCredits:
        return ExpireCredits(self.begin, self.now, self.new_id)

    @cached_property
    def warn_of_expiry(self) -> WarnOfExpiry:
        return WarnOfExpiry(self.begin, self.now, self.new_id)
