"""A small catalogue to test with: the use cases over one store, and a clock that can be moved."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from uuid import UUID

from attrs import define, field

from nexus.application.catalogue.approve_venue import ApproveVenue
from nexus.application.catalogue.browse_activities import BrowseActivities
from nexus.application.catalogue.change_activity import ChangeActivity
from nexus.application.catalogue.change_schedule import ChangeSchedule
from nexus.application.catalogue.create_activity import CreateActivity
from nexus.application.catalogue.create_schedule import CreateSchedule
from nexus.application.catalogue.create_session import CreateSession
from nexus.application.catalogue.create_venue import CreateVenue
from nexus.application.catalogue.generate_sessions import GenerateSessions
from nexus.application.catalogue.search import Search
from nexus.domain.catalogue.activities import Category
from nexus.domain.catalogue.places import Place
from nexus.domain.catalogue.venues import Insurance

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHICAGO = Place(
    address_line1="1 Lake St",
    city="Chicago",
    state="IL",
    postal_code="60601",
    latitude=41.88,
    longitude=-87.63,
)


@define
class Catalogue:
    begin: object
    at: datetime = NOON
    ids: count = field(factory=lambda: count(1))

    def now(self):
        return self.at

    def new_id(self):
        return UUID(int=next(self.ids))

    def __getattr__(self, name):
        kinds = {
            "approve": (ApproveVenue, "now"),
            "change_activity": (ChangeActivity,),
            "change_schedule": (ChangeSchedule, "now", "new_id"),
            "create_schedule": (CreateSchedule, "now", "new_id"),
            "create_session": (CreateSession, "now", "new_id"),
            "create_venue": (CreateVenue, "now", "new_id"),
            "create_activity": (CreateActivity, "now", "new_id"),
            "generate": (GenerateSessions, "now", "new_id"),
            "browse_activities": (BrowseActivities, "now"),
        }
        if name not in kinds:
            raise AttributeError(name)
        kind, *needs = kinds[name]
        return kind(begin=self.begin, **{need: getattr(self, need) for need in needs})

    def venue(self, name="Lakeside", *, approved=True, place=CHICAGO, expires_on=date(2027, 1, 1), **more):
        made = self.create_venue(
            name=name,
            place=place,
            time_zone=more.pop("time_zone", "America/Chicago"),
            insurance=Insurance(100_000_000, expires_on),
            background_check_completed=True,
            safety_audit_completed=True,
            **more,
        )
        return self.approve(made.id) if approved else made

    def activity(self, venue, name="Clay Club", **more):
        facts = {
            "category": Category.ARTS_CRAFTS,
            "min_age": 5,
            "max_age": 9,
            "duration_minutes": 60,
            "credits_required": 4,
            "capacity_per_session": 10,
            "is_published": True,
        }
        return self.create_activity(venue=venue.id, name=name, **facts | more)

    def session(self, activity, *, day=date(2026, 3, 10), start=time(10), end=time(11), **more):
        return self.create_session(activity.id, venue=activity.venue, day=day, start=start, end=end, **more)

    def offer(self, venue, name="Clay Club", *, session=None, **more):
        activity = self.activity(venue, name, **more)
        return activity, self.session(activity, **session or {})

    def names(self, *, limit=20, child=None, parent=None, **search):
        cards = self.browse_activities(Search(**search), limit=limit, child=child, parent=parent)
        return [card.name for card in cards]

    def pass_time(self, **how):
        self.at += timedelta(**how)


def set_counts(work, session, **columns):
    """Pretend that bookings were made, on either store."""
    if hasattr(work, "world"):
        from attrs import evolve

        row = work.world.sessions[session.id]
        if "sellable" in columns:
            columns["seats"] = columns.pop("sellable")
        work.world.sessions[session.id] = evolve(row, **columns)
    else:
        for name, value in columns.items():
            work.connection.execute(
                f"UPDATE activity_sessions SET {name} = %s WHERE id = %s", [value, session.id]
            )
