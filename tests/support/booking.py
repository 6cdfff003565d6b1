"""The booking use cases on a store, with a clock that a test sets."""

import itertools
from datetime import datetime
from typing import Any
from uuid import uuid4

from attrs import define, field

from nexus.application.booking.book import Book, TakePlaces
from nexus.application.booking.cancel import CancelBooking, QuoteCancellation
from nexus.application.booking.look_up import ListBookings, ListEntries, ShowBooking
from nexus.application.booking.quote import QuoteBooking
from nexus.application.booking.sweep import CompleteBookings, SweepSessions
from nexus.application.booking.venue_bookings import (
    CancelBookingByVenue,
    ConfirmBooking,
    MarkAttendance,
    RejectBooking,
)
from nexus.application.booking.venue_sessions import CancelSession, ChangeSession
from nexus.application.booking.wait import AcceptOffer, DeclineOffer, JoinWaitlist, LeaveWaitlist
from nexus.application.kernel.ports import Begin
from tests.support.town import NOON

_codes = itertools.count()


def code() -> str:
    """Codes that are unique within a test run."""
    return f"T{next(_codes):09}"


@define
class Desk:
    """Every verb around a seat, at the instant ``at``."""

    begin: Begin[Any]
    at: datetime = NOON
    take: TakePlaces = field(factory=lambda: TakePlaces(uuid4, code))

    def now(self) -> datetime:
        return self.at

    @property
    def book(self) -> Book:
        return Book(self.begin, self.now, self.take)

    @property
    def quote(self) -> QuoteBooking:
        return QuoteBooking(self.begin, self.now)

    @property
    def cancel(self) -> CancelBooking:
        return CancelBooking(self.begin, self.now, uuid4)

    @property
    def quote_cancellation(self) -> QuoteCancellation:
        return QuoteCancellation(self.begin, self.now)

    @property
    def join(self) -> JoinWaitlist:
        return JoinWaitlist(self.begin, self.now, uuid4)

    @property
    def accept(self) -> AcceptOffer:
        return AcceptOffer(self.begin, self.now, uuid4, self.take)

    @property
    def decline(self) -> DeclineOffer:
        return DeclineOffer(self.begin, self.now, uuid4)

    @property
    def leave(self) -> LeaveWaitlist:
        return LeaveWaitlist(self.begin, self.now, uuid4)

    @property
    def confirm(self) -> ConfirmBooking:
        return ConfirmBooking(self.begin, self.now, uuid4)

    @property
    def reject(self) -> RejectBooking:
        return RejectBooking(self.begin, self.now, uuid4)

    @property
    def take_away(self) -> CancelBookingByVenue:
        return CancelBookingByVenue(self.begin, self.now, uuid4)

    @property
    def mark(self) -> MarkAttendance:
        return MarkAttendance(self.begin, self.now, uuid4)

    @property
    def change_session(self) -> ChangeSession:
        return ChangeSession(self.begin, self.now, uuid4)

    @property
    def cancel_session(self) -> CancelSession:
        return CancelSession(self.begin, self.now, uuid4)

    @property
    def sweep(self) -> SweepSessions:
        return SweepSessions(self.begin, self.now, uuid4)

    @property
    def complete(self) -> CompleteBookings:
        return CompleteBookings(self.begin, self.now)

    @property
    def show(self) -> ShowBooking:
        return ShowBooking(self.begin)

    @property
    def list_bookings(self) -> ListBookings:
        return ListBookings(self.begin, self.now)

    @property
    def list_entries(self) -> ListEntries:
        return ListEntries(self.begin)
