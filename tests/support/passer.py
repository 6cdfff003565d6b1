"""Families and a venue that do whatever comes to their minds."""

import random
from datetime import timedelta

from attrs import define

from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.kernel.errors import Refusal
from nexus.domain.kernel.ids import BookingId, ChildId, EntryId, SessionId
from tests.support.booking import Desk
from tests.support.town import NOON, Family, Town

HOUR = timedelta(hours=1)


@define
class Passer:
    """Somebody who does one thing after another, for any family, as chance will have it."""

    town: Town
    desk: Desk
    chance: random.Random
    families: list[Family]
    sessions: list[SessionId]

    def act(self) -> str:
        """Do something; what it was, or why it was refused."""
        self.desk.at = NOON + self.chance.choice([0, 1, 5]) * HOUR
        deed = self.chance.choice([
            self.book, self.book, self.join, self.join, self.cancel, self.cancel,
            self.accept, self.decline, self.leave, self.sweep, self.take_away,
        ])  # fmt: skip
        try:
            deed(self.chance.choice(self.families))
        except Refusal as refusal:
            return type(refusal).__name__
        except IndexError:
            return "nothing to do"
        return deed.__name__

    def some(self, family: Family) -> tuple[ChildId, ...]:
        return tuple(self.chance.sample(family.children, self.chance.randint(1, len(family.children))))

    def place(self, family: Family) -> BookingId:
        taken = self.desk.list_bookings(parent=family.parent, status=BookingStatus.CONFIRMED, limit=50)
        return self.chance.choice(taken).id

    def entry(self, family: Family) -> EntryId:
        return self.chance.choice(self.desk.list_entries(parent=family.parent, active=True)).id

    def book(self, family: Family) -> None:
        session = self.chance.choice(self.sessions)
        self.desk.book(session, self.some(family), parent=family.parent, company=self.town.company)

    def join(self, family: Family) -> None:
        self.desk.join(self.chance.choice(self.sessions), self.some(family), parent=family.parent)

    def cancel(self, family: Family) -> None:
        together = self.chance.random() < 0.5
        self.desk.cancel(self.place(family), parent=family.parent, with_group=together)

    def accept(self, family: Family) -> None:
        self.desk.accept(self.entry(family), parent=family.parent, company=self.town.company)

    def decline(self, family: Family) -> None:
        self.desk.decline(self.entry(family), parent=family.parent)

    def leave(self, family: Family) -> None:
        self.desk.leave(self.entry(family), parent=family.parent)

    def take_away(self, family: Family) -> None:
        self.desk.take_away(self.place(family), venue=self.town.venue, by=family.parent)

    def sweep(self, _: Family) -> None:
        self.desk.sweep()
