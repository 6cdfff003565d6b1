"""
What must be true before a family gets a place.

Each precondition is one function in :data:`PRECONDITIONS`, in the order in
which a family should hear of them; each has an error of its own.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Final

from attrs import frozen

from nexus.domain.booking.sessions import (
    Offering,
    SessionCancelled,
    SessionFull,
    SessionStarted,
    SessionStatus,
)
from nexus.domain.kernel.errors import ChildNotActive, Conflict, Invalid, Refusal
from nexus.domain.kernel.ids import BookingId, ChildId, SessionId
from nexus.domain.kernel.time import age_on

CONSENT: Final = "activity_booking"
"""The purpose to which a parent consents before a child can be booked."""


@frozen
class NoChildren(Invalid):
    """A booking is for at least one child."""


@frozen
class ChildNamedTwice(Invalid):
    """The same child is named twice."""

    child: ChildId


@frozen
class ActivityNotPublished(Conflict):
    """The activity is not offered at present."""


@frozen
class VenueNotActive(Conflict):
    """The venue is not active at present."""


@frozen
class VenueNotInsured(Conflict):
    """The venue's insurance does not cover that day."""

    insured_until: date | None
    session_date: date


@frozen
class BookingNotOpen(Conflict):
    """Booking for this session has not opened yet."""

    opens_at: datetime


@frozen
class PremiumNotIncluded(Conflict):
    """The company's plan does not include premium venues."""


@frozen
class ConsentMissing(Conflict):
    """A parent's consent is missing."""

    child: ChildId
    purpose: str


@frozen
class OutsideAgeRange(Conflict):
    """The child is too young or too old on the day of the session."""

    child: ChildId
    age: int
    min_age: int
    max_age: int


@frozen
class AlreadyBooked(Conflict):
    """The child has a place in this session already."""

    child: ChildId
    booking: BookingId


@frozen
class OverlappingBooking(Conflict):
    """The child has another booking at that time."""

    child: ChildId
    booking: BookingId


@frozen(kw_only=True)
class Attendee:
    """A child as booking needs to know it: age, standing, and what it is booked for at that time."""

    child: ChildId
    born: date
    is_active: bool
    may_be_booked: bool
    same_session: BookingId | None = None
    overlapping: BookingId | None = None


@frozen(kw_only=True)
class Wish:
    """A family wants places for these children in this session, now."""

    offering: Offering
    attendees: tuple[Attendee, ...]
    has_premium: bool
    last_offer: timedelta

    @property
    def price(self) -> int:
        """Credits for all children together."""
        return self.offering.price * len(self.attendees)

    def obstacles(self, *, at: datetime, in_turn: bool = False) -> Iterator[Refusal]:
        """
        Everything that stands in the way, most fundamental first.

        *in_turn*: the seats are held for this family by an offer.
        """
        for precondition in PRECONDITIONS if in_turn else (*PRECONDITIONS, seats_are_on_sale):
            yield from precondition(self, at)

    def check(self, *, at: datetime, in_turn: bool = False) -> None:
        """
        Let the wish pass or say what stands in its way.

        Raises:
            Refusal: The first obstacle.
        """
        for precondition in PRECONDITIONS if in_turn else (*PRECONDITIONS, seats_are_on_sale):
            for obstacle in precondition(self, at):
                raise obstacle


def named_once(children: tuple[ChildId, ...]) -> tuple[ChildId, ...]:
    """
    The children of a request, as they were named.

    Raises:
        NoChildren: There is none.
        ChildNamedTwice: One stands there twice.
    """
    if not children:
        raise NoChildren
    for position, child in enumerate(children):
        if child in children[:position]:
            raise ChildNamedTwice(child)
    return children


def waitlist_of(session: SessionId) -> str:
    """Where a family joins the queue of a session."""
    return f"/api/v1/sessions/{session}/waitlist"


def activity_is_published(wish: Wish, _at: datetime) -> Iterable[Refusal]:
    return () if wish.offering.is_published else (ActivityNotPublished(),)


def venue_is_active(wish: Wish, _at: datetime) -> Iterable[Refusal]:
    return () if wish.offering.venue_is_active else (VenueNotActive(),)


def venue_is_insured(wish: Wish, _at: datetime) -> Iterable[Refusal]:
    covered, day = wish.offering.insured_until, wish.offering.local_date
    return (VenueNotInsured(covered, day),) if covered is None or covered < day else ()


def session_is_going_to_happen(wish: Wish, at: datetime) -> Iterable[Refusal]:
    if wish.offering.status is SessionStatus.CANCELLED:
        return (SessionCancelled(),)
    if at >= wish.offering.starts_at:
        return (SessionStarted(wish.offering.starts_at),)
    return ()


def booking_has_opened(wish: Wish, at: datetime) -> Iterable[Refusal]:
    opens_at = wish.offering.opens_at
    return (BookingNotOpen(opens_at),) if opens_at is not None and at < opens_at else ()


def premium_is_included(wish: Wish, _at: datetime) -> Iterable[Refusal]:
    return (PremiumNotIncluded(),) if wish.offering.is_premium and not wish.has_premium else ()


def children_are_active(wish: Wish, _at: datetime) -> Iterable[Refusal]:
    return [ChildNotActive(attendee.child) for attendee in wish.attendees if not attendee.is_active]


def parents_have_consented(wish: Wish, _at: datetime) -> Iterable[Refusal]:
    return [
        ConsentMissing(attendee.child, CONSENT)
        for attendee in wish.attendees
        if attendee.is_active and not attendee.may_be_booked
    ]


def ages_are_in_range(wish: Wish, _at: datetime) -> Iterable[Refusal]:
    offering = wish.offering
    for attendee in wish.attendees:
        age = age_on(offering.local_date, attendee.born)
        if not offering.min_age <= age <= offering.max_age:
            yield OutsideAgeRange(attendee.child, age, offering.min_age, offering.max_age)


def children_are_free(wish: Wish, _at: datetime) -> Iterable[Refusal]:
    for attendee in wish.attendees:
        if attendee.same_session is not None:
            yield AlreadyBooked(attendee.child, attendee.same_session)
        elif attendee.overlapping is not None:
            yield OverlappingBooking(attendee.child, attendee.overlapping)


def seats_are_on_sale(wish: Wish, at: datetime) -> Iterable[Refusal]:
    offering, wanted = wish.offering, len(wish.attendees)
    on_sale = offering.on_sale(at=at, last_offer=wish.last_offer)
    if wanted > on_sale:
        return (SessionFull(on_sale, wanted, offering.waiting, waitlist_of(offering.session)),)
    return ()


PRECONDITIONS: Final[tuple[Callable[[Wish, datetime], Iterable[Refusal]], ...]] = (
    activity_is_published,
    venue_is_active,
    venue_is_insured,
    session_is_going_to_happen,
    booking_has_opened,
    premium_is_included,
    children_are_active,
    parents_have_consented,
    ages_are_in_range,
    children_are_free,
)
