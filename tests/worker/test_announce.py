"""Each event in the words that people read."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid4

import pytest
from attrs import define, evolve, field, frozen

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.application.kernel.jobs import JobDue
from nexus.application.notifications.announce import Announce, messages_of
from nexus.domain.booking.events import (
    AttendanceMarked,
    BookingCancelled,
    BookingConfirmed,
    OfferLapsed,
    OfferMade,
    PlacesBooked,
    SessionChanged,
    WaitingEnded,
)
from nexus.domain.booking.waitlist import ClosedReason
from nexus.domain.compliance.events import ConsentChanged
from nexus.domain.credits.events import (
    CreditsAdjusted,
    CreditsAllocated,
    CreditsExpired,
    CreditsExpireSoon,
    Remainder,
)
from nexus.domain.identity.mail import AccountMail, AccountMailAsked
from nexus.domain.kernel.events import Event
from nexus.domain.kernel.ids import (
    BookingId,
    CompanyId,
    EntryId,
    EventId,
    SessionId,
    SubscriptionId,
    UserId,
)
from nexus.domain.notifications.messages import Message, Priority, SessionInWords
from nexus.entrypoints.wiring import Nexus
from tests.support.booking import Desk
from tests.support.town import NOON, Town

PAT, SAM = UserId(UUID(int=1)), UserId(UUID(int=2))
SESSION, BOOKING, ENTRY = SessionId(UUID(int=3)), BookingId(UUID(int=4)), EntryId(UUID(int=5))
ABOUT_BOOKING, ABOUT_ENTRY = ("booking", str(BOOKING)), ("waitlist_entry", str(ENTRY))
WHERE = "Clay at The Barn, Monday 9 March at 09:00"

family: dict[str, Any] = {"id": EventId(UUID(int=9)), "at": NOON, "parent": PAT, "session": SESSION}
nobody: dict[str, Any] = {"id": EventId(UUID(int=9)), "at": NOON}


@define
class Board:
    """Messages that were put up, and the little that their writers look up."""

    put_up: list[tuple[EventId, datetime, Message]] = field(factory=list)

    @property
    def notifications(self) -> "Board":
        return self

    def add(self, event: EventId, messages: Sequence[Message], *, at: datetime) -> None:
        self.put_up += [(event, at, message) for message in messages]

    def session_in_words(self, session: SessionId) -> SessionInWords:
        assert session == SESSION
        return SessionInWords(
            activity="Clay",
            venue="The Barn",
            day=date(2026, 3, 9),
            start=time(9),
            time_zone="America/Chicago",
        )

    def time_zones(self, people: Sequence[UserId]) -> dict[UserId, str]:
        return {person: "America/Chicago" if person == PAT else "Europe/Berlin" for person in people}


@frozen
class Case:
    event: Event
    to: UserId
    type: str
    priority: Priority
    title: str
    body: str
    about: tuple[str, str] | None = None


def cancelled(**more: Any) -> BookingCancelled:
    stated = {"by": "parent", "reason": "other", "refunded": 0, "forfeited": 0} | more
    return BookingCancelled(**family, booking=BOOKING, **stated)


BOOKED = PlacesBooked(**family, bookings=(BOOKING, BookingId(uuid4())), credits=4, confirm_by=None)

CASES = [
    Case(
        BOOKED,
        PAT,
        "booking_confirmed",
        Priority.NORMAL,
        "Your place is booked",
        f"{WHERE}. 4 credits paid.",
        ABOUT_BOOKING,
    ),
    Case(
        evolve(BOOKED, confirm_by=datetime(2026, 3, 3, 12, tzinfo=UTC), credits=1),
        PAT,
        "booking_pending",
        Priority.NORMAL,
        "Waiting for the venue",
        f"{WHERE}. The venue answers by Tuesday 3 March at 06:00; 1 credit held until then.",
        ABOUT_BOOKING,
    ),
    Case(
        BookingConfirmed(**family, booking=BOOKING),
        PAT,
        "booking_confirmed",
        Priority.NORMAL,
        "The venue confirmed your place",
        f"{WHERE}.",
        ABOUT_BOOKING,
    ),
    Case(
        cancelled(refunded=2),
        PAT,
        "booking_cancelled",
        Priority.NORMAL,
        "Your place is cancelled",
        f"{WHERE}. 2 credits came back to you.",
        ABOUT_BOOKING,
    ),
    Case(
        cancelled(forfeited=2),
        PAT,
        "booking_cancelled",
        Priority.NORMAL,
        "Your place is cancelled",
        f"{WHERE}. 2 credits forfeited: it was too late for a free cancellation.",
        ABOUT_BOOKING,
    ),
    Case(
        cancelled(reason="consent_withdrawn", refunded=1),
        PAT,
        "booking_cancelled",
        Priority.NORMAL,
        "Your place is cancelled",
        f"{WHERE}. You withdrew the consent that booking needs. 1 credit came back to you.",
        ABOUT_BOOKING,
    ),
    Case(
        cancelled(by="venue", reason="not_confirmed", refunded=2),
        PAT,
        "booking_cancelled",
        Priority.HIGH,
        "The venue cancelled your place",
        f"{WHERE}. The venue did not confirm it. 2 credits came back to you.",
        ABOUT_BOOKING,
    ),
    Case(
        AttendanceMarked(**family, booking=BOOKING, present=False, forfeited=2),
        PAT,
        "no_show",
        Priority.NORMAL,
        "Marked as absent",
        f"{WHERE}. 2 credits forfeited. If that is wrong, please tell us.",
        ABOUT_BOOKING,
    ),
    Case(
        SessionChanged(**family, booking=BOOKING, refunded=0, changed=("place", "time")),
        PAT,
        "session_changed",
        Priority.HIGH,
        "The venue changed a session (place, time)",
        f"Now: {WHERE}. You may cancel with a full refund until it starts.",
        ABOUT_BOOKING,
    ),
    Case(
        SessionChanged(**family, booking=BOOKING, refunded=1, changed=("price",)),
        PAT,
        "session_changed",
        Priority.HIGH,
        "The venue changed a session (price)",
        f"Now: {WHERE}. 1 credit came back to you.",
        ABOUT_BOOKING,
    ),
    Case(
        OfferMade(**family, entry=ENTRY, seats=1, expires_at=datetime(2026, 3, 2, 16, tzinfo=UTC)),
        PAT,
        "waitlist_offer",
        Priority.URGENT,
        "A seat is free for you",
        f"{WHERE}. Accept by Monday 2 March at 10:00; after that the next family is asked.",
        ABOUT_ENTRY,
    ),
    Case(
        OfferMade(**family, entry=ENTRY, seats=2, expires_at=datetime(2026, 3, 2, 16, tzinfo=UTC)),
        PAT,
        "waitlist_offer",
        Priority.URGENT,
        "2 seats are free for you",
        f"{WHERE}. Accept by Monday 2 March at 10:00; after that the next family is asked.",
        ABOUT_ENTRY,
    ),
    Case(
        OfferLapsed(**family, entry=ENTRY),
        PAT,
        "waitlist_offer_expired",
        Priority.NORMAL,
        "Your offer has expired",
        f"{WHERE}. You can join the waitlist again at its end.",
        ABOUT_ENTRY,
    ),
    Case(
        WaitingEnded(**family, entry=ENTRY, reason="session_cancelled"),
        PAT,
        "waitlist_closed",
        Priority.NORMAL,
        "The waitlist has closed for you",
        f"{WHERE}: the venue cancelled the session.",
        ABOUT_ENTRY,
    ),
    Case(
        CreditsAllocated(
            **nobody,
            company=CompanyId(uuid4()),
            subscription=SubscriptionId(uuid4()),
            period_start=date(2026, 3, 1),
            closes_at=NOON,
            users=(PAT,),
        ),
        PAT,
        "credits_allocated",
        Priority.LOW,
        "Your new credits are here",
        "They are yours for the period that began on 1 March.",
    ),
    Case(
        CreditsExpireSoon(
            **nobody, remainders=(Remainder(user=SAM, credits=3, closes_at=datetime(2026, 4, 1, tzinfo=UTC)),)
        ),
        SAM,
        "credits_expire_soon",
        Priority.NORMAL,
        "3 credits left to use",
        "Unused credits expire on Wednesday 1 April at 02:00.",
    ),
    Case(
        CreditsExpired(**nobody, remainders=(Remainder(user=PAT, credits=1, closes_at=NOON),)),
        PAT,
        "credits_expired",
        Priority.LOW,
        "A period has ended",
        "1 credit of your last period expired.",
    ),
    Case(
        CreditsAdjusted(**nobody, user=PAT, amount=5, reason="Thanks for the report"),
        PAT,
        "credits_adjusted",
        Priority.NORMAL,
        "5 credits added",
        "Reason: Thanks for the report",
    ),
    Case(
        CreditsAdjusted(**nobody, user=PAT, amount=-1, reason="Given twice"),
        PAT,
        "credits_adjusted",
        Priority.NORMAL,
        "1 credit taken back",
        "Reason: Given twice",
    ),
]

UNTOLD: list[Event] = [
    AccountMailAsked(**nobody, user=PAT, mail=AccountMail.INVITATION),
    AttendanceMarked(**family, booking=BOOKING, present=True, forfeited=0),
    ConsentChanged(**nobody, parent=PAT, child=uuid4(), given=(), withdrawn=()),
    CreditsExpired(**nobody, remainders=(Remainder(user=PAT, credits=0, closes_at=NOON),)),
    JobDue(**nobody, job="tidy_up"),
]


def told(event: Event) -> list[tuple[EventId, datetime, Message]]:
    board = Board()
    Announce(uuid4)(board, event)
    return board.put_up


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{type(case.event).__name__}-{case.title}")
def test_each_event_is_told_to_whom_it_concerns(case: Case):
    [(event, at, message)] = told(case.event)
    assert (event, at) == (case.event.id, case.event.at)
    assert message == Message(
        id=message.id,
        to=case.to,
        type=case.type,
        priority=case.priority,
        title=case.title,
        body=case.body,
        about=case.about,
    )


@pytest.mark.parametrize("event", UNTOLD, ids=lambda event: type(event).__name__)
def test_of_some_events_nobody_is_told(event: Event):
    assert told(event) == []


@pytest.mark.parametrize("reason", ClosedReason)
def test_every_reason_for_which_waiting_ends_has_words(reason: ClosedReason):
    [(_, _, message)] = told(WaitingEnded(**family, entry=ENTRY, reason=reason))
    assert message.body.startswith(f"{WHERE}: ")


def test_every_event_is_either_told_or_left_untold_on_purpose():
    decided = {type(case.event) for case in CASES} | {type(event) for event in UNTOLD} | {ConsentChanged}
    assert {kind for kind in Event.__subclasses__() if kind.__module__.startswith("nexus.")} == decided
    assert messages_of.dispatch(ConsentChanged) is messages_of.dispatch(Event)


def test_one_event_tells_many_people_each_in_their_own_time():
    closes_at = datetime(2026, 4, 1, tzinfo=UTC)
    remainders = tuple(Remainder(user=user, credits=2, closes_at=closes_at) for user in (PAT, SAM))
    found = told(CreditsExpireSoon(**nobody, remainders=remainders))
    assert [(message.to, message.body) for _, _, message in found] == [
        (PAT, "Unused credits expire on Tuesday 31 March at 19:00."),
        (SAM, "Unused credits expire on Wednesday 1 April at 02:00."),
    ]


def test_an_event_that_is_handled_again_tells_nobody_twice(town: Town, nexus: Nexus, begin: PostgresBegin):
    family_of_two, session = town.family(children=2), town.session()
    desk = Desk(begin)
    desk.book(session, tuple(family_of_two.children), parent=family_of_two.parent, company=town.company)
    event = EventId(town.one("SELECT id FROM outbox"))
    assert nexus.handle_event(event)
    assert not nexus.handle_event(event)
    town.owner.execute("UPDATE outbox SET handled_at = NULL")
    assert nexus.handle_event(event)
    [message] = nexus.list_notifications(reader=family_of_two.parent)
    assert message.title == "Your place is booked"


def test_two_places_cancelled_at_once_are_two_messages(town: Town, nexus: Nexus, begin: PostgresBegin):
    family_of_two, session = town.family(children=2), town.session()
    desk = Desk(begin)
    booking, _ = desk.book(
        session, tuple(family_of_two.children), parent=family_of_two.parent, company=town.company
    )
    desk.cancel(booking.id, parent=family_of_two.parent, with_group=True)
    for (event,) in town.owner.execute("SELECT id FROM outbox ORDER BY position").fetchall():
        nexus.handle_event(EventId(event))
    types = [message.type for message in nexus.list_notifications(reader=family_of_two.parent)]
    assert sorted(types) == ["booking_cancelled", "booking_cancelled", "booking_confirmed"]
