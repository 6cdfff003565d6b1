"""A family's bookings: quote, book, read, cancel."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from attrs import evolve, field, frozen, validators
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from nexus.application.booking.book import Book, NotTheSameActivity, TooMuchContention
from nexus.application.booking.cancel import CancelBooking, QuoteCancellation
from nexus.application.booking.look_up import ListBookings, ShowBooking
from nexus.application.booking.quote import QuoteBooking
from nexus.application.booking.views import BookingQuote, BookingView, CancellationQuote
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.ports import Begin
from nexus.domain.booking.bookings import BookingEnded, BookingStatus, CancellationReason
from nexus.domain.booking.refunds import CancellationTooLate
from nexus.domain.booking.sessions import SessionCancelled, SessionFull, SessionStarted
from nexus.domain.booking.wishes import (
    ActivityNotPublished,
    AlreadyBooked,
    BookingNotOpen,
    ChildNamedTwice,
    ConsentMissing,
    OutsideAgeRange,
    OverlappingBooking,
    PremiumNotIncluded,
    VenueNotActive,
    VenueNotInsured,
)
from nexus.domain.credits.ledger import InsufficientCredits
from nexus.domain.kernel.errors import ChildNotActive, NoSuchThing, Refusal
from nexus.domain.kernel.ids import BookingId, ChildId, GroupId, SessionId
from nexus.entrypoints.http.calls import LIGHT, BoundedCalls
from nexus.entrypoints.http.etag import IfMatch, etag
from nexus.entrypoints.http.idempotency import Attempt, CommandWork, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.problems import address
from nexus.entrypoints.http.tenants import company_of

PRECONDITIONS: Final[tuple[type[Refusal], ...]] = (
    NoSuchThing,
    ChildNamedTwice,
    ActivityNotPublished,
    VenueNotActive,
    VenueNotInsured,
    SessionCancelled,
    SessionStarted,
    BookingNotOpen,
    PremiumNotIncluded,
    ChildNotActive,
    ConsentMissing,
    OutsideAgeRange,
    AlreadyBooked,
    OverlappingBooking,
    TooMuchContention,
)
"""What may stand between a family and a place, whether it books, waits or accepts an offer."""

_BY_BOOKING: Final = Keyset("bookings", datetime, UUID)


@frozen(kw_only=True)
class Wanted:
    """Places in a session, for one child or for siblings all or none."""

    session_id: SessionId
    child_ids: list[ChildId] = field(
        validator=[validators.min_len(1), validators.max_len(10)],
        metadata={"description": "The family's own children, each named once."},
    )


@frozen(kw_only=True)
class NewBooking(Wanted):
    """Places to book now, for one child or for siblings all or none."""

    original_booking_id: BookingId | None = field(
        default=None,
        metadata={"description": "To book again: an earlier booking of the same activity."},
    )


@frozen(kw_only=True)
class Cancellation:
    """Why a place is given up, and whether the siblings' places go too."""

    reason: CancellationReason = CancellationReason.OTHER
    notes: str | None = field(
        default=None,
        validator=validators.optional(validators.max_len(2000)),
        metadata={"description": "What the venue may know.", "examples": ["Chickenpox, sorry!"]},
    )
    with_group: bool = field(
        default=False,
        metadata={"description": "Also cancel what is left of the group it was booked with."},
    )


@frozen(kw_only=True)
class Booked:
    """The places a family got, all in one go."""

    bookings: list[BookingView]
    group_booking_id: GroupId | None = field(
        metadata={"description": "What siblings' bookings share; null for a single one."}
    )

    @classmethod
    def of(cls, bookings: tuple[BookingView, ...]) -> "Booked":
        return cls(bookings=list(bookings), group_booking_id=bookings[0].group_booking_id)


@frozen(kw_only=True)
class Cancelled:
    """The places that were given up."""

    bookings: list[BookingView] = field(
        metadata={"description": "The booking that was named first, then those of its group."}
    )


class BookingController(Controller):
    """A family's own bookings."""

    path = "/api/v1/bookings"
    opt = allow(Policy.FAMILY) | LIGHT
    tags = ("Bookings",)

    @post(
        "/quote",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, ChildNamedTwice),
    )
    def quote(
        self,
        *,
        data: JSONBody[Wanted],
        actor: NamedDependency[SkipValidation[Actor]],
        quote_booking: NamedDependency[SkipValidation[QuoteBooking]],
    ) -> BookingQuote:
        """
        Ask what a booking would cost and what stands in its way.

        Nothing is reserved. Each obstacle has the type, title and figures of the
        problem with which a booking would be refused now.
        """
        found = quote_booking(data.session_id, tuple(data.child_ids), parent=actor.user)
        return evolve(
            found, obstacles=tuple(evolve(each, type=address(each.type)) for each in found.obstacles)
        )

    @post(
        "/",
        responses=problem_responses(*PRECONDITIONS, SessionFull, InsufficientCredits, NotTheSameActivity),
    )
    async def book_places(
        self,
        *,
        data: JSONBody[NewBooking],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        book: NamedDependency[SkipValidation[Book]],
        calls: NamedDependency[SkipValidation[BoundedCalls]],
    ) -> Response[Booked]:
        """
        Book places for one child, or for siblings all or none.

        The bookings are confirmed at once, unless the venue confirms itself: then
        they are pending, with the seats held and the credits debited.
        """

        def answer() -> Response[Booked]:
            return Once(begin, actor.user)(
                attempt.key,
                attempt.fingerprint,
                201,
                lambda: Booked.of(
                    book(
                        data.session_id,
                        tuple(data.child_ids),
                        parent=actor.user,
                        company=company_of(actor),
                        original=data.original_booking_id,
                    )
                ),
            )

        return await calls.about(data.session_id, answer)

    @get("/", sync_to_thread=True)
    def browse(
        self,
        *,
        actor: NamedDependency[SkipValidation[Actor]],
        list_bookings: NamedDependency[SkipValidation[ListBookings]],
        status: Annotated[BookingStatus | None, QueryParameter(description="Only these.")] = None,
        upcoming: Annotated[
            bool, QueryParameter(description="Only active bookings whose session has not ended.")
        ] = False,
        limit: Limit = 20,
        cursor: CursorText = None,
    ) -> Page[BookingView]:
        """List the family's bookings, latest first."""
        rows = list_bookings(
            parent=actor.user,
            status=status,
            upcoming=upcoming,
            after=_BY_BOOKING.after(cursor),
            limit=limit + 1,
        )
        return _BY_BOOKING.page(rows, limit, lambda row: (row.booked_at, row.id), lambda row: row)

    @get("/{booking_id:uuid}", sync_to_thread=True, responses=problem_responses(NoSuchThing))
    def show(
        self,
        *,
        booking_id: FromPath[BookingId],
        actor: NamedDependency[SkipValidation[Actor]],
        show_booking: NamedDependency[SkipValidation[ShowBooking]],
    ) -> Response[BookingView]:
        """Show a booking; its ETag names the version to cancel."""
        found = show_booking(booking_id, parent=actor.user)
        return Response(found, headers=etag(found.version))

    @get(
        "/{booking_id:uuid}/cancellation-quote",
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, BookingEnded, CancellationTooLate),
    )
    def cancellation_quote(
        self,
        *,
        booking_id: FromPath[BookingId],
        actor: NamedDependency[SkipValidation[Actor]],
        quote_cancellation: NamedDependency[SkipValidation[QuoteCancellation]],
    ) -> CancellationQuote:
        """Ask what cancelling would give back now, and until when."""
        return quote_cancellation(booking_id, parent=actor.user)

    @post(
        "/{booking_id:uuid}/cancel",
        status_code=200,
        sync_to_thread=True,
        responses=problem_responses(NoSuchThing, BookingEnded, CancellationTooLate, TooMuchContention),
    )
    def cancel(
        self,
        *,
        booking_id: FromPath[BookingId],
        data: JSONBody[Cancellation],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        if_match: NamedDependency[SkipValidation[IfMatch]],
        begin: NamedDependency[SkipValidation[Begin[CommandWork]]],
        cancel_booking: NamedDependency[SkipValidation[CancelBooking]],
    ) -> Response[Cancelled]:
        """
        Cancel a booking, or what is left of its group.

        Until ``refundable_until`` every credit comes back, later they are forfeited.
        With If-Match, only the version that the family has seen is cancelled.
        """
        return Once(begin, actor.user)(
            attempt.key,
            attempt.fingerprint,
            200,
            lambda: Cancelled(
                bookings=list(
                    cancel_booking(
                        booking_id,
                        parent=actor.user,
                        reason=data.reason,
                        notes=data.notes,
                        with_group=data.with_group,
                        version=if_match.version,
                    )
                )
            ),
        )


HANDLERS: Final[list[ControllerRouterHandler]] = [BookingController]
