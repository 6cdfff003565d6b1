"""
Holds every committed change against the promises, by its own reckoning.

Only what a step touched is looked at; :mod:`tests.sim.recount` counts everything anew.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from nexus.adapters.memory.tables import ABSENT, Change
from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.booking.waitlist import ClosedReason, EntryStatus
from nexus.domain.credits.ledger import Movement
from tests.sim.books import REFUNDS, Books, broken, must
from tests.sim.judge_of_ledgers import LedgerJudge
from tests.sim.judge_of_news import MARKING, NewsJudge
from tests.sim.refusals import must_be_legitimate
from tests.sim.steps import HOUR, RACES, Step
from tests.sim.units import SimWorld
from tests.sim.village import CONFIRMATION_HOURS, CONFIRMING, Village

OFFER, LAST_OFFER, NOTICE = 4 * HOUR, HOUR, 48 * HOUR
PATIENCE = 3
P, C = BookingStatus.PENDING, BookingStatus.CONFIRMED
WAITING, OFFERED = EntryStatus.WAITING, EntryStatus.OFFERED

ENDS = {
    "cancel": {BookingStatus.CANCELLED_PARENT},
    "consent": {BookingStatus.CANCELLED_PARENT},
    "confirm": {BookingStatus.CONFIRMED},
    "reject": {BookingStatus.CANCELLED_VENUE},
    "take_away": {BookingStatus.CANCELLED_VENUE},
    "call_off": {BookingStatus.CANCELLED_VENUE},
    "sweep": {BookingStatus.CANCELLED_VENUE},
    "mark": {BookingStatus.COMPLETED, BookingStatus.NO_SHOW},
    "complete": {BookingStatus.COMPLETED},
}
"""To which status a verb may bring a booking."""

LIVELY = {"sessions", "bookings", "queue"}
TOLD = {"events", "bookings", "queue", "lines"}
"""Tables of which every change is judged with its session, and of which every change may be news."""


class Judge(LedgerJudge, NewsJudge):
    """Looks at each step when it is committed."""

    def __init__(self, world: SimWorld, village: Village, books: Books) -> None:
        super().__init__(world, books)
        self.village = village
        self.verbs: set[str] = set()

    def judge(self, step: Step, outcome: Any, changes: Sequence[Change]) -> None:
        """
        Raises:
            Broken: A promise does not hold.
        """
        ends_in = RACES.get(step.verb)
        self.verbs = {step.verb} if ends_in is None else {step.verb, step.args[3], ends_in}
        refused = isinstance(outcome, Exception)
        if changes:
            must(not refused or ends_in is not None, "I5", "a refused step left traces")
            rows: dict[str, dict[Any, Any]] = {}
            for table, key, old in changes:
                touched = rows.get(table.name)
                if touched is None:
                    rows[table.name] = {key: old}
                elif key not in touched:
                    touched[key] = old
            self._committed(rows, step, outcome)
        if refused:
            must_be_legitimate(self, step, outcome)
        self._after_jobs(step, outcome)

    def _committed(self, rows: dict[str, dict[Any, Any]], step: Step, outcome: Any) -> None:
        """Follow what was committed, table by table, and look at each session that was touched."""
        lines = self._lines(rows["lines"], step) if "lines" in rows else []
        if lines or "balances" in rows:
            self._balances(rows.get("balances", {}), lines, step)
        if not LIVELY.isdisjoint(rows):
            self._places(rows, lines, step)
        if step.verb == "consent" and outcome == "done" and not step.args[2]:
            self._stood_down(step)
        if not TOLD.isdisjoint(rows):
            self._news(rows, step)
        for key in rows.get("told", ()):
            must(self.world.told[key] == 1, "I12", "somebody was told the same twice")
        for key, old in rows.get("handled", {}).items():
            must(old is ABSENT, "I12", "event {} was handled twice", key)

    def _places(self, rows: dict[str, dict[Any, Any]], lines: list[Any], step: Step) -> None:
        """Bookings, entries and the sessions they are in."""
        sessions = rows.get("sessions", {})
        touched = set(sessions)
        gone = rows.get("queue", {})
        booked = rows.get("bookings", {})
        for key, old in sorted(gone.items(), key=lambda row: row[1] is ABSENT):
            touched.add(self.world.queue[key].session)
            self._entry(old, self.world.queue[key], step, booked)
        for key, old in booked.items():
            new = self.world.bookings[key]
            touched.add(new.booking.session)
            self._booking(old, new, lines, step)
        if booked:
            self._groups(booked, step)
        if step.verb == "change":
            for key, old in sessions.items():
                self._changed(old, self.world.sessions[key], lines, booked)
        for session in touched:
            self._session(session, sessions.get(session), step)
            self._line(session, gone, step)

    # Bookings

    def _booking(self, old: Any, new: Any, lines: list[Any], step: Step) -> None:
        booking, _at = new.booking, step.at
        mine = [row.view for row in lines if row.view.booking == booking.id]
        if old is ABSENT:
            self._new_booking(new, mine, step)
        else:
            before = old.booking
            must(booking.version > before.version, "I11", "a changed booking keeps its version")
            if before.status is not booking.status:
                self._ended(before, booking, mine, step)
            back = sum(line.amount for line in mine if line.movement in REFUNDS)
            must(
                booking.credits_refunded - before.credits_refunded == back,
                "I6",
                "refunded, but not paid back",
            )
        self.books.note_booking(old, new)

    def _new_booking(self, row: Any, mine: list[Any], step: Step) -> None:
        booking, at = row.booking, step.at
        session = self.world.sessions[booking.session]
        must(bool(self.verbs & {"book", "accept"}), "I1", "a booking out of nowhere")
        must(session.status == "scheduled" and at < session.starts_at, "I10", "booked too late")
        must(session.opens_at is None or at >= session.opens_at, "I10", "booked before it opened")
        child = self.world.children[booking.child]
        may = child.status == "active" and "activity_booking" in child.consents
        must(may and child.parent == booking.parent, "I16", "booked a child that may not be booked")
        confirms = self.village.numbers[booking.session] % len(self.village.towns) == CONFIRMING
        must(booking.status is (P if confirms else C), "I2", "a new booking is {}", booking.status)
        due = min(at + CONFIRMATION_HOURS * HOUR, session.starts_at) if confirms else None
        must(booking.confirm_by == due, "I10", "a wrong time to confirm")
        must(booking.refundable_until == session.starts_at - NOTICE, "I6", "a wrong end of free cancellation")
        must(
            [(line.movement, line.amount) for line in mine]
            == [(Movement.BOOKING_DEBIT, -session.credits_required)],
            "I6",
            "a place that was not paid once, at its price",
        )
        must(booking.credits_charged == session.credits_required, "I6", "a wrong price")
        for other in self.books.of_child.get(booking.child, ()):
            there = self.books.active[other]
            must(there.session != booking.session, "I3", "a child has two places in one session")
            overlap = there.starts_at < booking.ends_at and booking.starts_at < there.ends_at
            excused = self.world.bookings[other].overlap_excused
            must(not overlap or excused, "I4", "a child is booked at two places at once")
        if step.verb != "accept":
            crowd = session.waiting_count and session.starts_at - at >= LAST_OFFER
            must(not crowd, "I8", "a seat was sold past those who wait")

    def _ended(self, before: Any, after: Any, mine: list[Any], step: Step) -> None:
        at, status = step.at, after.status
        must(before.status.is_active, "I6", "{} became {}", before.status, status)
        must(
            any(status in ENDS.get(verb, ()) for verb in self.verbs),
            "I6",
            "{} made a booking {}",
            step.verb,
            status,
        )
        left = before.credits_charged - before.credits_refunded
        back = sum(line.amount for line in mine if line.movement in REFUNDS)
        forfeits = sum(line.movement is Movement.FORFEIT for line in mine)
        if status is BookingStatus.CONFIRMED:
            must(before.status is P and at < before.confirm_by, "I10", "confirmed too late")
            must(not mine, "I6", "confirming moved credits")
        elif status is BookingStatus.CANCELLED_PARENT:
            must(at < before.starts_at, "I6", "cancelled after the start")
            until = before.starts_at if before.id in self.books.moved else before.starts_at - NOTICE
            due = left if at <= until else 0
            must(back == due, "I6", "{} came back instead of {}", back, due)
            must(forfeits == (left > 0 and not due), "I6", "forfeits do not fit")
        elif status is BookingStatus.CANCELLED_VENUE:
            must(back == left and not forfeits, "I6", "the venue cancelled without a full refund")
            if step.verb == "sweep":
                must(
                    before.status is P and before.confirm_by <= at,
                    "I10",
                    "taken back before the time was over",
                )
        elif step.verb == "mark":
            must(before.status is C, "I6", "marked a place that was never confirmed")
            must(before.starts_at <= at < before.ends_at + MARKING, "I6", "marked outside the time for it")
            absent = status is BookingStatus.NO_SHOW
            must(not back and forfeits == (absent and left > 0), "I6", "attendance moved credits")
        else:
            must(before.status is C and at >= before.ends_at + MARKING, "I6", "completed too early")
            must(not mine, "I6", "completing moved credits")

    def _changed(self, old: Any, new: Any, lines: list[Any], booked: dict[Any, Any]) -> None:
        """What families get when a venue changes a session: the difference, and a free way out."""
        was = old.starts_at, old.ends_at, old.location
        moved = was != (new.starts_at, new.ends_at, new.location)
        new_length = new.ends_at - new.starts_at
        for booking in [each for each in self.books.active.values() if each.session == new.id]:
            must((booking.starts_at, booking.ends_at) == (new.starts_at, new.ends_at), "I4", "left behind")
            if moved:
                self.books.moved.add(booking.id)
                must(booking.refundable_until == new.starts_at, "I6", "no free way out of a moved session")
            before = booked[booking.id].booking if booking.id in booked else booking
            paid = before.credits_charged - before.credits_refunded
            worth = min(
                before.credits_charged * min(new_length, before.booked_length) // before.booked_length,
                new.credits_required,
            )
            back = sum(
                row.view.amount for row in lines if row.view.booking == booking.id and row.view.amount > 0
            )
            must(
                back == max(0, paid - worth),
                "I6",
                "a wrong difference came back",
            )

    def _groups(self, booked: dict[Any, Any], step: Step) -> None:
        """Siblings: all or none."""
        new = [self.world.bookings[key].booking for key, old in booked.items() if old is ABSENT]
        if step.verb == "book" and new:
            must(len(new) == len(step.args[2]), "I8", "a group was split")
            must(len({each.group for each in new}) == 1, "I8", "siblings without a common group")
            must((new[0].group is not None) == (len(new) > 1), "I8", "a group of one")
        if step.verb == "cancel" and booked:
            asked = self.books.latest.get(
                (
                    self.village.sessions[step.args[1]],
                    self.village.households[step.args[0]].children[step.args[2]],
                )
            )
            must(asked in booked, "I6", "another place was cancelled than the one asked for")
            must(step.args[3] or len(booked) == 1, "I6", "more places were cancelled than asked for")
            group = self.world.bookings[asked].booking.group
            if step.args[3] and group is not None:
                rest = [each for each in self.books.active.values() if each.group == group]
                must(not rest, "I6", "a group was cancelled in part")

    def _stood_down(self, step: Step) -> None:
        """Without consent a child is expected nowhere and waits nowhere."""
        child = self.village.households[step.args[0]].children[step.args[1]]
        expected = [self.books.active[id_] for id_ in self.books.of_child.get(child, ())]
        must(all(each.starts_at <= step.at for each in expected), "I16", "a place without consent")
        must(
            all(child not in e.children for _, e in self.books.line.values()), "I16", "waits without consent"
        )

    # Sessions and lines

    def _session(self, key: Any, old: Any, step: Step) -> None:
        new, book, at = self.world.sessions[key], self.books.of(key), step.at
        held = book.pending + book.offered
        counted = (new.booked_count, new.held_count)
        if counted != (book.booked, held):
            broken("I2", f"counts {counted}, recount {(book.booked, held)}")
        waiting = 0
        for id_ in book.queue:
            waiting += self.books.line[id_][1].status is WAITING
        if new.waiting_count != waiting:
            broken("I2", f"counts {new.waiting_count} waiting, recount {waiting}")
        if book.booked < 0 or held < 0 or book.booked + held > new.seats:
            broken("I1", f"{counted} taken of {new.seats}")
        must(new.seats <= new.total_capacity, "I1", "sells more than there is")
        if old is None or old is ABSENT:
            return
        if old.released_at is None and new.released_at is not None:
            must(new.releases_at is not None and at >= new.releases_at, "I1", "released too early")
            kept = old.booked_count + old.held_count
            must(
                new.seats == kept or at >= new.starts_at,
                "I1",
                "the release kept {} seats, {} were taken",
                new.seats,
                kept,
            )
        elif old.seats != new.seats:
            must("change" in self.verbs, "I1", "the seats on sale changed by themselves")
        if old.status != new.status:
            must(old.status == "scheduled", "I1", "a session that was {} is {}", old.status, new.status)
            must(
                new.status == {"call_off": "cancelled", "complete": "completed"}.get(step.verb), "I1", "ended"
            )

    def _entry(self, old: Any, row: Any, step: Step, booked: dict[Any, Any]) -> None:
        entry, at = row.entry, step.at
        session = self.world.sessions[row.session]
        if old is ABSENT:
            must("join" in self.verbs, "I8", "an entry out of nowhere")
            must(at < session.starts_at and session.status == "scheduled", "I10", "joined too late")
            book = self.books.of(row.session)
            ahead = [self.books.line[id_][1] for id_ in book.queue]
            for other in ahead:
                must(not set(other.children) & set(entry.children), "I8", "a child waits twice")
            last = max((each.number for each in ahead), default=0)
            must(entry.number == session.last_queue_number > last, "I8", "not at the end of the line")
            must(entry.seats <= session.seats, "I8", "waits for more seats than there are")
        elif old.entry.status is not entry.status:
            self._moved(old.entry, entry, session, step, booked)
        self.books.note_entry(old, row)

    def _moved(self, old: Any, entry: Any, session: Any, step: Step, booked: dict[Any, Any]) -> None:
        at, status, expires = step.at, entry.status, old.offer_expires_at
        must(old.status.is_active, "I8", "an entry that was {} is {}", old.status, status)
        if status is OFFERED:
            return
        must(entry.ended_at == at, "I8", "an entry ended at another time")
        if status in {EntryStatus.ACCEPTED, EntryStatus.DECLINED}:
            must(
                step.verb == {"accepted": "accept", "declined": "decline"}[status],
                "I10",
                "{} by itself",
                status,
            )
            must(old.status is OFFERED, "I10", "{} without an offer", status)
            must(at < expires and at < session.starts_at, "I10", "{} an offer that has expired", status)
        if status is EntryStatus.ACCEPTED:
            got = {self.world.bookings[key].booking.child for key, was in booked.items() if was is ABSENT}
            must(got == set(old.children), "I8", "accepted, but booked for others")
        elif status is EntryStatus.EXPIRED:
            must(expires is not None and at >= expires, "I10", "an offer expired before its time")
        elif status is EntryStatus.LEFT:
            must(step.verb == "leave", "I8", "left by itself")
        elif status is EntryStatus.CLOSED:
            right = {
                ClosedReason.SESSION_CANCELLED: session.status == "cancelled",
                ClosedReason.SESSION_STARTED: at >= session.starts_at,
                ClosedReason.TOO_FEW_SEATS: entry.seats > session.seats,
                ClosedReason.CHILD_UNAVAILABLE: "consent" in self.verbs,
            }
            must(right[entry.closed_reason], "I8", "closed, but not {}", entry.closed_reason)

    def _line(self, key: Any, gone: dict[Any, Any], step: Step) -> None:
        """First come, first served; and nobody waits beside a free seat."""
        session, book, at = self.world.sessions[key], self.books.of(key), step.at
        if not book.queue:
            return
        line = [self.books.line[id_][1] for id_ in book.queue]
        must(all(a.number < b.number for a, b in pairwise(line)), "I8", "the line is out of order")
        left = session.starts_at - at
        fresh = {e.id for e in line if e.status is OFFERED and self._was_waiting(gone.get(e.id))}
        for entry in line:
            if entry.id in fresh:
                must(entry.offered_at == at, "I8", "an offer made at another time")
                must(entry.offer_expires_at == min(at + OFFER, session.starts_at), "I10", "a wrong expiry")
                must(left >= LAST_OFFER, "I10", "an offer in the last hour")
                must(session.status == "scheduled", "I10", "an offer in a session that is off")
            if entry.status is OFFERED:
                must(entry.offer_expires_at <= session.starts_at, "I10", "an offer outlives the start")
        free = session.seats - session.booked_count - session.held_count
        for place, entry in enumerate(line):
            if entry.status is not WAITING:
                continue
            behind = [each for each in line[place + 1 :] if each.id in fresh]
            if behind:
                room = free + sum(each.seats for each in behind)
                must(entry.seats > room, "I8", "a family was overtaken")
                book.passed[entry.id] += len(behind)
                must(book.passed[entry.id] <= PATIENCE, "I8", "a group was passed over a fourth time")
            must(entry.overtaken == book.passed[entry.id], "I8", "offers past a group are miscounted")
        self.idle(session, line, at)

    @staticmethod
    def _was_waiting(old: Any) -> bool:
        return old is ABSENT or (old is not None and old.entry.status is WAITING)

    def idle(self, session: Any, line: Sequence[Any], at: datetime) -> None:
        """No seat is free while a family waits that could have it."""
        if session.starts_at - at < LAST_OFFER or session.status != "scheduled":
            return
        free = session.seats - session.booked_count - session.held_count
        for entry in line:
            if entry.status is WAITING:
                must(entry.seats > free, "I9", "a seat is idle while somebody waits")
                must(entry.seats <= session.seats, "I9", "a group waits in vain")
                if self.books.of(session.id).passed[entry.id] >= PATIENCE:
                    return
