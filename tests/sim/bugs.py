"""Bugs that people write, each planted by its name; the simulation must find them."""

from typing import Final

from nexus.adapters.memory.account_rows import BalanceRow
from nexus.adapters.memory.credits import MemoryCredits
from nexus.adapters.memory.lines import MemoryLines
from nexus.adapters.memory.payments import MemoryPayments
from nexus.adapters.memory.places import MemoryPlaces
from nexus.application.booking import book, end_bookings, line_up, settle_credits, venue_sessions
from nexus.application.booking.stand_down import StandDown
from nexus.application.booking.sweep import CompleteBookings, SweepSessions
from nexus.application.booking.venue_bookings import ConfirmBooking, MarkAttendance
from nexus.application.booking.wait import AcceptOffer
from nexus.application.credits import allocate
from nexus.application.credits.adjust import AdjustCredits
from nexus.application.credits.expire import ExpireCredits
from nexus.application.identity.consents import RecordConsent
from nexus.application.kernel.inbox import HandleEvent
from nexus.domain.booking import wishes
from nexus.domain.booking.bookings import Booking
from nexus.domain.booking.refunds import RefundWindow, Terms
from nexus.domain.booking.sessions import Offering, Seats
from nexus.domain.booking.waitlist import Line
from tests.sim.mutants import Bug

TAKE = book.TakePlaces.__call__

SEATS: Final = (
    Bug("a seat too many is sold on a stale read", MemoryPlaces._holds, "row.seats\n", "row.seats + 1\n"),
    Bug(
        "the seat guard is forgotten",
        MemoryPlaces._holds,
        "row.booked_count + row.held_count + len(order.places) <= row.seats",
        "True",
    ),
    Bug(
        "held seats are sold",
        MemoryPlaces._holds,
        "row.booked_count + row.held_count +",
        "row.booked_count +",
    ),
    Bug(
        "free forgets what is held",
        Seats.free,
        "self.sellable - self.booked - self.held",
        "self.sellable - self.booked",
    ),
    Bug("a group takes one seat", MemoryPlaces.place, "seats = len(order.places)", "seats = 1"),
    Bug(
        "a pending booking holds no seat",
        MemoryPlaces.place,
        "held_count=row.held_count + pending",
        "held_count=row.held_count",
    ),
    Bug(
        "the balance guard is forgotten",
        MemoryPlaces._holds,
        "purse.available >= order.price * len(order.places)",
        "True",
    ),
    Bug("a group pays for one", TAKE, "facts.credits < wish.price", "facts.credits < wish.offering.price"),
    Bug(
        "exactly enough credits are too few",
        TAKE,
        "facts.credits < wish.price",
        "facts.credits <= wish.price",
    ),
    Bug(
        "the unique index is forgotten",
        MemoryPlaces._check_unique,
        "if clash or other.code in codes:",
        "if other.code in codes:",
    ),
    Bug(
        "children may be at two places at once",
        MemoryPlaces._attendee,
        "if each.session != row.id and each.starts_at < row.ends_at and row.starts_at < each.ends_at",
        "if False",
    ),
    Bug("a group is split", TAKE, "for child in children\n", "for child in children[:2]\n"),
    Bug(
        "siblings are split when seats are short",
        wishes.seats_are_on_sale,
        "if wanted > on_sale:",
        "if not on_sale:",
    ),
    Bug(
        "those who wait are passed by",
        Offering.on_sale,
        "if self.waiting and self.starts_at - at >= last_offer:",
        "if False:",
    ),
    Bug(
        "the guard for those who wait is forgotten",
        MemoryPlaces._holds,
        "nobody_comes_first and is_settled",
        "True",
    ),
    Bug("booked at the very start", wishes.session_is_going_to_happen, "if at >= ", "if at > "),
    Bug(
        "the consent of siblings is not asked",
        wishes.parents_have_consented,
        "in wish.attendees",
        "in wish.attendees[:1]",
    ),
    Bug("a stale consent is enough", MemoryPlaces._holds, "and CONSENT in child.consents", ""),
    Bug("booked before it opens", wishes.booking_has_opened, "at < opens_at", "opens_at > at and False"),
    Bug(
        "a cancelled place keeps its seat",
        end_bookings.vacated,
        "booked=line.seats.booked - (len(ended) - pending)",
        "booked=line.seats.booked",
    ),
    Bug(
        "a cancelled pending place frees a booked seat",
        end_bookings.vacated,
        "pending = sum(before.status is BookingStatus.PENDING for before, _, _ in ended)",
        "pending = 0",
    ),
    Bug("confirming keeps the held seat", Line.confirmed, "held=self.seats.held - 1", "held=self.seats.held"),
    Bug(
        "shrinking below what is taken",
        Seats.resized,
        "if sellable < self.booked + self.held:",
        "if sellable < self.booked:",
    ),
)

QUEUE: Final = (
    Bug("an offer is not held", Line._after_offers, "held + entry.seats\n", "held\n"),
    Bug(
        "one freed seat is offered to two",
        Line._after_offers,
        "free, held = free - entry.seats, held",
        "free, held = free, held",
    ),
    Bug(
        "last come, first served",
        Line._after_offers,
        "for entry in self.entries:",
        "for entry in self.entries[::-1]:",
    ),
    Bug("overtaking is unlimited", Line._after_offers, "entries[i].overtaken >= PATIENCE", "False"),
    Bug("a group is passed over four times", Line._after_offers, ">= PATIENCE", "> PATIENCE"),
    Bug(
        "who was passed over is not counted",
        Line._after_offers,
        "entries[i].overtaken + 1",
        "entries[i].overtaken",
    ),
    Bug(
        "no offer with exactly an hour left",
        Line._after_offers,
        "self.starts_at - at < policy.last_offer",
        "self.starts_at - at <= policy.last_offer",
    ),
    Bug(
        "offers in the last hour",
        Line._after_offers,
        "if self.starts_at - at < policy.last_offer:",
        "if False:",
    ),
    Bug(
        "an offer stands beyond the start",
        Line._after_offers,
        "min(at + policy.lifetime, self.starts_at)",
        "at + policy.lifetime",
    ),
    Bug(
        "an offer is accepted at its very end",
        Line._answered,
        "at >= offered.offer_expires_at",
        "at > offered.offer_expires_at",
    ),
    Bug(
        "a late sweeper lets an expired offer be accepted",
        Line._answered,
        "if at >= offered.offer_expires_at:",
        "if False:",
    ),
    Bug(
        "an offer lapses a moment late",
        Line._after_lapses,
        "at >= entry.offer_expires_at",
        "at > entry.offer_expires_at",
    ),
    Bug("offers never lapse", Line._after_lapses, "for entry in self.entries:", "for entry in ():"),
    Bug(
        "a lapsed offer's seat stays held",
        Line._without,
        "if before.status is EntryStatus.OFFERED else 0",
        "if before.status is EntryStatus.OFFERED and ended.status is not EntryStatus.EXPIRED else 0",
    ),
    Bug(
        "leaving with an offer keeps its seat",
        Line.left,
        "self._without(self.find(entry).ended(EntryStatus.LEFT, at=at))",
        "evolve(self._without(self.find(entry).ended(EntryStatus.LEFT, at=at)), seats=self.seats)",
    ),
    Bug(
        "a freed seat is not offered",
        line_up.change_line,
        "change(before.released(at=at)).settled(at=at, policy=policy)",
        "change(before.released(at=at))",
    ),
    Bug("the release is forgotten", Line._after_release, "if self.released_at is not None or", "if True or"),
    Bug(
        "the release comes a moment late",
        Line._after_release,
        "at < self.releases_at",
        "at <= self.releases_at",
    ),
    Bug(
        "a late release takes a freed seat too",
        line_up.change_line,
        "change(before.released(at=at))",
        "change(before)",
    ),
    Bug("a child waits twice", Line.joined, "if child in entry.children:", "if False:"),
    Bug("a group waits in vain", Line.joined, "if entry.seats > self.seats.sellable:", "if False:"),
    Bug(
        "a group keeps seats that will never be enough",
        Line._after_misfits,
        "entry.seats > self.seats.sellable",
        "False",
    ),
    Bug("waiting goes on after the start", Line.settled, "if at >= self.starts_at:", "if False:"),
    Bug("queue numbers are reused", Line.joined, "last_number=number", "last_number=self.last_number"),
    Bug(
        "offers outlive an earlier start",
        Line.rescheduled,
        "min(entry.offer_expires_at, starts_at)",
        "entry.offer_expires_at",
    ),
    Bug("nobody hears of an offer", line_up._news, "entry.id not in offered_before", "False"),
    Bug(
        "the waiting are miscounted",
        MemoryLines.save,
        "waiting_count=after.waiting",
        "waiting_count=len(after.entries)",
    ),
    Bug(
        "a deactivated sibling's group goes on waiting",
        Line.closed_for,
        "if child in entry.children:",
        "if child == entry.children[0]:",
    ),
    Bug(
        "the sweeper forgets lapsed offers",
        MemoryLines._is_due,
        "(expires is not None and expires <= at)",
        "False",
    ),
    Bug("the sweeper forgets unanswered bookings", SweepSessions._settle, "if unanswered:", "if False:"),
    Bug("the sweeper forgets the start", MemoryLines._is_due, "or session.starts_at <= at", ""),
    Bug(
        "an accepted offer is not taken off the line",
        AcceptOffer.__call__,
        "work.lines.save(before, taken)",
        "pass",
    ),
)

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
        "self.paid * min(new_length, length) // length",
        "-(-self.paid * min(new_length, length) // length)",
    ),
    Bug(
        "a price cut is paid back in full",
        Terms.when_the_session_changes,
        "min(by_length, new_price, self.paid)",
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
        allocate.AllocateCredits._allocate,
        "after = (people[-1].joined_at, people[-1].user)",
        "after = (people[-1].joined_at, type(people[-1].user)(int=people[-1].user.int + 8))",
    ),
    Bug(
        "a batch that was cut off is not continued",
        allocate.AllocateCredits._allocate,
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
    Bug("warned every time", MemoryCredits.warn, "and balance.warned_at is None", ""),
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
    Bug("a group is cancelled when one was asked for", MemoryPlaces.lock, "if with_group and", "if"),
    Bug(
        "a group is cancelled in part",
        MemoryPlaces.lock,
        "return (found, *sorted(rest, key=lambda each: each.id))",
        "return (found, *sorted(rest, key=lambda each: each.id)[:1])",
    ),
    Bug(
        "anybody may cancel anybody's place",
        MemoryPlaces.lock,
        "parent not in {None, row.booking.parent} or",
        "",
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
        "if each.session == session), key=lambda each: each.id)",
        "if each.session == session), key=lambda each: each.id)[:3]",
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
        HandleEvent.__call__,
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
        "for _, after, settlement in ended\n        )\n    )\n    return line",
        "for _, after, settlement in ended[1:]\n        )\n    )\n    return line",
    ),
)

BUGS: Final = {bug.name: bug for bug in (*SEATS, *QUEUE, *CREDITS, *LIVES)}
