"""The family that one signs in as, and the venue that one signs in as."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from attrs import frozen

from nexus.application.booking.views import BookingView
from nexus.application.catalogue.views import VenueSessionView
from nexus.domain.kernel.errors import Refusal
from nexus.entrypoints.demo.history import DAY, HOUR, History
from nexus.entrypoints.demo.people import Family, Kid
from nexus.entrypoints.demo.town import FIXED_VENUE

DEAREST: Final = 5
"""Credits of one place, so that enough are left for whoever looks around."""

ASK: Final = 2
"""Families whose bookings wait for the fixed venue's answer."""


@frozen
class FixedFamily:
    """Two places taken, one given up in time, one missed, three to come; news that was mostly read."""

    history: History

    def write(self) -> None:
        stage = self.history.stage
        before = stage.before_end
        stage.at(before(days=27), self._go_together)
        stage.at(before(days=17), self._go_alone)
        stage.at(before(days=12), self._give_up)
        stage.at(before(days=10), self._miss)
        stage.at(before(days=4), self._look_forward)
        stage.at(
            before(days=2), partial(self._book, ["Zuri", "Kofi"], stage.end + 6 * DAY, stage.end + 14 * DAY)
        )
        stage.at(before(days=1), self._read_the_news)
        stage.at(before(hours=3), self._ask_the_fixed_venue)

    def _go_together(self) -> None:
        before = self.history.stage.before_end
        self._mark(self._book(["Zuri", "Kofi"], before(days=24), before(days=18)), present=True)

    def _go_alone(self) -> None:
        before = self.history.stage.before_end
        self._mark(self._book(["Zuri"], before(days=14), before(days=9)), present=True)

    def _give_up(self) -> None:
        stage = self.history.stage
        for view in self._book(["Kofi"], stage.before_end(days=8), stage.before_end(days=3)):
            stage.at(stage.before_end(days=11), partial(self.history.cancel, self.history.people.fixed, view))

    def _miss(self) -> None:
        before = self.history.stage.before_end
        self._mark(self._book(["Kofi"], before(days=7), before(days=3)), present=False)

    def _look_forward(self) -> None:
        stage = self.history.stage
        for view in self._book(["Zuri"], stage.end + 3 * DAY, stage.end + 12 * DAY, venue=FIXED_VENUE):
            stage.at(stage.before_end(days=3.5), partial(self.history.confirm, view))

    def _book(
        self, names: Sequence[str], first: datetime, last: datetime, *, venue: str | None = None
    ) -> Sequence[BookingView]:
        """Places in the first session that these children can go to."""
        history = self.history
        family = history.people.fixed
        kids = [family.kid(name) for name in names]
        for session in history.between(first, last):
            if self._would_go(session, venue) and history.suits(session, family, kids):
                try:
                    return history.book(family, kids, session)
                except Refusal:
                    continue
        return ()

    def _would_go(self, session: VenueSessionView, venue: str | None) -> bool:
        """To that *venue*, or else to one that needs not confirm; where seats are scarce, others go."""
        offer = self.history.offer(session)
        place = offer.venue
        agreed = place.name == venue if venue else not (place.requires_confirmation or place.is_premium)
        return agreed and not offer.is_scarce and session.credits_required <= DEAREST

    def _mark(self, views: Sequence[BookingView], *, present: bool) -> None:
        for view in views:
            self.history.stage.at(view.ends_at + HOUR, partial(self.history.mark, view, present=present))

    def _read_the_news(self) -> None:
        """The parent has read all but what came in the last day."""
        nexus, parent = self.history.stage.nexus, self.history.people.fixed.parent
        for message in nexus.list_notifications(reader=parent, unread=True, limit=100):
            nexus.read_notification(message.id, reader=parent)

    def _ask_the_fixed_venue(self) -> None:
        """Two families wait for the answer of the venue that one signs in as."""
        history, end = self.history, self.history.stage.end
        asked: list[Family] = []
        for session in history.between(end + 4 * DAY, end + 14 * DAY):
            if history.offer(session).venue.name != FIXED_VENUE:
                continue
            for family, kid in history.interested(session):
                if len(asked) == ASK:
                    return
                if family not in asked and self._asks(family, kid, session):
                    asked.append(family)
                    break

    def _asks(self, family: Family, kid: Kid, session: VenueSessionView) -> bool:
        try:
            self.history.book(family, [kid], session)
        except Refusal:
            return False
        return True
