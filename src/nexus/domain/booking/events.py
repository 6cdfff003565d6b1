"""What happens to places and to those who wait for them."""

from datetime import datetime

from attrs import frozen

from nexus.domain.kernel.events import Event
from nexus.domain.kernel.ids import BookingId, EntryId, SessionId, UserId


@frozen(kw_only=True)
class PlacesBooked(Event):
    """A family got places; pending ones wait for the venue until ``confirm_by``."""

    parent: UserId
    session: SessionId
    bookings: tuple[BookingId, ...]
    credits: int
    confirm_by: datetime | None
    from_offer: bool = False
    """Whether they were offered to the family from the waitlist."""


@frozen(kw_only=True)
class BookingConfirmed(Event):
    """The venue accepted a pending booking."""

    parent: UserId
    session: SessionId
    booking: BookingId


@frozen(kw_only=True)
class BookingCancelled(Event):
    """A place was given up or taken away; ``by`` is parent or venue."""

    parent: UserId
    session: SessionId
    booking: BookingId
    by: str
    reason: str
    refunded: int
    forfeited: int


@frozen(kw_only=True)
class AttendanceMarked(Event):
    """A child came, or stayed away and forfeited its credits."""

    parent: UserId
    session: SessionId
    booking: BookingId
    present: bool
    forfeited: int


@frozen(kw_only=True)
class SessionChanged(Event):
    """The venue changed a session; a family that was booked may leave for free until the start."""

    parent: UserId
    session: SessionId
    booking: BookingId
    refunded: int
    changed: tuple[str, ...]


@frozen(kw_only=True)
class OfferMade(Event):
    """A freed seat is held for a family."""

    parent: UserId
    session: SessionId
    entry: EntryId
    seats: int
    expires_at: datetime


@frozen(kw_only=True)
class OfferLapsed(Event):
    """A family did not answer in time."""

    parent: UserId
    session: SessionId
    entry: EntryId


@frozen(kw_only=True)
class WaitingEnded(Event):
    """An entry was closed without the family's doing."""

    parent: UserId
    session: SessionId
    entry: EntryId
    reason: str
