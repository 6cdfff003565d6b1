"""Bookings, queue entries and rosters, as people read them."""

from collections.abc import Sequence
from datetime import datetime

from nexus.adapters.memory.booking_rows import BookingRow, QueueRow
from nexus.adapters.memory.world import World
from nexus.application.booking.views import BookingView, EntryView, RosterLine
from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.identity.families import ChildStatus
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import BookingId, EntryId, SessionId, UserId, VenueId
from nexus.domain.kernel.time import age_on

EXPECTED = {BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.COMPLETED, BookingStatus.NO_SHOW}


class MemoryBookingViews:
    """Keeps the promises of ``PostgresBookingViews``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def booking(self, booking: BookingId, *, parent: UserId) -> BookingView:
        row = self._world.bookings.get(booking)
        if row is None or row.booking.parent != parent:
            raise NoSuchThing("booking")
        return self._booking(row)

    def bookings_of(
        self,
        parent: UserId,
        *,
        status: BookingStatus | None,
        upcoming_at: datetime | None,
        after: tuple[datetime, BookingId] | None,
        limit: int,
    ) -> tuple[BookingView, ...]:
        mine = [
            row
            for row in self._world.bookings.values()
            if row.booking.parent == parent
            and status in {None, row.booking.status}
            and (upcoming_at is None or (row.booking.status.is_active and row.booking.ends_at > upcoming_at))
            and (after is None or (row.booked_at, row.booking.id) < after)
        ]
        mine.sort(key=lambda row: (row.booked_at, row.booking.id), reverse=True)
        return tuple(self._booking(row) for row in mine[:limit])

    def _booking(self, row: BookingRow) -> BookingView:
        world, booking = self._world, row.booking
        session, venue = world.sessions[booking.session], world.venues[booking.venue]
        place = venue.place
        return BookingView(
            id=booking.id,
            status=booking.status,
            confirmation_code=row.code,
            group_booking_id=booking.group,
            source=row.source,
            session_id=booking.session,
            activity_id=session.activity,
            activity_name=world.activities[session.activity].name,
            venue_id=venue.id,
            venue_name=venue.name,
            venue_address=f"{place.address_line1}, {place.city}, {place.state} {place.postal_code}",
            location=session.location,
            child_id=booking.child,
            child_first_name=world.children[booking.child].first_name,
            session_date=session.session_date,
            start_time=session.start_time,
            end_time=session.end_time,
            time_zone=session.time_zone,
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
            credits_charged=booking.credits_charged,
            credits_refunded=booking.credits_refunded,
            refundable_until=booking.refundable_until,
            confirm_by=booking.confirm_by,
            booked_at=row.booked_at,
            cancelled_at=row.cancelled_at,
            cancellation_reason=row.cancellation_reason,
            version=booking.version,
        )

    def entries(self, ids: Sequence[EntryId], *, parent: UserId) -> tuple[EntryView, ...]:
        found = (self._world.queue.get(id_) for id_ in ids)
        return tuple(self._entry(row) for row in found if row is not None and row.entry.parent == parent)

    def entries_of(
        self,
        parent: UserId,
        *,
        active: bool | None,
        after: tuple[datetime, EntryId] | None,
        limit: int,
    ) -> tuple[EntryView, ...]:
        mine = [
            row
            for row in self._world.queue.values()
            if row.entry.parent == parent
            and active in {None, row.entry.status.is_active}
            and (after is None or (row.entry.joined_at, row.entry.id) < after)
        ]
        mine.sort(key=lambda row: (row.entry.joined_at, row.entry.id), reverse=True)
        return tuple(self._entry(row) for row in mine[:limit])

    def _entry(self, row: QueueRow) -> EntryView:
        world, entry, session = self._world, row.entry, self._world.sessions[row.session]
        not_behind = [
            other for other in world.queued_in.of(row.session) if other.entry.number <= entry.number
        ]
        return EntryView(
            id=entry.id,
            session_id=row.session,
            activity_id=session.activity,
            activity_name=world.activities[session.activity].name,
            venue_name=world.venues[session.venue].name,
            child_ids=entry.children,
            seats=entry.seats,
            status=entry.status,
            position=len(not_behind) if entry.status.is_active else None,
            joined_at=entry.joined_at,
            offered_at=entry.offered_at,
            offer_expires_at=entry.offer_expires_at,
            ended_at=entry.ended_at,
            closed_reason=entry.closed_reason,
            starts_at=session.starts_at,
            session_date=session.session_date,
            start_time=session.start_time,
            time_zone=session.time_zone,
        )

    def roster(self, session: SessionId, *, venue: VenueId) -> tuple[RosterLine, ...]:
        row = self._world.sessions.get(session)
        if row is None or row.venue != venue:
            raise NoSuchThing("session")
        lines = [
            self._roster_line(each)
            for each in self._world.bookings.values()
            if each.booking.session == session
            and each.booking.status in EXPECTED
            and self._world.children[each.booking.child].status is ChildStatus.ACTIVE
        ]
        return tuple(sorted(lines, key=lambda line: (line.child_first_name, line.booking_id)))

    def _roster_line(self, row: BookingRow) -> RosterLine:
        world, booking = self._world, row.booking
        child, parent = world.children[booking.child], world.users[booking.parent]
        shares = "medical_sharing" in child.consents
        return RosterLine(
            booking_id=booking.id,
            status=booking.status,
            confirmation_code=row.code,
            child_id=child.id,
            child_first_name=child.first_name,
            child_age=age_on(world.sessions[booking.session].session_date, child.date_of_birth),
            accessibility_needs=child.accessibility_needs,
            sealed_medical_notes=child.medical_notes if shares else None,
            child_key=world.child_keys.get(child.id) if shares else None,
            parent_name=f"{parent.person.first_name} {parent.person.last_name}",
            parent_email=parent.person.email,
            parent_phone=parent.phone,
            confirm_by=booking.confirm_by,
            attendance_marked_at=row.attendance_marked_at,
            version=booking.version,
        )
