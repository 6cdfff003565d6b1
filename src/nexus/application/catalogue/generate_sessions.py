"""Plan the sessions of all weekly schedules, ever a few weeks ahead."""

from attrs import frozen

from nexus.application.catalogue.ports import PlanWork
from nexus.application.catalogue.rolling import horizon, plan_up_to
from nexus.application.catalogue.views import Generation
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.catalogue.schedules import SkippedDate
from nexus.domain.catalogue.sessions import PlannedSession
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.ids import ScheduleId
from nexus.domain.kernel.time import local_date


@frozen
class GenerateSessions:
    """
    Move the horizon of every active schedule on.

    Works in batches, each a unit of work of its own: stopped anywhere, the next
    run goes on there. Several runs at once share the work, and a date gets its
    session once.
    """

    begin: Begin[PlanWork]
    now: Clock
    new_id: NewId

    def __call__(self, *, limit: int = 200, batches: int | None = None) -> Generation:
        """Take *limit* schedules at a time, for so many *batches* or until none is due."""
        done = Generation()
        taken = 0
        while batches is None or taken < batches:
            batch = self._batch(limit)
            if not batch.schedules:
                break
            taken += 1
            done = Generation(
                schedules=done.schedules + batch.schedules,
                sessions=done.sessions + batch.sessions,
                skipped=done.skipped + batch.skipped,
            )
        return done

    def _batch(self, limit: int) -> Generation:
        at = self.now()
        sessions: list[PlannedSession] = []
        skipped: list[tuple[ScheduleId, SkippedDate]] = []
        with self.begin() as work:
            days = work.settings.at(at).generation_horizon_days
            due = work.schedules.take_due(at=at, horizon_days=days, limit=limit)
            for one in due:
                today = local_date(at, one.venue.time_zone)
                plan = plan_up_to(
                    horizon(one.venue, at=at, days=days),
                    one.schedule,
                    one.activity,
                    one.venue,
                    first=max(today, one.schedule.generated_until or today),
                    at=at,
                    new_id=self.new_id,
                )
                sessions += plan.sessions
                skipped += [(one.schedule.id, date) for date in plan.skipped]
            created = work.sessions.add(sessions)
            if created:
                new = {"schedules": len(due), "sessions": created}
                work.audit.add(Deed(Action.SESSIONS_GENERATED, new=new))
            work.schedules.generated([(one.schedule.id, horizon(one.venue, at=at, days=days)) for one in due])
        return Generation(schedules=len(due), sessions=created, skipped=tuple(skipped))
