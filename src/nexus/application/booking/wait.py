"""Wait for a place: join, accept, decline, leave."""

from attrs import frozen

from nexus.application.booking.book import TakePlaces, until_settled, wish_of
from nexus.application.booking.line_up import change_line, offer_policy
from nexus.application.booking.ports import BookWork
from nexus.application.booking.views import BookingView, EntryView
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.booking.bookings import BookingSource
from nexus.domain.booking.waitlist import Entry, EntryEnded, EntryStatus, Line
from nexus.domain.booking.wishes import named_once
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.ids import ChildId, CompanyId, EntryId, SessionId, UserId


@frozen
class JoinWaitlist:
    """
    Wait at the end of the line for one child, or for siblings who want places together.

    Credits are only needed when an offer is accepted; everything else that a
    booking asks of the children and the session must hold already.
    """

    begin: Begin[BookWork]
    now: Clock
    new_id: NewId

    def __call__(self, session: SessionId, children: tuple[ChildId, ...], *, parent: UserId) -> EntryView:
        """
        Raises:
            NoSuchThing: No such session, or a child is not the parent's own.
            SeatsAvailable: Nobody needs to wait: book instead.
            AlreadyWaiting: One of the children is in line already.
            Refusal: Another precondition of a booking does not hold.
        """
        named_once(children)

        def attempt() -> EntryView:
            at = self.now()
            with self.begin() as work:
                settings = work.settings.at(at)
                policy = offer_policy(settings)
                work.places.lock_children(children, parent=parent)
                before = work.lines.lock(session)
                facts = work.places.facts(session, children, parent=parent, at=at)
                wish = wish_of(facts, last_offer_minutes=settings.waitlist_last_offer_minutes)
                wish.check(at=at, in_turn=True)
                entry = Entry(
                    id=EntryId(self.new_id()), parent=parent, children=children, number=0, joined_at=at
                )
                change_line(
                    work,
                    before,
                    lambda line: line.settled(at=at, policy=policy).joined(entry, at=at, policy=policy),
                    at=at,
                    new_id=self.new_id,
                )
                work.audit.add(
                    Deed(
                        Action.WAITLIST_JOINED,
                        entry.id,
                        new={"session": session, "seats": len(children)},
                        venue=facts.offering.venue,
                    )
                )
                return work.booking_views.entries([entry.id], parent=parent)[0]

        return until_settled(attempt)


@frozen
class AcceptOffer:
    """
    Take the offered seats: a booking with all its preconditions.

    When one does not hold (too few credits, say), nothing changes and the offer
    stands until it expires.
    """

    begin: Begin[BookWork]
    now: Clock
    new_id: NewId
    take_places: TakePlaces

    def __call__(self, entry: EntryId, *, parent: UserId, company: CompanyId) -> tuple[BookingView, ...]:
        """
        Raises:
            NoSuchThing: It is not this parent's entry.
            NoOffer: It is not this family's turn yet.
            OfferExpired: The offer has ended.
            EntryEnded: The entry has left the line.
            Refusal: A precondition of a booking does not hold.
        """

        def attempt() -> tuple[BookingView, ...]:
            at = self.now()
            with self.begin() as work:
                work.places.lock_children(work.lines.children_of(entry, parent=parent), parent=parent)
                before = _line_of(work, entry, parent=parent)
                offered = before.find(entry)
                # The line is stored before the seats are taken, so that they are free for this family alone.
                taken = before.accepted(entry, at=at)
                work.lines.save(before, taken)
                booked = self.take_places(
                    work,
                    before.session,
                    offered.children,
                    parent=parent,
                    company=company,
                    at=at,
                    source=BookingSource.WAITLIST,
                    in_turn=True,
                )
                bookings = tuple(each.id for each in booked)
                work.audit.add(Deed(Action.OFFER_ACCEPTED, entry, new={"bookings": bookings}))
                return booked

        return until_settled(attempt)


@frozen
class DeclineOffer:
    """Let an offer go; in the same step it is the next family's."""

    begin: Begin[BookWork]
    now: Clock
    new_id: NewId

    def __call__(self, entry: EntryId, *, parent: UserId) -> EntryView:
        """
        Raises:
            NoSuchThing: It is not this parent's entry.
            NoOffer: There is no offer to decline; leave the line instead.
            OfferExpired: The offer has ended.
            EntryEnded: The entry has left the line.
        """
        at = self.now()
        with self.begin() as work:
            before = _line_of(work, entry, parent=parent)
            change_line(work, before, lambda line: line.declined(entry, at=at), at=at, new_id=self.new_id)
            work.audit.add(Deed(Action.OFFER_DECLINED, entry))
            return work.booking_views.entries([entry], parent=parent)[0]


@frozen
class LeaveWaitlist:
    """Stop waiting, whether or not there is an offer."""

    begin: Begin[BookWork]
    now: Clock
    new_id: NewId

    def __call__(self, entry: EntryId, *, parent: UserId) -> EntryView:
        """
        Raises:
            NoSuchThing: It is not this parent's entry.
            EntryEnded: The entry has left the line already.
        """
        at = self.now()
        with self.begin() as work:
            before = _line_of(work, entry, parent=parent)
            change_line(work, before, lambda line: line.left(entry, at=at), at=at, new_id=self.new_id)
            work.audit.add(Deed(Action.WAITLIST_LEFT, entry))
            return work.booking_views.entries([entry], parent=parent)[0]


def _line_of(work: BookWork, entry: EntryId, *, parent: UserId) -> Line:
    """
    The line in which that entry is, locked.

    Raises:
        NoSuchThing: It is not this parent's.
        EntryEnded: It has left the line.
    """
    line = work.lines.lock(work.lines.session_of(entry, parent=parent))
    if all(each.id != entry for each in line.entries):
        raise EntryEnded(entry, EntryStatus(work.lines.status_of(entry)))
    return line
