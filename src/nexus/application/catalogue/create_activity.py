"""Add an activity to what a venue offers."""

from collections.abc import Iterable

from attrs import frozen

from nexus.application.catalogue.ports import PlanWork
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.catalogue.activities import Activity, Category, SkillLevel, Tag
from nexus.domain.catalogue.values import slug
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.ids import ActivityId, VenueId


@frozen
class CreateActivity:
    """Describe a new activity; families see it once it is published."""

    begin: Begin[PlanWork]
    now: Clock
    new_id: NewId

    def __call__(
        self,
        *,
        venue: VenueId,
        name: str,
        category: Category,
        min_age: int,
        max_age: int,
        duration_minutes: int,
        credits_required: int,
        capacity_per_session: int,
        short_description: str | None = None,
        full_description: str | None = None,
        tags: Iterable[Tag] = (),
        accessibility_features: Iterable[str] = (),
        what_to_bring: Iterable[str] = (),
        skill_level: SkillLevel = SkillLevel.BEGINNER,
        is_published: bool = False,
        external_ref: str | None = None,
    ) -> Activity:
        key = ActivityId(self.new_id())
        activity = Activity(
            id=key,
            venue=venue,
            name=name,
            slug=slug(name, key),
            category=category,
            short_description=short_description,
            full_description=full_description,
            min_age=min_age,
            max_age=max_age,
            duration_minutes=duration_minutes,
            credits_required=credits_required,
            capacity_per_session=capacity_per_session,
            tags=tags,
            accessibility_features=accessibility_features,
            what_to_bring=what_to_bring,
            skill_level=skill_level,
            is_published=is_published,
            external_ref=external_ref,
            created_at=self.now(),
        )
        with self.begin() as work:
            work.activities.add(activity)
            new = {"name": name, "category": category, "credits_required": credits_required}
            work.audit.add(Deed(Action.ACTIVITY_CREATED, key, new=new, venue=venue))
        return activity
