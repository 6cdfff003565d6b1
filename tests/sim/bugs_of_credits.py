"""Planted bugs about credits, and about the lives of bookings."""

from typing import Final

from nexus.adapters.memory.account_rows import BalanceRow
from nexus.adapters.memory.credits import MemoryCredits
from nexus.adapters.memory.departures import MemoryDepartures
from nexus.adapters.memory.payments import MemoryPayments
from nexus.adapters.memory.places import MemoryPlaces
from nexus.application.booking import end_bookings, settle_credits, venue_sessions
from nexus.application.booking.stand_down import StandDown
from nexus.application.booking.sweep import CompleteBookings
from nexus.application.booking.venue_bookings import ConfirmBooking, MarkAttendance
from nexus.application.credits import allocate
from nexus.application.credits.adjust import AdjustCredits
from nexus.application.credits.expire import ExpireCredits, WarnOfExpiry
from nexus.application.identity.consents import RecordConsent
from nexus.application.kernel.inbox import HandleEvent
from nexus.domain.booking.bookings import Booking
from nexus.domain.booking.refunds import RefundWindow, Terms
from tests.sim.mutants import Bug

CREDITS: Final = (
    Bug(
        "exactly 48 hours before is too late",
        Terms.when_the_parent_cancels,
        "at <= self.refundable_until",
        "at < self.refundable_until",
    ),
    Bug(
        "a late cancellation refunds",
        Terms.when_the_parent_cancels,
        "if at <= self.refundable_until:",
        "if True:",
    ),
    Bug(
        "cancelled at the very start",
        Terms.when_the_parent_cancels,
        "at >= self.starts_at",
        "at > self.starts_at",
    ),
    Bug("the whole price comes back twice over", Terms.paid, "self.charged - self.refunded", "self.charged"),
    Bug(
        "the window is 47 hours",
        RefundWindow.closes_at,
        "start - self.notice",
        "start - self.notice * 47 / 48",
    ),
    Bug(
        "the venue's cancelling forfeits",
        Terms.when_the_venue_cancels,
        "Settlement(refund=self.paid)",
        "Settlement(forfeit=self.paid)",
    ),
    Bug(
        "a forfeit charges again",
        settle_credits._postings,
        "posting(booking.balance, Movement.FORFEIT, 0, settlement.forfeit)",
        "posting(booking.balance, Movement.EXPIRY, -settlement.forfeit)",
    ),
    Bug(
        "a refund goes to the period that paid, though it is over",
        settle_credits._postings,
        "if booking.balance in open_now or not open_now:",
        "if True:",
    ),
    Bug(
        "a refund revives a closed period",
        settle_credits._postings,
        "if not open_now:\n            yield",
        "if False:\n            yield",
    ),
    Bug("a forfeit is not written", settle_credits._postings, "if settlement.forfeit:", "if False:"),
    Bug(
        "a fraction of a credit goes to the venue",
        Terms.when_the_session_changes,
        "self.charged * min(new_length, self.booked_length) // self.booked_length",
        "-(-self.charged * min(new_length, self.booked_length) // self.booked_length)",
    ),
    Bug(
        "a price cut is paid back in full",
        Terms.when_the_session_changes,
        "min(by_length, new_price)",
        "min(by_length, self.paid if new_price >= self.paid else 0)",
    ),
    Bug(
        "the ledger skips a number",
        MemoryPayments.post,
        "before.last_sequence + 1",
        "before.last_sequence + 2",
    ),
    Bug("a refund is not counted", MemoryPayments.post, "posting.amount * (posting.movement in BACK)", "0"),
    Bug("double allocation", MemoryCredits.allocate, "if self._has_one_in(grant.user, period):", "if False:"),
    Bug(
        "somebody is left out between two batches",
        allocate.AllocateCredits._batches,
        "after = (people[-1].joined_at, people[-1].user)",
        "after = (people[-1].joined_at, people[-1].user + 8)",
    ),
    Bug(
        "a batch that was cut off is not continued",
        allocate.AllocateCredits._batches,
        "if len(people) < size or not left:",
        "if True:",
    ),
    Bug(
        "expiry of an open balance",
        MemoryCredits.lock_over,
        "balance.closes_at <= at",
        "balance.opens_at <= at",
    ),
    Bug(
        "a period closes a moment late",
        MemoryCredits.lock_over,
        "balance.closes_at <= at",
        "balance.closes_at < at",
    ),
    Bug("only the first batch expires", ExpireCredits.__call__, "if not closings:", "if True:"),
    Bug(
        "a closed period still pays",
        BalanceRow.is_open,
        "self.opens_at <= at < self.closes_at",
        "self.opens_at <= at",
    ),
    Bug("an adjustment below zero", AdjustCredits.__call__, "if found.available + amount < 0:", "if False:"),
    Bug("warned a fortnight ahead", WarnOfExpiry.__call__, "at + notice,", "at + notice * 2,"),
)

LIVES: Final = (
    Bug(
        "what has ended is cancelled again",
        Booking._must_be_active,
        "if not self.status.is_active:",
        "if False:",
    ),
    Bug(
        "confirmed at the very end of the time",
        Booking.confirmed,
        "at >= self.confirm_by",
        "at > self.confirm_by",
    ),
    Bug("marked a moment too late", Booking.marked, "<= at < until", "<= at <= until"),
    Bug("marked before the start", Booking.marked, "if not self.starts_at <= at < until:", "if at >= until:"),
    Bug(
        "a pending booking is marked", Booking.marked, "if self.status is BookingStatus.PENDING:", "if False:"
    ),
    Bug(
        "completed a day early",
        CompleteBookings.__call__,
        "work.places.complete(before=at - MARKING_PERIOD",
        "work.places.complete(before=at",
    ),
    Bug(
        "a pending booking is completed",
        MemoryPlaces.complete,
        "if each.status is BookingStatus.CONFIRMED and each.ends_at <= before",
        "if each.ends_at <= before",
    ),
    Bug("a change keeps the version", Booking._ended, "version=self.version + 1", "version=self.version"),
    Bug(
        "no versions are compared",
        MemoryPlaces.save,
        "if row.booking.version != booking.version - 1:",
        "if False:",
    ),
    Bug("a group is cancelled when one was asked for", MemoryPlaces.lock, "if with_group\n", "if True\n"),
    Bug(
        "a group is cancelled in part",
        MemoryPlaces.lock,
        "return (found, *sorted(rest, key=lambda each: each.id))",
        "return (found, *sorted(rest, key=lambda each: each.id)[:1])",
    ),
    Bug(
        "anybody may cancel anybody's place",
        MemoryDepartures.lock,
        "bookings = self._places.lock(booking, parent=parent, with_group=with_group)",
        "bookings = self._places.lock(booking, parent=None, with_group=with_group); parent = bookings[0].parent",
    ),
    Bug(
        "a called-off session keeps its line",
        venue_sessions.CancelSession.__call__,
        "work.plans.cancel(session, reason=reason)",
        "pass",
    ),
    Bug(
        "one family of a called-off session is forgotten",
        MemoryPlaces.lock_active,
        "return tuple(found)",
        "return tuple(found[:3])",
    ),
    Bug(
        "a moved session is not free to leave",
        MemoryPlaces.move,
        "refundable_until=starts_at",
        "refundable_until=booking.refundable_until",
    ),
    Bug(
        "moved bookings stay where they were",
        venue_sessions.ChangeSession._carry_out,
        "if moved & MOVED:",
        "if False:",
    ),
    Bug(
        "withdrawn consent keeps the places",
        RecordConsent.__call__,
        "Purpose.ACTIVITY_BOOKING in before and Purpose.ACTIVITY_BOOKING not in live",
        "False",
    ),
    Bug(
        "withdrawn consent keeps the waiting",
        StandDown.__call__,
        "sorted({*booked, *work.lines.waiting_for(child)})",
        "sorted(booked)",
    ),
    Bug(
        "attendance that stays away is forgotten by the ledger",
        MarkAttendance.__call__,
        "settle_credits(work, [(marked, settlement)], at=at, new_id=self.new_id)",
        "pass",
    ),
    Bug(
        "a handled event is handled again",
        HandleEvent._handle,
        "self.react(work, event)\n                work.inbox.done(event_id)",
        "self.react(work, event)",
    ),
    Bug(
        "a confirmation moves no seat",
        ConfirmBooking.__call__,
        "work.lines.save(before, before.confirmed())",
        "pass",
    ),
    Bug(
        "cancelled, and nobody is told",
        end_bookings.end_bookings,
        "for _, after, settlement in ended\n        )\n    )\n",
        "for _, after, settlement in ended[1:]\n        )\n    )\n",
    ),
)
