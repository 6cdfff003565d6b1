"""What comes back when a place is given up or gets less than was paid for."""

from datetime import datetime, timedelta

from attrs import field, frozen, validators

from nexus.domain.kernel.errors import Conflict


@frozen
class CancellationTooLate(Conflict):
    """The session has started: the place cannot be given up any more."""

    starts_at: datetime


@frozen
class RefundWindow:
    """
    How long before the start a family may still cancel for free.

    The edge belongs to the family: cancelling with exactly *notice* to go still
    refunds in full.
    """

    notice: timedelta = field(default=timedelta(hours=48), validator=validators.ge(timedelta(0)))

    def closes_at(self, start: datetime) -> datetime:
        """The last instant of the window; a booking keeps it for good."""
        return start - self.notice


@frozen(kw_only=True)
class Settlement:
    """What cancelling does to the credits of one booking; the two add up to what was left of its price."""

    refund: int = 0
    forfeit: int = 0


@frozen(kw_only=True)
class Terms:
    """
    What a booking's credits depend on: kept as they were when it was made.

    ``charged`` is the price paid, ``refunded`` what has come back of it already,
    ``booked_length`` how long the session was then.
    """

    charged: int
    refunded: int
    booked_length: timedelta
    starts_at: datetime
    refundable_until: datetime

    @property
    def paid(self) -> int:
        """What the family has spent on the place as things stand."""
        return self.charged - self.refunded

    def when_the_parent_cancels(self, *, at: datetime) -> Settlement:
        """
        Everything back until ``refundable_until``, nothing after it.

        Raises:
            CancellationTooLate: The session has started.
        """
        if at >= self.starts_at:
            raise CancellationTooLate(self.starts_at)
        if at <= self.refundable_until:
            return Settlement(refund=self.paid)
        return Settlement(forfeit=self.paid)

    def when_the_venue_cancels(self) -> Settlement:
        """Always everything back."""
        return Settlement(refund=self.paid)

    def when_the_child_stays_away(self) -> Settlement:
        """Nothing back."""
        return Settlement(forfeit=self.paid)

    def when_the_session_changes(self, *, new_length: timedelta, new_price: int) -> int:
        """
        What comes back because the session is shorter or cheaper now.

        The place is worth the part of its price that is left of the time it was booked
        for, and never more than the session costs now; a fraction of a credit goes to
        the family. What was given back before counts, so that changing a session to and
        fro gives nothing back twice.
        """
        by_length = self.charged * min(new_length, self.booked_length) // self.booked_length
        return max(0, self.paid - min(by_length, new_price))
