"""Families with their children, companies with their people, and who keeps their accounts."""

from functools import cached_property

from nexus.application.booking.stand_down import StandDown
from nexus.application.identity.children import AddChild, ChangeChild, ListChildren, ShowChild
from nexus.application.identity.companies import (
    CreateCompany,
    CreateSubscription,
    ListCompanies,
    ListSubscriptions,
)
from nexus.application.identity.consents import ListConsents, RecordConsent
from nexus.application.identity.create_user import CreateUser
from nexus.application.identity.disable_user import DisableUser, EnableUser
from nexus.application.identity.hr import ListEmployees, OverviewHr
from nexus.application.identity.leave import RecordLeaver
from nexus.domain.catalogue.activities import Category
from nexus.entrypoints.wiring.means import Means


class People(Means):
    """Who the product is for."""

    # --- families

    @cached_property
    def _stand_down(self) -> StandDown:
        return StandDown(self.new_id)

    @cached_property
    def add_child(self) -> AddChild:
        return AddChild(self.begin, self.now, self.new_id, self._vault)

    @cached_property
    def list_children(self) -> ListChildren:
        return ListChildren(self.read, self._vault)

    @cached_property
    def show_child(self) -> ShowChild:
        return ShowChild(self.read, self._vault)

    @cached_property
    def change_child(self) -> ChangeChild:
        return ChangeChild(self.begin, self.now, self.new_id, self._vault, self._stand_down)

    @cached_property
    def record_consent(self) -> RecordConsent:
        return RecordConsent(self.begin, self.now, self.new_id, self._vault, self._stand_down)

    @cached_property
    def list_consents(self) -> ListConsents:
        return ListConsents(self.read)

    # --- companies

    @cached_property
    def create_company(self) -> CreateCompany:
        return CreateCompany(self.begin, self.now, self.new_id)

    @cached_property
    def list_companies(self) -> ListCompanies:
        return ListCompanies(self.read)

    @cached_property
    def create_subscription(self) -> CreateSubscription:
        return CreateSubscription(self.begin, self.now, self.new_id)

    @cached_property
    def list_subscriptions(self) -> ListSubscriptions:
        return ListSubscriptions(self.read)

    @cached_property
    def overview_hr(self) -> OverviewHr:
        return OverviewHr(self.begin, self.now, tuple(Category))

    @cached_property
    def list_employees(self) -> ListEmployees:
        return ListEmployees(self.begin, self.now)

    @cached_property
    def record_leaver(self) -> RecordLeaver:
        return RecordLeaver(self.begin, self.now)

    # --- accounts

    @cached_property
    def create_user(self) -> CreateUser:
        return CreateUser(self.begin, self.now, self.new_id, self._passwords)

    @cached_property
    def disable_user(self) -> DisableUser:
        return DisableUser(self.begin, self.now)

    @cached_property
    def enable_user(self) -> EnableUser:
        return EnableUser(self.begin, self.now)
