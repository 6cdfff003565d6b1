"""
One child's place in one session.

::

    pending ──> confirmed ──> completed
       │            ├───────> no_show
       │            ├───────> cancelled_parent
       └────────────┴───────> cancelled_venue      (pending also: cancelled_parent)

Nothing leaves a final state.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from attrs import evolve, frozen

from nexus.domain.booking.refunds import Settlement, Terms
from nexus.domain.kernel.errors import Conflict
from nexus.domain.kernel.ids import BalanceId, BookingId, ChildId, GroupId, LineId, SessionId, UserId, VenueId

MARKING_PERIOD: Final = timedelta(hours=24)
"""How long after the end a venue can mark attendance; afterwards the child counts as present."""


class BookingStatus(StrEnum):
    """Where a booking is in its life."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED_PARENT = "cancelled_parent"
    CANCELLED_VENUE = "cancelled_venue"
    NO_SHOW = "no_show"

    @property
    def is_active(self) -> bool:
        """Whether the child is still expected."""
        return self in (BookingStatus.PENDING, BookingStatus.CONFIRMED)


class BookingSource(StrEnum):
    """How a family came to its place."""

    BROWSE = "browse"
    WAITLIST = "waitlist"
    BOOK_AGAIN = "book_again"


class CancellationReason(StrEnum):
    """Why a place was given up."""

    SCHEDULE_CONFLICT = "schedule_conflict"
    CHILD_SICK = "child_sick"
    FOUND_BETTER_OPTION = "found_better_option"
    VENUE_CANCELLED = "venue_cancelled"
    WEATHER = "weather"
    TRANSPORTATION = "transportation"
    NOT_CONFIRMED = "not_confirmed"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CHILD_DEACTIVATED = "child_deactivated"
    OTHER = "other"


@frozen
class BookingEnded(Conflict):
    """The booking has reached its final state."""

    booking: BookingId
    booking_status: BookingStatus


@frozen
class NotPending(Conflict):
    """The booking does not wait for the venue's confirmation."""

    booking: BookingId
    booking_status: BookingStatus


@frozen
class ConfirmationLapsed(Conflict):
    """The time to confirm the booking is over; the seat and the credits go back."""

    booking: BookingId
    confirm_by: datetime


@frozen
class NotYetConfirmed(Conflict):
    """The venue has not confirmed the booking."""

    booking: BookingId


@frozen
class OutsideMarkingPeriod(Conflict):
    """Attendance is marked from the start of the session until 24 hours after its end."""

    opens_at: datetime
    closes_at: datetime


@frozen(kw_only=True)
class Booking:
    """
    A place, with the terms it was booked on.

    ``debit`` is the ledger line that paid for it, ``balance`` the one it was paid
    from. ``booked_length`` is how long the session was when it was booked,
    ``confirm_by`` when a pending booking lapses.
    """

    id: BookingId
    session: SessionId
    child: ChildId
    parent: UserId
    venue: VenueId
    status: BookingStatus
    starts_at: datetime
    ends_at: datetime
    booked_length: timedelta
    credits_charged: int
    credits_refunded: int
    refundable_until: datetime
    confirm_by: datetime | None
    debit: LineId
    balance: BalanceId
    group: GroupId | None
    version: int

    @property
    def terms(self) -> Terms:
        return Terms(
            charged=self.credits_charged,
            refunded=self.credits_refunded,
            booked_length=self.booked_length,
            starts_at=self.starts_at,
            refundable_until=self.refundable_until,
        )

    def cancelled_by_parent(self, *, at: datetime) -> "tuple[Booking, Settlement]":
        """
        Give the place up.

        Raises:
            BookingEnded: It has ended already; marked attendance counts, too.
            CancellationTooLate: The session has started.
        """
        self._must_be_active()
        return self._ended(BookingStatus.CANCELLED_PARENT, self.terms.when_the_parent_cancels(at=at))

    def cancelled_by_venue(self) -> "tuple[Booking, Settlement]":
        """
        Take the place away, with everything paid.

        Raises:
            BookingEnded: It has ended already.
        """
        self._must_be_active()
        return self._ended(BookingStatus.CANCELLED_VENUE, self.terms.when_the_venue_cancels())

    def confirmed(self, *, at: datetime) -> "Booking":
        """
        The venue accepts it.

        Raises:
            NotPending: There is nothing to confirm.
            ConfirmationLapsed: The venue took too long.
        """
        if self.status is not BookingStatus.PENDING or self.confirm_by is None:
            raise NotPending(self.id, self.status)
        if at >= self.confirm_by:
            raise ConfirmationLapsed(self.id, self.confirm_by)
        return evolve(self, status=BookingStatus.CONFIRMED, version=self.version + 1)

    def marked(self, *, present: bool, at: datetime) -> "tuple[Booking, Settlement]":
        """
        The venue says whether the child came.

        Raises:
            BookingEnded: It was cancelled or marked before.
            NotYetConfirmed: The venue never accepted it.
            OutsideMarkingPeriod: Too early or too late.
        """
        self._must_be_active()
        if self.status is BookingStatus.PENDING:
            raise NotYetConfirmed(self.id)
        until = self.ends_at + MARKING_PERIOD
        if not self.starts_at <= at < until:
            raise OutsideMarkingPeriod(self.starts_at, until)
        if present:
            return self._ended(BookingStatus.COMPLETED, Settlement())
        return self._ended(BookingStatus.NO_SHOW, self.terms.when_the_child_stays_away())

    def _must_be_active(self) -> None:
        if not self.status.is_active:
            raise BookingEnded(self.id, self.status)

    def _ended(self, status: BookingStatus, settlement: Settlement) -> "tuple[Booking, Settlement]":
        ended = evolve(
            self,
            status=status,
            credits_refunded=self.credits_refunded + settlement.refund,
            version=self.version + 1,
        )
        return ended, settlement
