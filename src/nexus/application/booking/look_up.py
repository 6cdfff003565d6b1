"""Read bookings and entries."""

from datetime import datetime

from attrs import frozen

from nexus.application.booking.ports import BookWork
from nexus.application.booking.views import BookingView, EntryView
from nexus.application.kernel.ports import Begin, Clock
from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import BookingId, EntryId, UserId


@frozen
class ShowBooking:
    """One of a parent's bookings."""

    begin: Begin[BookWork]

    def __call__(self, booking: BookingId, *, parent: UserId) -> BookingView:
        """
        Raises:
            NoSuchThing: It is not this parent's.
        """
        with self.begin() as work:
            return work.booking_views.booking(booking, parent=parent)


@frozen
class ListBookings:
    """A parent's bookings, latest first."""

    begin: Begin[BookWork]
    now: Clock

    def __call__(
        self,
        *,
        parent: UserId,
        status: BookingStatus | None = None,
        upcoming: bool = False,
        after: tuple[datetime, BookingId] | None = None,
        limit: int = 20,
    ) -> tuple[BookingView, ...]:
        """At most *limit*, from behind *after* (its ``booked_at`` and id); ``upcoming`` leaves out what is over."""
        with self.begin() as work:
            return work.booking_views.bookings_of(
                parent,
                status=status,
                upcoming_at=self.now() if upcoming else None,
                after=after,
                limit=limit,
            )


@frozen
class ShowEntry:
    """One of a parent's entries in queues."""

    begin: Begin[BookWork]

    def __call__(self, entry: EntryId, *, parent: UserId) -> EntryView:
        """
        Raises:
            NoSuchThing: It is not this parent's.
        """
        with self.begin() as work:
            for found in work.booking_views.entries([entry], parent=parent):
                return found
        raise NoSuchThing("waitlist entry")


@frozen
class ListEntries:
    """A parent's entries in queues, latest first."""

    begin: Begin[BookWork]

    def __call__(
        self,
        *,
        parent: UserId,
        active: bool | None = None,
        after: tuple[datetime, EntryId] | None = None,
        limit: int = 20,
    ) -> tuple[EntryView, ...]:
        """At most *limit*, from behind *after* (its ``joined_at`` and id)."""
        with self.begin() as work:
            return work.booking_views.entries_of(parent, active=active, after=after, limit=limit)
