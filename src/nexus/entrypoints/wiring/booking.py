"""Booking, cancelling and waiting in line, for families and for venues."""

from functools import cached_property

from nexus.application.booking.book import Book, TakePlaces
from nexus.application.booking.cancel import CancelBooking, QuoteCancellation
from nexus.application.booking.look_up import ListBookings, ListEntries, ShowBooking, ShowEntry
from nexus.application.booking.quote import QuoteBooking
from nexus.application.booking.sweep import CompleteBookings, SweepSessions
from nexus.application.booking.venue_bookings import (
    CancelBookingByVenue,
    ConfirmBooking,
    MarkAttendance,
    RejectBooking,
)
from nexus.application.booking.venue_sessions import CancelSession, ChangeSession, ShowRoster
from nexus.application.booking.wait import AcceptOffer, DeclineOffer, JoinWaitlist, LeaveWaitlist
from nexus.entrypoints.wiring.means import Means


class Booking(Means):
    """Places in sessions, and the lines before them."""

    @cached_property
    def _take_places(self) -> TakePlaces:
        return TakePlaces(self.new_id, self.new_code)

    @cached_property
    def quote_booking(self) -> QuoteBooking:
        return QuoteBooking(self.read, self.now)

    @cached_property
    def book(self) -> Book:
        return Book(self.begin, self.now, self._take_places)

    @cached_property
    def show_booking(self) -> ShowBooking:
        return ShowBooking(self.read)

    @cached_property
    def list_bookings(self) -> ListBookings:
        return ListBookings(self.read, self.now)

    @cached_property
    def quote_cancellation(self) -> QuoteCancellation:
        return QuoteCancellation(self.begin, self.now)

    @cached_property
    def cancel_booking(self) -> CancelBooking:
        return CancelBooking(self.begin, self.now, self.new_id)

    # --- waiting in line

    @cached_property
    def join_waitlist(self) -> JoinWaitlist:
        return JoinWaitlist(self.begin, self.now, self.new_id)

    @cached_property
    def accept_offer(self) -> AcceptOffer:
        return AcceptOffer(self.begin, self.now, self.new_id, self._take_places)

    @cached_property
    def decline_offer(self) -> DeclineOffer:
        return DeclineOffer(self.begin, self.now, self.new_id)

    @cached_property
    def leave_waitlist(self) -> LeaveWaitlist:
        return LeaveWaitlist(self.begin, self.now, self.new_id)

    @cached_property
    def show_entry(self) -> ShowEntry:
        return ShowEntry(self.read)

    @cached_property
    def list_entries(self) -> ListEntries:
        return ListEntries(self.read)

    # --- at the venue

    @cached_property
    def show_roster(self) -> ShowRoster:
        return ShowRoster(self.begin, self._vault)

    @cached_property
    def change_session(self) -> ChangeSession:
        return ChangeSession(self.begin, self.now, self.new_id)

    @cached_property
    def cancel_session(self) -> CancelSession:
        return CancelSession(self.begin, self.now, self.new_id)

    @cached_property
    def confirm_booking(self) -> ConfirmBooking:
        return ConfirmBooking(self.begin, self.now, self.new_id)

    @cached_property
    def reject_booking(self) -> RejectBooking:
        return RejectBooking(self.begin, self.now, self.new_id)

    @cached_property
    def mark_attendance(self) -> MarkAttendance:
        return MarkAttendance(self.begin, self.now, self.new_id)

    @cached_property
    def cancel_booking_by_venue(self) -> CancelBookingByVenue:
        return CancelBookingByVenue(self.begin, self.now, self.new_id)

    # --- when time has passed

    @cached_property
    def sweep_sessions(self) -> SweepSessions:
        return SweepSessions(self.begin, self.now, self.new_id)

    @cached_property
    def complete_bookings(self) -> CompleteBookings:
        return CompleteBookings(self.begin, self.now)
