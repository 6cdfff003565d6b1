"""Change an activity."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from nexus.application.catalogue.changes import changed
from nexus.application.catalogue.ports import PlanWork
from nexus.application.kernel.ports import Begin
from nexus.domain.catalogue.activities import Activity
from nexus.domain.compliance.audit import Action, Deed, differences
from nexus.domain.kernel.ids import ActivityId, VenueId

CHANGEABLE: Final = frozenset(
    {
        "name",
        "category",
        "short_description",
        "full_description",
        "min_age",
        "max_age",
        "duration_minutes",
        "credits_required",
        "capacity_per_session",
        "tags",
        "accessibility_features",
        "what_to_bring",
        "skill_level",
        "is_active",
        "is_published",
    }
)


@frozen
class ChangeActivity:
    """
    Change what was said of an activity; publish or hide it.

    Sessions that exist keep their price, times and seats.
    """

    begin: Begin[PlanWork]

    def __call__(
        self,
        activity_id: ActivityId,
        *,
        venue: VenueId,
        changes: Mapping[str, Any],
        version: int | None = None,
    ) -> Activity:
        with self.begin() as work:
            activity = work.activities.get(activity_id, venue=venue, lock=True)
            after = changed(activity, changes, allowed=CHANGEABLE, version=version)
            old, new = differences(activity, after)
            work.audit.add(Deed(Action.ACTIVITY_CHANGED, activity_id, old=old, new=new))
            return activity if after == activity else work.activities.save(after)
