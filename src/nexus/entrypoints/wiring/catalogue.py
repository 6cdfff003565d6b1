"""What venues offer: finding it, keeping it, and letting venues in."""

from functools import cached_property

from nexus.application.catalogue.approve_venue import ApproveVenue
from nexus.application.catalogue.browse_activities import BrowseActivities
from nexus.application.catalogue.change_activity import ChangeActivity
from nexus.application.catalogue.change_schedule import ChangeSchedule
from nexus.application.catalogue.create_activity import CreateActivity
from nexus.application.catalogue.create_schedule import CreateSchedule
from nexus.application.catalogue.create_session import CreateSession
from nexus.application.catalogue.create_venue import CreateVenue
from nexus.application.catalogue.generate_sessions import GenerateSessions
from nexus.application.catalogue.import_catalogue import ImportCatalogue
from nexus.application.catalogue.list_activities import ListActivities
from nexus.application.catalogue.list_schedules import ListSchedules
from nexus.application.catalogue.list_sessions import ListVenueSessions
from nexus.application.catalogue.list_venues import ListVenues
from nexus.application.catalogue.reject_venue import RejectVenue
from nexus.application.catalogue.show import ListSessionsOfActivity, ShowActivity, ShowSession
from nexus.application.catalogue.suspend_venue import SuspendVenue
from nexus.entrypoints.wiring.means import Means


class Catalogue(Means):
    """Venues, activities, schedules and sessions."""

    # --- finding

    @cached_property
    def browse_activities(self) -> BrowseActivities:
        return BrowseActivities(self.read, self.now)

    @cached_property
    def show_activity(self) -> ShowActivity:
        return ShowActivity(self.read, self.now)

    @cached_property
    def list_sessions_of_activity(self) -> ListSessionsOfActivity:
        return ListSessionsOfActivity(self.read, self.now)

    @cached_property
    def show_session(self) -> ShowSession:
        return ShowSession(self.read, self.now)

    # --- a venue keeps what it offers

    @cached_property
    def create_activity(self) -> CreateActivity:
        return CreateActivity(self.begin, self.now, self.new_id)

    @cached_property
    def change_activity(self) -> ChangeActivity:
        return ChangeActivity(self.begin)

    @cached_property
    def list_activities(self) -> ListActivities:
        return ListActivities(self.read)

    @cached_property
    def create_session(self) -> CreateSession:
        return CreateSession(self.begin, self.now, self.new_id)

    @cached_property
    def list_venue_sessions(self) -> ListVenueSessions:
        return ListVenueSessions(self.read)

    @cached_property
    def create_schedule(self) -> CreateSchedule:
        return CreateSchedule(self.begin, self.now, self.new_id)

    @cached_property
    def change_schedule(self) -> ChangeSchedule:
        return ChangeSchedule(self.begin, self.now, self.new_id)

    @cached_property
    def list_schedules(self) -> ListSchedules:
        return ListSchedules(self.read)

    @cached_property
    def generate_sessions(self) -> GenerateSessions:
        return GenerateSessions(self.begin, self.now, self.new_id)

    # --- the platform lets venues in

    @cached_property
    def create_venue(self) -> CreateVenue:
        return CreateVenue(self.begin, self.now, self.new_id)

    @cached_property
    def list_venues(self) -> ListVenues:
        return ListVenues(self.read)

    @cached_property
    def approve_venue(self) -> ApproveVenue:
        return ApproveVenue(self.begin, self.now)

    @cached_property
    def reject_venue(self) -> RejectVenue:
        return RejectVenue(self.begin)

    @cached_property
    def suspend_venue(self) -> SuspendVenue:
        return SuspendVenue(self.begin)

    @cached_property
    def import_catalogue(self) -> ImportCatalogue:
        return ImportCatalogue(self.begin, self.now, self.new_id)
