"""What a venue does with sessions and bookings that families know already."""

from datetime import date, time
from typing import Final

from attrs import field, frozen, validators
from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.booking.book import TooMuchContention
from nexus.application.booking.venue_bookings import (
    CancelBookingByVenue,
    ConfirmBooking,
    MarkAttendance,
    RejectBooking,
)
from nexus.application.booking.venue_sessions import CancelSession, ChangeSession, PlanChange, ShowRoster
from nexus.application.booking.views import RosterEntry, SessionChange
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.domain.booking.bookings import (
    BookingEnded,
    BookingStatus,
    CancellationReason,
    ConfirmationLapsed,
    NotPending,
    NotYetConfirmed,
    OutsideMarkingPeriod,
)
from nexus.domain.booking.sessions import CapacityBelowTaken, SessionCancelled, SessionStarted
from nexus.domain.catalogue.activities import HIGHEST_PRICE, MOST_SEATS
from nexus.domain.catalogue.sessions import AllocationAboveCapacity, SessionInThePast, SessionTooFarAhead
from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import BookingId, SessionId
from nexus.domain.kernel.time import NonexistentLocalTime
from nexus.entrypoints.http.calls import LIGHT
from nexus.entrypoints.http.etag import IfMatch
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.policies import SENSITIVE, Policy, allow
from nexus.entrypoints.http.scalars import Int4
from nexus.entrypoints.http.tenants import venue_of
from nexus.entrypoints.http.unset import UNSET, Unset, given, if_said


@frozen(kw_only=True)
class SessionPatch:
    """What is to be different about a session; what is left out stays as it is."""

    session_date: date | Unset = UNSET
    start_time: time | Unset = field(
        default=UNSET, metadata={"description": "On the venue's clock.", "examples": ["16:30"]}
    )
    end_time: time | Unset = field(
        default=UNSET,
        metadata={
            "description": "On the venue's clock; not after the start means the next day.",
            "examples": ["18:00"],
        },
    )
    credits_required: Int4 | Unset = field(
        default=UNSET, validator=if_said(validators.ge(1), validators.le(HIGHEST_PRICE))
    )
    total_capacity: Int4 | Unset = field(
        default=UNSET, validator=if_said(validators.ge(1), validators.le(MOST_SEATS))
    )
    platform_allocated_spots: Int4 | Unset = field(
        default=UNSET,
        validator=if_said(validators.ge(0), validators.le(MOST_SEATS)),
        metadata={"description": "The seats that the pass may sell; 0 sells none."},
    )
    instructor_name: str | Unset = field(default=UNSET, validator=if_said(validators.max_len(255)))
    session_notes: str | Unset = field(default=UNSET, validator=if_said(validators.max_len(2000)))
    location: str | Unset = field(
        default=UNSET, validator=if_said(validators.max_len(255)), metadata={"examples": ["Room 2, upstairs"]}
    )

    def plan(self) -> PlanChange:
        """The change, as the use case asks for it."""
        return PlanChange(
            **given(
                session_date=self.session_date,
                start_time=self.start_time,
                end_time=self.end_time,
                price=self.credits_required,
                total_capacity=self.total_capacity,
                allocated=self.platform_allocated_spots,
                instructor=self.instructor_name,
                notes=self.session_notes,
                location=self.location,
            )
        )


@frozen(kw_only=True)
class CallingOff:
    """Why a session does not happen; families are told."""

    reason: str = field(
        validator=[validators.min_len(1), validators.max_len(2000)],
        metadata={"examples": ["The teacher is ill."]},
    )


@frozen(kw_only=True)
class Rejection:
    """Why a place cannot be confirmed."""

    notes: str | None = field(default=None, validator=validators.optional(validators.max_len(2000)))


@frozen(kw_only=True)
class Attendance:
    """Whether a child came."""

    present: bool


@frozen(kw_only=True)
class TakingAway:
    """Why a place is taken away."""

    reason: CancellationReason = CancellationReason.VENUE_CANCELLED
    notes: str | None = field(default=None, validator=validators.optional(validators.max_len(2000)))


@frozen(kw_only=True)
class Roster:
    """Everybody who is expected at a session, or was."""

    items: list[RosterEntry]


@frozen(kw_only=True)
class BookingState:
    """Where a booking stands after what the venue did."""

    booking_id: BookingId
    status: BookingStatus


class VenueSessionChangeController(Controller):
    """Sessions that families know already."""

    path = "/api/v1/venue/sessions/{session_id:uuid}"
    opt = allow(Policy.VENUE, keys="sessions") | LIGHT
    tags = ("Venue",)

    @patch(
        "/",
        sync_to_thread=True,
        responses=problem_responses(
            NoSuchThing,
            SessionCancelled,
            SessionStarted,
            SessionInThePast,
            SessionTooFarAhead,
            NonexistentLocalTime,
            CapacityBelowTaken,
            AllocationAboveCapacity,
            TooMuchContention,
        ),
    )
    def change(
        self,
        *,
        session_id: FromPath[SessionId],
        data: JSONBody[SessionPatch],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        if_match: NamedDependency[SkipValidation[IfMatch]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        change_session: NamedDependency[SkipValidation[ChangeSession]],
    ) -> Response[SessionChange]:
        """
        Change time, place, price or seats of a session.

        Booked families are told; when it is at another time or place they may leave
        with a full refund until the start. Shorter or cheaper gives the difference back.
        """
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: change_session(session_id, data.plan(), venue=venue_of(actor), version=if_match.version),
        )

    @post(
        "/cancel",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, SessionCancelled, SessionStarted, TooMuchContention),
    )
    def cancel(
        self,
        *,
        session_id: FromPath[SessionId],
        data: JSONBody[CallingOff],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        cancel_session: NamedDependency[SkipValidation[CancelSession]],
    ) -> Response[SessionChange]:
        """Call a session off: every family gets everything back and is told, the queue is closed."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: cancel_session(session_id, venue=venue_of(actor), by=actor.user, reason=data.reason),
        )

    # Children are seen here, so that nobody gets it along with something else.
    @get(
        "/roster",
        sync_to_thread=True,
        opt=allow(Policy.VENUE, keys="rosters") | SENSITIVE,
        responses=problem_responses(NoSuchThing),
    )
    def roster(
        self,
        *,
        session_id: FromPath[SessionId],
        actor: NamedDependency[SkipValidation[Actor]],
        show_roster: NamedDependency[SkipValidation[ShowRoster]],
    ) -> Roster:
        """Show whom to expect; medical notes only with consent to share them."""
        return Roster(items=list(show_roster(session_id, venue=venue_of(actor))))


class VenueBookingController(Controller):
    """Single bookings of a venue's sessions."""

    path = "/api/v1/venue/bookings/{booking_id:uuid}"
    opt = allow(Policy.VENUE, keys="bookings") | LIGHT
    tags = ("Venue",)

    @post(
        "/confirm",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, NotPending, ConfirmationLapsed),
    )
    def confirm(
        self,
        *,
        booking_id: FromPath[BookingId],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        confirm_booking: NamedDependency[SkipValidation[ConfirmBooking]],
    ) -> Response[BookingState]:
        """Accept a pending booking."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: BookingState(
                booking_id=booking_id,
                status=confirm_booking(booking_id, venue=venue_of(actor), by=actor.user),
            ),
        )

    @post(
        "/reject",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, NotPending, TooMuchContention),
    )
    def reject(
        self,
        *,
        booking_id: FromPath[BookingId],
        data: JSONBody[Rejection],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        reject_booking: NamedDependency[SkipValidation[RejectBooking]],
    ) -> Response[BookingState]:
        """Turn a pending booking down: the credits go back to the family."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: BookingState(
                booking_id=booking_id,
                status=reject_booking(booking_id, venue=venue_of(actor), by=actor.user, notes=data.notes),
            ),
        )

    @post(
        "/attendance",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, BookingEnded, NotYetConfirmed, OutsideMarkingPeriod),
    )
    def mark(
        self,
        *,
        booking_id: FromPath[BookingId],
        data: JSONBody[Attendance],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        mark_attendance: NamedDependency[SkipValidation[MarkAttendance]],
    ) -> Response[BookingState]:
        """Say whether a child came, from the start until 24 hours after the end."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: BookingState(
                booking_id=booking_id,
                status=mark_attendance(
                    booking_id, venue=venue_of(actor), by=actor.user, present=data.present
                ),
            ),
        )

    @post(
        "/cancel",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, BookingEnded, TooMuchContention),
    )
    def cancel(
        self,
        *,
        booking_id: FromPath[BookingId],
        data: JSONBody[TakingAway],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        cancel_booking_by_venue: NamedDependency[SkipValidation[CancelBookingByVenue]],
    ) -> Response[BookingState]:
        """Take one place away: the family gets everything back and is told."""
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: BookingState(
                booking_id=booking_id,
                status=cancel_booking_by_venue(
                    booking_id,
                    venue=venue_of(actor),
                    by=actor.user,
                    reason=data.reason,
                    notes=data.notes,
                ),
            ),
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [VenueSessionChangeController, VenueBookingController]
