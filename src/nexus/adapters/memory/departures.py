"""Places that are about to be given up, with everything that this touches."""

from datetime import datetime

from nexus.adapters.memory.booking_views import MemoryBookingViews
from nexus.adapters.memory.lines import MemoryLines
from nexus.adapters.memory.payments import MemoryPayments
from nexus.adapters.memory.places import MemoryPlaces
from nexus.adapters.memory.world import World
from nexus.application.booking.ports import Departure
from nexus.domain.kernel.ids import BookingId, UserId


class MemoryDepartures:
    """Keeps the promises of ``PostgresDepartures``."""

    def __init__(self, world: World, places: MemoryPlaces) -> None:
        self._places, self._lines = places, MemoryLines(world)
        self._payments, self._views = MemoryPayments(world), MemoryBookingViews(world)

    def lock(
        self, booking: BookingId, *, parent: UserId, with_group: bool = False, at: datetime
    ) -> Departure:
        bookings = self._places.lock(booking, parent=parent, with_group=with_group)
        return Departure(
            bookings=bookings,
            shown=tuple(self._views.booking(each.id, parent=parent) for each in bookings),
            line=self._lines.lock(bookings[0].session),
            purses=self._payments.lock_purses(bookings, at=at),
        )
