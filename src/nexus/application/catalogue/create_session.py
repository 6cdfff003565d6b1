"""Plan one session of an activity."""

from datetime import date, time

from attrs import frozen

from nexus.application.catalogue.ports import PlanWork
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.catalogue.sessions import PlannedSession, plan_session
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.ids import ActivityId, SessionId, VenueId


@frozen
class CreateSession:
    """Plan a session; capacity and price are the activity's where none is given."""

    begin: Begin[PlanWork]
    now: Clock
    new_id: NewId

    def __call__(
        self,
        activity_id: ActivityId,
        *,
        venue: VenueId,
        day: date,
        start: time,
        end: time,
        capacity: int | None = None,
        allocated: int | None = None,
        price: int | None = None,
        instructor_name: str | None = None,
        session_notes: str | None = None,
        location: str | None = None,
        external_ref: str | None = None,
    ) -> PlannedSession:
        with self.begin() as work:
            session = plan_session(
                work.activities.get(activity_id, venue=venue),
                work.venues.get(venue),
                id=SessionId(self.new_id()),
                day=day,
                start=start,
                end=end,
                at=self.now(),
                capacity=capacity,
                allocated=allocated,
                price=price,
                instructor_name=instructor_name,
                session_notes=session_notes,
                location=location,
                external_ref=external_ref,
            )
            work.sessions.add([session])
            new = {"activity": activity_id, "starts_at": session.starts_at}
            work.audit.add(Deed(Action.SESSION_PLANNED, session.id, new=new, venue=venue))
        return session
