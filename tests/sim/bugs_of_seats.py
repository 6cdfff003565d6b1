"""Planted bugs about seats and those who wait for them."""

from typing import Final

from nexus.adapters.memory.lines import MemoryLines
from nexus.adapters.memory.places import MemoryPlaces
from nexus.application.booking import book, end_bookings, line_up
from nexus.application.booking.sweep import SweepSessions
from nexus.application.booking.wait import AcceptOffer
from nexus.domain.booking import wishes
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
        "if clash or self._world",
        "if self._world",
    ),
    Bug(
        "children may be at two places at once",
        MemoryPlaces._attendee,
        "elif each.starts_at < row.ends_at and row.starts_at < each.ends_at and",
        "elif False and",
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
        "self.starts_at - at < policy.last_offer or",
        "self.starts_at - at <= policy.last_offer or",
    ),
    Bug(
        "offers in the last hour",
        Line._after_offers,
        "if self.starts_at - at < policy.last_offer or not self.waiting:",
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
