"""Find activities."""

from attrs import frozen

from nexus.application.catalogue.ports import BrowseWork
from nexus.application.catalogue.search import After, Search
from nexus.application.catalogue.views import ActivityCard
from nexus.application.kernel.ports import Begin, Clock
from nexus.domain.kernel.errors import ChildNotActive
from nexus.domain.kernel.ids import ChildId, UserId


@frozen
class BrowseActivities:
    """
    Published activities that have a coming session which meets the search.

    For a *child* of the asking *parent* the session is on a day on which the
    child is of the right age, and the activity is nothing that the child avoids.
    The key of a page is ``card.key``.

    Raises:
        NoSuchThing: The child is not the parent's own.
        ChildNotActive: It is a draft, or deactivated: nobody may search for it.
    """

    begin: Begin[BrowseWork]
    now: Clock

    def __call__(
        self,
        search: Search,
        *,
        parent: UserId | None = None,
        child: ChildId | None = None,
        after: After | None = None,
        limit: int = 20,
    ) -> tuple[ActivityCard, ...]:
        at = self.now()
        with self.begin() as work:
            suits = None if child is None or parent is None else work.browsing.child(child, parent=parent)
            if child is not None and suits is not None and not suits.is_active:
                raise ChildNotActive(child)
            return work.browsing.browse(
                search,
                child=suits,
                at=at,
                last_offer_minutes=work.settings.at(at).waitlist_last_offer_minutes,
                after=after,
                limit=limit,
            )
