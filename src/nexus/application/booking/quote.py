"""Say what a booking would cost and what stands in its way."""

from datetime import timedelta

from attrs import frozen

from nexus.application.booking.book import wish_of
from nexus.application.booking.ports import BookWork
from nexus.application.booking.views import BookingQuote, Obstacle
from nexus.application.kernel.ports import Begin, Clock
from nexus.domain.booking.refunds import RefundWindow
from nexus.domain.booking.wishes import named_once
from nexus.domain.credits.ledger import InsufficientCredits
from nexus.domain.kernel.errors import Refusal
from nexus.domain.kernel.ids import ChildId, SessionId, UserId


@frozen
class QuoteBooking:
    """Everything a family wants to know before it books; all obstacles at once, not only the first."""

    begin: Begin[BookWork]
    now: Clock

    def __call__(self, session: SessionId, children: tuple[ChildId, ...], *, parent: UserId) -> BookingQuote:
        """
        Raises:
            NoSuchThing: No such session, or a child is not the parent's own.
            NoChildren: No child was named.
            ChildNamedTwice: A child was named twice.
        """
        named_once(children)
        at = self.now()
        with self.begin() as work:
            facts = work.places.facts(session, children, parent=parent, at=at)
            settings = work.settings.at(at)
        wish = wish_of(facts, last_offer_minutes=settings.waitlist_last_offer_minutes)
        obstacles: list[Refusal] = list(wish.obstacles(at=at))
        if facts.credits < wish.price:
            obstacles.append(InsufficientCredits(balance=facts.credits, price=wish.price))
        window = RefundWindow(timedelta(hours=settings.cancellation_window_hours))
        return BookingQuote(
            session_id=session,
            child_ids=children,
            price_per_child=facts.offering.price,
            total=wish.price,
            credits_available=facts.credits,
            credits_after=facts.credits - wish.price,
            needs_confirmation=facts.offering.requires_confirmation,
            refundable_until=window.closes_at(facts.offering.starts_at),
            can_be_booked=not obstacles,
            obstacles=tuple(_as_obstacle(each) for each in obstacles),
        )


def _as_obstacle(refusal: Refusal) -> Obstacle:
    return Obstacle(type=refusal.slug(), title=refusal.title(), figures=refusal.members())
