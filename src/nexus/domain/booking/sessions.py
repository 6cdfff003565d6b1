"""A session as families meet it: what it asks of them, and the seats that can be sold."""

from datetime import date, datetime, timedelta
from enum import StrEnum

from attrs import evolve, frozen

from nexus.domain.kernel.errors import Conflict
from nexus.domain.kernel.ids import ActivityId, SessionId, VenueId


class SessionStatus(StrEnum):
    """Whether a session is still going to happen."""

    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


@frozen
class SessionCancelled(Conflict):
    """The venue has cancelled this session."""


@frozen
class SessionStarted(Conflict):
    """The session has started."""

    starts_at: datetime


@frozen
class SessionFull(Conflict):
    """There are not enough free seats; join the waitlist instead."""

    free: int
    requested: int
    waiting: int
    waitlist: str


@frozen
class CapacityBelowTaken(Conflict):
    """More seats are booked or held than would remain."""

    taken: int
    requested: int


@frozen(kw_only=True)
class Seats:
    """
    The seats of one session.

    ``sellable`` is what Nexus may sell: the allocated block or the whole
    capacity; after the release only what was booked or held at that moment.
    ``booked`` counts places that are taken for good, ``held`` open offers and
    bookings that the venue has not confirmed yet. Always
    ``booked + held <= sellable``.
    """

    sellable: int
    booked: int = 0
    held: int = 0

    @property
    def free(self) -> int:
        return self.sellable - self.booked - self.held

    def released(self) -> "Seats":
        """Give what is unsold back to the venue."""
        return evolve(self, sellable=self.booked + self.held)

    def resized(self, sellable: int) -> "Seats":
        """
        Sell more or fewer seats.

        Raises:
            CapacityBelowTaken: More than that are taken already.
        """
        if sellable < self.booked + self.held:
            raise CapacityBelowTaken(self.booked + self.held, sellable)
        return evolve(self, sellable=sellable)


@frozen(kw_only=True)
class Offering:
    """
    A session with everything that decides whether a family may book it.

    ``opens_at``: a block of seats can be sold from then on (None: always).
    ``releases_at``: unsold seats return to the venue then (None: never);
    ``released`` says whether that has been carried out. ``waiting`` is the number
    of queue entries without an offer.
    """

    session: SessionId
    activity: ActivityId
    venue: VenueId
    status: SessionStatus
    starts_at: datetime
    ends_at: datetime
    local_date: date
    price: int
    min_age: int
    max_age: int
    is_published: bool
    venue_is_active: bool
    insured_until: date | None
    is_premium: bool
    requires_confirmation: bool
    confirmation_window: timedelta
    seats: Seats
    waiting: int
    opens_at: datetime | None
    releases_at: datetime | None
    released: bool
    has_lapsed_offers: bool
    version: int

    def needs_settling(self, *, at: datetime) -> bool:
        """Whether something was due before *at* that changes who may have its seats."""
        return self.has_lapsed_offers or (
            not self.released and self.releases_at is not None and self.releases_at <= at
        )

    def on_sale(self, *, at: datetime, last_offer: timedelta) -> int:
        """
        How many seats anybody may book now.

        None while families wait for one, except in the last *last_offer* before
        the start, when no more offers are made and the seats are open to all.
        """
        if self.waiting and self.starts_at - at >= last_offer:
            return 0
        return self.seats.free
