"""
Lines driven at random, by late sweepers too, and judged by our own list of who came when.

One to four seats, groups of one to three, hours and single microseconds: everything meets at the edges.
"""

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from nexus.domain.booking.sessions import CapacityBelowTaken, Seats, SessionStarted, SessionStatus
from nexus.domain.booking.waitlist import (
    AlreadyWaiting,
    ClosedReason,
    Entry,
    EntryStatus,
    GroupTooLarge,
    Line,
    NoOffer,
    OfferExpired,
    OfferPolicy,
    SeatsAvailable,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
MICRO = timedelta(microseconds=1)
POLICY = OfferPolicy(lifetime=2 * HOUR, last_offer=HOUR)
WAITING, OFFERED = EntryStatus.WAITING, EntryStatus.OFFERED
FAMILY = UUID(int=0)
DEEDS = (
    *["join", "join", "join", "walk_in", "cancel", "cancel", "turn_over", "turn_over"],
    *["leave", "sweep", "wait", "join_twice", "venue_answers", "resize", "resize"],
)
DEEDS_AROUND_AN_OFFER = (
    *["let_an_offer_lapse", "let_an_offer_lapse", "let_an_offer_lapse", "accept", "decline"],
    *["oversleep", "stand_down", "reschedule", "wait"],
)


class LineMachine(RuleBasedStateMachine):
    """Families come, book, wait, answer, leave and cancel; a sweeper comes when it likes."""

    line_class = Line

    def __init__(self):
        super().__init__()
        self.at = NOW
        self.ids = map(UUID, map("{:032x}".format, count(1)))
        self.queue = []  # ids in the order in which they joined, by our own list
        self.passed = {}  # id -> offers that went to families behind it while it waited
        self.expires = {}  # id -> when its offer ends, by our own reckoning
        self.booked = self.pending = 0
        self.released = False
        self.is_fresh = False  # whether the line was settled at this very instant

    @initialize(
        seats=st.integers(1, 4),
        start=st.integers(6, 9),
        release=st.sampled_from([None, 1, 2, 4]),
        full=st.booleans(),
    )
    def open(self, seats, start, release, full):
        self.line = self.line_class(
            session=FAMILY,
            status=SessionStatus.SCHEDULED,
            starts_at=NOW + start * HOUR,
            seats=Seats(sellable=seats),
            releases_at=release and NOW + release * HOUR,
            released_at=None,
            last_number=0,
            entries=(),
        )
        self.sellable = seats
        if full:
            self.book(self.line, seats)

    @property
    def started(self):
        return self.at >= self.line.starts_at

    @property
    def left(self):
        return self.line.starts_at - self.at

    def settle(self, change=lambda line: line, *, ends=None, joins=None, sells=None):
        """Do what every use case does with a line, and judge it."""
        before = self.line
        due = before.releases_at is not None and self.at >= before.releases_at
        if due and not self.released and not self.started:
            self.released = True
            self.sellable = before.seats.booked + before.seats.held
        changed = change(before.released(at=self.at))
        if sells is not None:
            self.sellable = sells
        after = changed.settled(at=self.at, policy=POLICY)
        again = evolve(after, gone=()).settled(at=self.at, policy=POLICY)
        assert again == evolve(after, gone=()), "settling twice changed something"
        self.judge_gone(after, ends or {})
        self.line = evolve(after, gone=())
        self.queue = [id_ for id_ in self.queue if id_ not in {gone.id for gone in after.gone}]
        if joins is not None:
            self.queue.append(joins)
            self.passed[joins] = 0
        self.judge_offers()
        self.is_fresh = True

    def judge_gone(self, after, ends):
        gone = {entry.id: entry for entry in after.gone}
        assert len(gone) == len(after.gone)
        assert gone.keys() >= ends.keys()
        for id_ in self.queue:
            lapsed = id_ in self.expires and self.at >= self.expires[id_]
            if id_ in ends:
                assert gone[id_].status is ends[id_]
            elif self.started:
                assert gone[id_].closed_reason is ClosedReason.SESSION_STARTED
            elif lapsed:
                assert gone[id_].status is EntryStatus.EXPIRED
            elif id_ in gone:
                assert gone[id_].closed_reason is ClosedReason.TOO_FEW_SEATS
                assert gone[id_].seats > self.sellable
            if id_ in gone:
                assert gone[id_].ended_at == self.at
                self.expires.pop(id_, None)

    def judge_offers(self):
        new = [e for e in self.line.entries if e.status is OFFERED and e.id not in self.expires]
        for entry in new:
            assert self.left >= POLICY.last_offer, "an offer in the last hour"
            assert entry.offered_at == self.at
            self.expires[entry.id] = min(self.at + POLICY.lifetime, self.line.starts_at)
        for waiting in (e for e in self.line.entries if e.status is WAITING):
            behind = [e for e in new if self.queue.index(e.id) > self.queue.index(waiting.id)]
            if behind:
                room = self.line.seats.free + sum(e.seats for e in behind)
                assert waiting.seats > room, "somebody was offered a seat that an earlier family could have"
            self.passed[waiting.id] += len(behind)
            assert self.passed[waiting.id] <= 3, "passed over a fourth time"

    def come_to(self, edges, off):
        """Come to the next moment at which something changes, or just miss it."""
        ahead = [edge + off for edge in edges if edge is not None and edge + off > self.at]
        if ahead:
            self.at = min(ahead)
            self.is_fresh = False

    @rule(
        deed=st.sampled_from(DEEDS),
        answer=st.sampled_from(DEEDS_AROUND_AN_OFFER),
        answers=st.booleans(),
        n=st.integers(0, 5),
        off=st.sampled_from([-MICRO, timedelta(0), MICRO]),
    )
    def act(self, deed, answer, answers, n, off):
        """One rule for all, so that every run mixes everything; offers are short, so they come first."""
        getattr(self, answer if answers and self.expires else deed)(n, off)

    def let_an_offer_lapse(self, n, off):
        if self.expires:
            entry = min(self.expires, key=self.expires.get)
            self.come_to(self.expires.values(), off)
            if n < 2:
                self.decline(self.queue.index(entry), off)
            elif n < 4:
                self.accept(self.queue.index(entry), off)

    def wait(self, n, off):
        start = self.line.starts_at
        if n == 0:
            self.come_to([self.line.releases_at, start - POLICY.last_offer, start], off)
        elif n == 1:
            self.come_to([self.line.releases_at], off)
        else:
            self.at += MICRO
            self.is_fresh = False

    def oversleep(self, n, _):
        """Nobody looks for hours: offers lapse, the release passes."""
        if n == 0:
            self.at += 3 * HOUR
            self.is_fresh = False

    def sweep(self, *_):
        self.settle()

    def join(self, n, _):
        seats = 1 + n % 3
        entry = self.entry(seats)
        self.settle()
        expected = None
        if self.started:
            expected = SessionStarted
        elif seats > self.line.seats.sellable:
            expected = GroupTooLarge
        elif (not self.line.waiting or self.left < POLICY.last_offer) and self.line.seats.free >= seats:
            expected = SeatsAvailable
        if expected is not None:
            with pytest.raises(expected):
                self.line.joined(entry, at=self.at, policy=POLICY)
            return
        self.settle(lambda line: line.joined(entry, at=self.at, policy=POLICY), joins=entry.id)

    def entry(self, seats, children=None):
        children = children or tuple(next(self.ids) for _ in range(seats))
        return Entry(id=next(self.ids), parent=FAMILY, children=children, number=0, joined_at=self.at)

    def join_twice(self, n, _):
        if self.queue and not self.started:
            there = self.line.entries[n % len(self.line.entries)]
            with pytest.raises(AlreadyWaiting) as refused:
                self.line.joined(self.entry(1, there.children[-1:]), at=self.at, policy=POLICY)
            assert refused.value.entry == there.id

    def walk_in(self, n, _):
        """A family books without waiting, if anything is on sale; now and then the venue confirms itself."""
        if self.started:
            return
        self.settle()
        on_sale = 0 if self.line.waiting and self.left >= POLICY.last_offer else self.line.seats.free
        if 1 + n % 2 <= on_sale:
            self.book(self.line, 1 + n % 2, pending=n > 3)

    def book(self, line, seats, *, pending=False):
        counts = {"held": line.seats.held + seats} if pending else {"booked": line.seats.booked + seats}
        self.line = evolve(line, seats=evolve(line.seats, **counts), gone=())
        self.pending += seats * pending
        self.booked += seats * (not pending)

    def cancel(self, *_):
        if self.booked:
            self.booked -= 1
            self.settle(lambda line: evolve(line, seats=evolve(line.seats, booked=line.seats.booked - 1)))

    def turn_over(self, n, off):
        """Single seats change hands at once, behind the back of whatever group waits."""
        for _ in range(n):
            self.join(0, off)
            self.cancel()
            for entry in list(self.expires):
                self.accept(self.queue.index(entry), off)

    def venue_answers(self, n, _):
        if not self.pending:
            return
        self.pending -= 1
        if n % 2:
            self.line = self.line.confirmed()
            self.booked += 1
        else:
            self.settle(lambda line: evolve(line, seats=evolve(line.seats, held=line.seats.held - 1)))

    def accept(self, n, _):
        if not self.queue:
            return
        entry = self.queue[n % len(self.queue)]
        if self.refuses(entry, lambda: self.line.accepted(entry, at=self.at)):
            return
        seats = self.line.find(entry).seats
        self.book(self.line.accepted(entry, at=self.at), seats, pending=n > 3)
        self.queue.remove(entry)
        del self.expires[entry]
        self.is_fresh = False

    def decline(self, n, _):
        if not self.queue:
            return
        entry = self.queue[n % len(self.queue)]
        if not self.refuses(entry, lambda: self.line.declined(entry, at=self.at)):
            ends = {entry: EntryStatus.DECLINED}
            self.settle(lambda line: line.declined(entry, at=self.at), ends=ends)

    def refuses(self, entry, answer):
        """Whether an answer is refused, as it must be without an offer and from its expiry on."""
        expected = None
        if entry not in self.expires:
            expected = NoOffer
        elif self.at >= self.expires[entry]:
            expected = OfferExpired
        if expected is None:
            return False
        with pytest.raises(expected) as refused:
            answer()
        if expected is NoOffer:
            assert refused.value.position == 1 + self.queue.index(entry)
        return True

    def leave(self, n, _):
        if self.queue:
            entry = self.queue[n % len(self.queue)]
            self.settle(lambda line: line.left(entry, at=self.at), ends={entry: EntryStatus.LEFT})

    def stand_down(self, n, _):
        if self.queue:
            entry = self.line.find(next(iter(self.expires), self.queue[n % len(self.queue)]))
            gone, ends = entry.children[n % entry.seats], {entry.id: EntryStatus.CLOSED}
            self.settle(lambda line: line.closed_for(gone, at=self.at), ends=ends)

    def resize(self, n, _):
        taken = self.booked + self.line.seats.held
        seats = taken + n - 1
        if seats < taken:
            with pytest.raises(CapacityBelowTaken):
                self.line.seats.resized(seats)
        elif n < 3:
            self.settle(lambda line: evolve(line, seats=line.seats.resized(seats)), sells=seats)

    def reschedule(self, n, _):
        starts_at = self.at + (1 + n) * HOUR / 2
        if self.expires and starts_at < self.line.starts_at:
            self.expires = {entry: min(until, starts_at) for entry, until in self.expires.items()}
            self.settle(lambda line: line.rescheduled(starts_at=starts_at, releases_at=line.releases_at))

    @invariant()
    def seats_are_where_we_count_them(self):
        if not hasattr(self, "line"):
            return
        seats = self.line.seats
        offered = sum(entry.seats for entry in self.line.entries if entry.status is OFFERED)
        assert (seats.booked, seats.held) == (self.booked, offered + self.pending)
        assert seats.sellable == self.sellable
        assert min(seats.booked, seats.held, seats.free) >= 0

    @invariant()
    def the_line_is_in_the_order_of_joining(self):
        if not hasattr(self, "line"):
            return
        assert [entry.id for entry in self.line.entries] == self.queue
        numbers = [entry.number for entry in self.line.entries]
        assert numbers == sorted(set(numbers))
        assert max(numbers, default=0) <= self.line.last_number
        for entry in self.line.entries:
            assert entry.overtaken <= 3
            assert entry.offer_expires_at == self.expires.get(entry.id)

    @invariant()
    def no_seat_is_idle_while_somebody_waits(self):
        if not self.is_fresh or self.started or self.left < POLICY.last_offer:
            return
        for entry in self.line.entries:
            if entry.status is WAITING:
                assert entry.seats > self.line.seats.free, "an idle seat"
                if self.passed[entry.id] >= 3:
                    return  # what is free is kept for this group

    @invariant()
    def no_offer_outlives_its_end(self):
        if self.is_fresh:
            assert all(until > self.at for until in self.expires.values())
            assert not (self.started and self.line.entries)
            assert all(entry.seats <= self.sellable for entry in self.line.entries), "waits in vain"
