"""Book places for one child, or for siblings all or none."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar, Final, TypeVar

from attrs import frozen

from nexus.application.booking.line_up import change_line
from nexus.application.booking.ports import (
    BookWork,
    Facts,
    NewCode,
    Order,
    Overtaken,
    Place,
)
from nexus.application.booking.views import BookingView
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.booking.bookings import BookingSource, BookingStatus
from nexus.domain.booking.events import PlacesBooked
from nexus.domain.booking.refunds import RefundWindow
from nexus.domain.booking.wishes import Wish, named_once
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.credits.ledger import InsufficientCredits
from nexus.domain.kernel.errors import Conflict
from nexus.domain.kernel.ids import (
    ActivityId,
    BookingId,
    ChildId,
    CompanyId,
    EventId,
    GroupId,
    LineId,
    SessionId,
    UserId,
)

T = TypeVar("T")

ATTEMPTS: Final = 5
"""How often a booking is decided anew when others change the same session first."""


@frozen
class TooMuchContention(Conflict):
    """Too many families want this session at the same moment; try again."""

    is_passing: ClassVar[bool] = True


@frozen
class NotTheSameActivity(Conflict):
    """That booking was for another activity."""

    booking: BookingId


def wish_of(facts: Facts, *, last_offer_minutes: int) -> Wish:
    """The family's wish, as the domain judges it."""
    return Wish(
        offering=facts.offering,
        attendees=facts.attendees,
        has_premium=facts.has_premium,
        last_offer=timedelta(minutes=last_offer_minutes),
    )


@frozen
class TakePlaces:
    """
    Decide and write one attempt inside an open unit of work.

    Shared by booking and by accepting an offer, which differ only in whose
    turn it is.
    """

    new_id: NewId
    new_code: NewCode

    def __call__(
        self,
        work: BookWork,
        session: SessionId,
        children: tuple[ChildId, ...],
        *,
        parent: UserId,
        company: CompanyId,
        at: datetime,
        source: BookingSource,
        original: BookingId | None = None,
        in_turn: bool = False,
        last: bool = False,
    ) -> tuple[BookingView, ...]:
        """
        Give the family its places, or say what stands in the way.

        *last*: nothing else is done in this unit of work.

        Raises:
            Refusal: A precondition does not hold.
            Overtaken: Others changed the session, the balance or the child meanwhile.
        """
        facts = work.places.facts(session, children, parent=parent, at=at)
        if not in_turn and facts.offering.needs_settling(at=at):
            work.places.lock_children(children, parent=parent)
            change_line(work, work.lines.lock(session), lambda line: line, at=at, new_id=self.new_id)
            facts = work.places.facts(session, children, parent=parent, at=at)
        settings = work.settings.at(at)
        wish = wish_of(facts, last_offer_minutes=settings.waitlist_last_offer_minutes)
        wish.check(at=at, in_turn=in_turn)
        if facts.credits < wish.price:
            raise InsufficientCredits(balance=facts.credits, price=wish.price)
        if original is not None:
            self._check_original(work, original, facts.offering.activity, parent=parent)
        offering = facts.offering
        pending = offering.requires_confirmation
        confirm_by = min(at + offering.confirmation_window, offering.starts_at) if pending else None
        order = Order(
            session=session,
            version=offering.version,
            parent=parent,
            company=company,
            status=BookingStatus.PENDING if pending else BookingStatus.CONFIRMED,
            price=offering.price,
            places=tuple(
                Place(
                    booking=BookingId(self.new_id()),
                    child=child,
                    code=self.new_code(),
                    debit=LineId(self.new_id()),
                )
                for child in children
            ),
            group=GroupId(self.new_id()) if len(children) > 1 else None,
            source=source,
            original=original,
            credit_value=settings.credit_value,
            refundable_until=RefundWindow(timedelta(hours=settings.cancellation_window_hours)).closes_at(
                offering.starts_at
            ),
            confirm_by=confirm_by,
            in_turn=in_turn,
            last_offer_minutes=settings.waitlist_last_offer_minutes,
            at=at,
        )
        bookings = tuple(place.booking for place in order.places)
        # Before the places, whose outcome is waited for: what is told of them goes out with it, or not at all.
        work.outbox.add(
            PlacesBooked(
                id=EventId(self.new_id()),
                at=at,
                parent=parent,
                session=session,
                bookings=bookings,
                credits=wish.price,
                confirm_by=confirm_by,
                from_offer=source is BookingSource.WAITLIST,
            )
        )
        booked = {"session": session, "status": order.status, "source": source, "credits": order.price}
        work.audit.add(
            *(
                Deed(Action.BOOKED, booking, new=booked, company=company, venue=offering.venue)
                for booking in bookings
            )
        )
        return work.places.place(order, last=last)

    def _check_original(
        self, work: BookWork, original: BookingId, activity: ActivityId, *, parent: UserId
    ) -> None:
        if work.booking_views.booking(original, parent=parent).activity_id != activity:
            raise NotTheSameActivity(original)


def until_settled(attempt: Callable[[], T]) -> T:
    """
    Repeat an attempt that was overtaken.

    Raises:
        TooMuchContention: It was overtaken every time.
    """
    for _ in range(ATTEMPTS):
        try:
            return attempt()
        except Overtaken:
            continue
    raise TooMuchContention


@frozen
class Book:
    """
    Book places now: seat, debit, booking and ledger line, all or none.

    Siblings get places together or not at all. Where the venue confirms itself
    the bookings are pending: the seats are held and the credits debited.
    """

    begin: Begin[BookWork]
    now: Clock
    take_places: TakePlaces

    def __call__(
        self,
        session: SessionId,
        children: tuple[ChildId, ...],
        *,
        parent: UserId,
        company: CompanyId,
        original: BookingId | None = None,
    ) -> tuple[BookingView, ...]:
        """
        Raises:
            Refusal: The first precondition that does not hold, with its figures.
        """
        named_once(children)
        source = BookingSource.BROWSE if original is None else BookingSource.BOOK_AGAIN

        def attempt() -> tuple[BookingView, ...]:
            at = self.now()
            with self.begin() as work:
                return self.take_places(
                    work,
                    session,
                    children,
                    parent=parent,
                    company=company,
                    at=at,
                    source=source,
                    original=original,
                    last=True,
                )

        return until_settled(attempt)
