"""What families may spend."""

from functools import cached_property
from time import sleep

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
        return AllocateCredits(self.begin, self.now, self.new_id, rest=sleep)

    @cached_property
    def expire_credits(self) -> ExpireCredits:
        return ExpireCredits(self.begin, self.now, self.new_id)

    @cached_property
    def warn_of_expiry(self) -> WarnOfExpiry:
        return WarnOfExpiry(self.begin, self.now, self.new_id)
