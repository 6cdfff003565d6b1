"""Sessions as their venues change them: the twin of ``activity_sessions``."""

from nexus.adapters.memory.tables import updated
from nexus.adapters.memory.world import World
from nexus.application.booking.ports import Plan
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import SessionId, VenueId


class MemoryPlans:
    """Keeps the promises of ``PostgresPlans``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def lock(self, session: SessionId, *, venue: VenueId) -> Plan:
        row = self._world.sessions.get(session)
        if row is None or row.venue != venue:
            raise NoSuchThing("session")
        return Plan(
            session=row.id,
            activity=row.activity,
            venue=row.venue,
            time_zone=row.time_zone,
            session_date=row.session_date,
            start_time=row.start_time,
            end_time=row.end_time,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            price=row.credits_required,
            total_capacity=row.total_capacity,
            allocated=row.platform_allocated_spots,
            opens_at=row.opens_at,
            releases_at=row.releases_at,
            instructor=row.instructor_name,
            notes=row.session_notes,
            location=row.location,
            version=row.version,
        )

    def save(self, plan: Plan, *, sellable: int) -> None:
        self._world.sessions[plan.session] = updated(
            self._world.sessions[plan.session],
            session_date=plan.session_date,
            start_time=plan.start_time,
            end_time=plan.end_time,
            starts_at=plan.starts_at,
            ends_at=plan.ends_at,
            credits_required=plan.price,
            total_capacity=plan.total_capacity,
            platform_allocated_spots=plan.allocated,
            seats=sellable,
            opens_at=plan.opens_at,
            releases_at=plan.releases_at,
            instructor_name=plan.instructor,
            session_notes=plan.notes,
            location=plan.location,
            version=plan.version,
        )

    def cancel(self, session: SessionId, *, reason: str) -> None:
        self._world.sessions[session] = self._world.sessions[session].cancelled(reason)
