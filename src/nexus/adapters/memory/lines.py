"""Sessions with their queues: the twin of ``waitlist`` and of the seats in ``activity_sessions``."""

from datetime import datetime
from operator import attrgetter

from nexus.adapters.memory.booking_rows import QueueRow
from nexus.adapters.memory.rows import STATUSES
from nexus.adapters.memory.tables import updated
from nexus.adapters.memory.world import World
from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.booking.sessions import Seats, SessionStatus
from nexus.domain.booking.waitlist import Line
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import ChildId, CompanyId, EntryId, SessionId, UserId, VenueId


class MemoryLines:
    """Keeps the promises of ``PostgresLines``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def lock(self, session: SessionId, *, venue: VenueId | None = None) -> Line:
        row = self._world.sessions.get(session)
        if row is None or venue not in {None, row.venue}:
            raise NoSuchThing("session")
        entries = [queued.entry for queued in self._world.queued_in.of(session)]
        entries.sort(key=attrgetter("number"))
        return Line(
            session=session,
            status=STATUSES[row.status],
            starts_at=row.starts_at,
            seats=Seats(sellable=row.seats, booked=row.booked_count, held=row.held_count),
            releases_at=row.releases_at,
            released_at=row.released_at,
            last_number=row.last_queue_number,
            entries=tuple(entries),
        )

    def save(self, before: Line, after: Line) -> None:
        del before
        self._world.sessions[after.session] = updated(
            self._world.sessions[after.session],
            seats=after.seats.sellable,
            booked_count=after.seats.booked,
            held_count=after.seats.held,
            waiting_count=after.waiting,
            last_queue_number=after.last_number,
            released_at=after.released_at,
        )
        for entry in (*after.entries, *after.gone):
            self._world.queue[entry.id] = QueueRow(
                session=after.session, company=self._company(entry.parent), entry=entry
            )

    def _company(self, parent: UserId) -> CompanyId:
        company = self._world.users[parent].person.company
        if company is None:
            raise NoSuchThing("parent")
        return company

    def _row(self, entry: EntryId, parent: UserId) -> QueueRow:
        row = self._world.queue.get(entry)
        if row is None or row.entry.parent != parent:
            raise NoSuchThing("waitlist entry")
        return row

    def session_of(self, entry: EntryId, *, parent: UserId) -> SessionId:
        return self._row(entry, parent).session

    def children_of(self, entry: EntryId, *, parent: UserId) -> tuple[ChildId, ...]:
        return self._row(entry, parent).entry.children

    def status_of(self, entry: EntryId) -> str:
        row = self._world.queue.get(entry)
        if row is None:
            raise NoSuchThing("waitlist entry")
        return row.entry.status

    def waiting_for(self, child: ChildId) -> tuple[SessionId, ...]:
        found = {queued.session for queued in self._world.queued_in.rows() if child in queued.entry.children}
        return tuple(sorted(found))

    def due(self, *, at: datetime, limit: int) -> tuple[SessionId, ...]:
        found = {
            row.booking.session
            for row in self._world.booked_in.rows()
            if row.booking.status is BookingStatus.PENDING
            and row.booking.confirm_by is not None
            and row.booking.confirm_by <= at
        }
        for queued in self._world.queued_in.rows():
            if self._is_due(queued, at):
                found.add(queued.session)
        return tuple(sorted(found))[:limit]

    def _is_due(self, queued: QueueRow, at: datetime) -> bool:
        session, expires = self._world.sessions[queued.session], queued.entry.offer_expires_at
        return (
            (expires is not None and expires <= at)
            or session.starts_at <= at
            or session.status != SessionStatus.SCHEDULED
            or (session.releases_at is not None and session.releases_at <= at and session.released_at is None)
        )

    def release(self, *, at: datetime, limit: int) -> int:
        due = [
            row
            for row in self._world.sessions.values()
            if row.status == SessionStatus.SCHEDULED
            and row.released_at is None
            and row.releases_at is not None
            and row.releases_at <= at
            and row.waiting_count == 0
        ][:limit]
        for row in due:
            self._world.sessions[row.id] = updated(
                row, seats=row.booked_count + row.held_count, released_at=at
            )
        return len(due)
