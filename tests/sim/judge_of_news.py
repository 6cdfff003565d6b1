"""The judge's part about what is told, and about what jobs leave behind."""

from datetime import datetime, timedelta
from typing import Any

from nexus.adapters.memory.tables import ABSENT
from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.booking.waitlist import EntryStatus
from tests.sim.books import REFUNDS, Books, must
from tests.sim.steps import HOUR, Step
from tests.sim.units import SimWorld
from tests.sim.village import Village

MARKING = 24 * HOUR
NEWS = ("OfferMade", "OfferLapsed", "WaitingEnded", "BookingCancelled")
NEWS_OF = {
    EntryStatus.OFFERED: "OfferMade",
    EntryStatus.EXPIRED: "OfferLapsed",
    EntryStatus.CLOSED: "WaitingEnded",
}
P, OFFERED = BookingStatus.PENDING, EntryStatus.OFFERED


class NewsJudge:
    """Looks at events and at jobs."""

    world: SimWorld
    books: Books
    village: Village

    def _news(self, rows: dict[str, dict[Any, Any]], step: Step) -> None:
        """Whatever concerns somebody is an event of the same transaction."""
        if step.verb in {"relay", "deliver", "plan"}:
            return
        told, refunded = self._told(rows.get("events", {}))
        due: dict[str, int] = {}
        made = False
        for key, old in rows.get("queue", {}).items():
            entry = self.world.queue[key].entry
            was = None if old is ABSENT else old.entry.status
            name = NEWS_OF.get(entry.status)
            if name is not None and was is not entry.status:
                due[name] = due.get(name, 0) + 1
        for key, old in rows.get("bookings", {}).items():
            if old is ABSENT:
                made = True
                continue
            status = self.world.bookings[key].booking.status
            if old.booking.status is not status and status.startswith("cancelled"):
                due["BookingCancelled"] = due.get("BookingCancelled", 0) + 1
        for name in NEWS if told or due else ():
            told_of, happened = told.get(name, 0), due.get(name, 0)
            must(told_of == happened, "I12", "{} times {}, told of {}", happened, name, told_of)
        must(made == ("PlacesBooked" in told), "I12", "places were booked, and nothing is told")
        lines = [self.world.lines[key].view for key in rows.get("lines", ())]
        back = sum([line.amount for line in lines if line.movement in REFUNDS])
        must(refunded == back, "I12", "{} credits came back, told of {}", back, refunded)

    def _told(self, events: dict[Any, Any]) -> tuple[dict[str, int], int]:
        """How many new events there are of each kind, and how many credits they say came back."""
        told: dict[str, int] = {}
        refunded = 0
        for key, old in events.items():
            if old is ABSENT:
                event = self.world.events[key]
                name = type(event).__name__
                told[name] = told.get(name, 0) + 1
                refunded += getattr(event, "refunded", 0)
        return told, refunded

    def _after_jobs(self, step: Step, outcome: Any) -> None:
        """What a job leaves behind when it came to its end."""
        if outcome != "done":
            return
        at = step.at
        if step.verb == "sweep":
            self.nothing_overdue(at, timedelta(0))
        elif step.verb == "expire":
            for balance in self.world.balances.values():
                must(balance.closed_at is not None or balance.closes_at > at, "I5", "a period was not closed")
        elif step.verb == "complete":
            for booking in self.books.active.values():
                must(
                    booking.status is P or booking.ends_at + MARKING > at, "I6", "a booking was not completed"
                )
        elif step.verb == "allocate":
            open_now = {b.user for b in self.world.balances.values() if b.is_open(at)}
            for household in self.village.households:
                must(household.parent in open_now, "I13", "an employee got no credits")

    def nothing_overdue(self, at: datetime, grace: timedelta) -> None:
        """Liveness: nothing has been due for longer than *grace*."""
        late = at - grace
        for session, entry in self.books.line.values():
            row = self.world.sessions[session]
            expires = entry.offer_expires_at
            must(expires is None or expires > late, "I10", "an offer never expires")
            must(row.starts_at > late, "I10", "a family waits for a session that has started")
        for booking in self.books.active.values():
            if booking.status is P:
                must(booking.confirm_by > late, "I10", "a venue never answers, and the family waits")
        for row in self.world.sessions.values():
            if row.releases_at is not None and row.released_at is None and row.status == "scheduled":
                must(row.releases_at > late or row.starts_at <= at, "I1", "a release was forgotten")
