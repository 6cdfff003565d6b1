"""Everything counted anew from the tables, straightforwardly: what the judge counts step by step must agree."""

import itertools
from datetime import datetime
from typing import Any

from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.booking.waitlist import EntryStatus
from nexus.domain.credits.ledger import Movement
from tests.sim.books import REFUNDS, SEATED, must
from tests.sim.judge import Judge
from tests.sim.units import SimWorld


def recount(judge: Judge, at: datetime) -> None:
    """
    Raises:
        Broken: A promise does not hold.
    """
    world = judge.world
    _seats(world)
    _children(world)
    _ledger(world)
    _periods(world)
    for session in world.sessions.values():
        line = [
            row.entry
            for row in world.queue.values()
            if row.session == session.id and row.entry.status.is_active
        ]
        judge.idle(session, sorted(line, key=lambda entry: entry.number), at)


def _seats(world: SimWorld) -> None:
    taken: dict[Any, list[int]] = {key: [0, 0, 0] for key in world.sessions}
    for row in world.bookings.values():
        taken[row.booking.session][0] += row.booking.status in SEATED
        taken[row.booking.session][1] += row.booking.status is BookingStatus.PENDING
    for queued in world.queue.values():
        if queued.entry.status is EntryStatus.OFFERED:
            taken[queued.session][1] += queued.entry.seats
        taken[queued.session][2] += queued.entry.status is EntryStatus.WAITING
    for key, counted in taken.items():
        row = world.sessions[key]
        must(
            [row.booked_count, row.held_count, row.waiting_count] == counted,
            "I2",
            "a recount says {}",
            counted,
        )
        must(counted[0] + counted[1] <= row.seats, "I1", "more seats taken than there are")


def _children(world: SimWorld) -> None:
    places: dict[Any, list[Any]] = {}
    for row in world.bookings.values():
        if row.booking.status.is_active:
            places.setdefault(row.booking.child, []).append(row)
    for rows in places.values():
        rows.sort(key=lambda row: (row.booking.starts_at, row.booking.id))
        sessions = [row.booking.session for row in rows]
        must(len(set(sessions)) == len(sessions), "I3", "a child has two places in one session")
        fixed = [row.booking for row in rows if not row.overlap_excused]
        for one, other in itertools.pairwise(fixed):
            must(one.ends_at <= other.starts_at, "I4", "a child is booked at two places at once")
    waits: set[Any] = set()
    for queued in world.queue.values():
        if queued.entry.status.is_active:
            for child in queued.entry.children:
                must((queued.session, child) not in waits, "I8", "a child waits twice in a line")
                waits.add((queued.session, child))
                must("activity_booking" in world.children[child].consents, "I16", "waits without consent")


def _ledger(world: SimWorld) -> None:
    lines: dict[Any, list[Any]] = {key: [] for key in world.balances}
    moved: dict[Any, dict[Any, int]] = {}
    for row in world.lines.values():
        view = row.view
        lines[view.balance].append(view)
        sums = moved.setdefault(view.booking, {})
        sums[view.movement] = sums.get(view.movement, 0) + view.amount
    for key, views in lines.items():
        balance = world.balances[key]
        views.sort(key=lambda view: view.sequence)
        after = 0
        for number, view in enumerate(views, 1):
            after += view.amount
            must(
                view.sequence == number and view.balance_after == after >= 0,
                "I5",
                "the ledger does not chain",
            )
        must(balance.available == after, "I5", "a balance differs from its lines")
        must(balance.last_sequence == len(views), "I5", "a balance lost count of its lines")
    for row in world.bookings.values():
        booking = row.booking
        sums = moved[booking.id]
        back = sum(amount for movement, amount in sums.items() if movement in REFUNDS)
        must(
            sums[Movement.BOOKING_DEBIT] == -booking.credits_charged,
            "I6",
            "a place was not paid at its price",
        )
        must(
            back == booking.credits_refunded <= booking.credits_charged,
            "I6",
            "a booking and the ledger differ",
        )
        if booking.status is BookingStatus.CANCELLED_VENUE:
            must(back == booking.credits_charged, "I6", "the venue cancelled without a full refund")


def _periods(world: SimWorld) -> None:
    periods: dict[Any, list[Any]] = {}
    for balance in world.balances.values():
        periods.setdefault(balance.user, []).append((balance.opens_at, balance.closes_at))
    for spans in periods.values():
        spans.sort()
        for (_, closes), (opens, _) in itertools.pairwise(spans):
            must(closes <= opens, "I13", "two periods of one person overlap")
