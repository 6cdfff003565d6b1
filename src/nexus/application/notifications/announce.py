"""
Events in words: which message each event becomes, and for whom.

One function for each kind of event, registered on :func:`messages_of`; an event
without one is told to nobody.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import singledispatch
from typing import Final

from attrs import frozen

from nexus.application.kernel.ports import NewId
from nexus.application.notifications.ports import NotificationWork
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
from nexus.domain.credits.events import (
    CreditsAdjusted,
    CreditsAllocated,
    CreditsExpired,
    CreditsExpireSoon,
)
from nexus.domain.kernel.events import Event
from nexus.domain.kernel.ids import NotificationId, SessionId, UserId
from nexus.domain.kernel.time import zone
from nexus.domain.notifications.messages import Message, Priority, credits_in_words, in_words

WHY_WAITING_ENDED: Final = {
    "session_cancelled": "the venue cancelled the session",
    "session_started": "the session has started",
    "too_few_seats": "the session no longer has enough seats for your group",
    "child_unavailable": "a child of the group can no longer be booked",
}

WHY_CANCELLED: Final = {
    "not_confirmed": "The venue did not confirm it.",
    "consent_withdrawn": "You withdrew the consent that booking needs.",
    "child_deactivated": "You took the child off the pass.",
}


@frozen
class Draft:
    """A message before it has an id: to whom, how urgent, what it says."""

    to: UserId
    type: str
    priority: Priority
    title: str
    body: str
    about: tuple[str, str] | None = None


@frozen
class Scribe:
    """What the writers of messages look up."""

    work: NotificationWork

    def session(self, session: SessionId) -> str:
        return str(self.work.notifications.session_in_words(session))

    def moment(self, at: datetime, reader: UserId) -> str:
        """An instant as the reader's local time."""
        return in_words(self.local({reader: at})[reader])

    def local(self, moments: Mapping[UserId, datetime]) -> dict[UserId, datetime]:
        """Each reader's instant as their local time."""
        zones = self.work.notifications.time_zones(list(moments))
        return {reader: at.astimezone(zone(zones[reader])) for reader, at in moments.items()}


@frozen
class Announce:
    """Tell everybody concerned what happened; handling an event again tells nobody twice."""

    new_id: NewId

    def __call__(self, work: NotificationWork, event: Event) -> None:
        messages = [
            Message(
                id=NotificationId(self.new_id()),
                to=draft.to,
                type=draft.type,
                priority=draft.priority,
                title=draft.title,
                body=draft.body,
                about=draft.about,
            )
            for draft in messages_of(event, Scribe(work))
        ]
        if messages:
            work.notifications.add(event.id, messages, at=event.at)


@singledispatch
def messages_of(_event: Event, _scribe: Scribe) -> Iterator[Draft]:
    """What is told of an event, and to whom."""
    return iter(())


@messages_of.register
def _(event: PlacesBooked, scribe: Scribe) -> Iterator[Draft]:
    paid = credits_in_words(event.credits)
    about = ("booking", str(event.bookings[0]))
    if event.confirm_by is None:
        text = f"{scribe.session(event.session)}. {paid} paid."
        yield Draft(event.parent, "booking_confirmed", Priority.NORMAL, "Your place is booked", text, about)
    else:
        until = scribe.moment(event.confirm_by, event.parent)
        text = f"{scribe.session(event.session)}. The venue answers by {until}; {paid} held until then."
        yield Draft(event.parent, "booking_pending", Priority.NORMAL, "Waiting for the venue", text, about)


@messages_of.register
def _(event: BookingConfirmed, scribe: Scribe) -> Iterator[Draft]:
    yield Draft(
        event.parent,
        "booking_confirmed",
        Priority.NORMAL,
        "The venue confirmed your place",
        f"{scribe.session(event.session)}.",
        ("booking", str(event.booking)),
    )


@messages_of.register
def _(event: BookingCancelled, scribe: Scribe) -> Iterator[Draft]:
    outcome = (
        f"{credits_in_words(event.refunded)} came back to you."
        if event.refunded
        else f"{credits_in_words(event.forfeited)} forfeited: it was too late for a free cancellation."
        if event.forfeited
        else ""
    )
    why = WHY_CANCELLED.get(event.reason, "")
    by_venue = event.by == "venue"
    yield Draft(
        event.parent,
        "booking_cancelled",
        Priority.HIGH if by_venue else Priority.NORMAL,
        "The venue cancelled your place" if by_venue else "Your place is cancelled",
        " ".join(part for part in (f"{scribe.session(event.session)}.", why, outcome) if part),
        ("booking", str(event.booking)),
    )


@messages_of.register
def _(event: AttendanceMarked, scribe: Scribe) -> Iterator[Draft]:
    if event.present:
        return
    forfeited = credits_in_words(event.forfeited)
    yield Draft(
        event.parent,
        "no_show",
        Priority.NORMAL,
        "Marked as absent",
        f"{scribe.session(event.session)}. {forfeited} forfeited. If that is wrong, please tell us.",
        ("booking", str(event.booking)),
    )


@messages_of.register
def _(event: SessionChanged, scribe: Scribe) -> Iterator[Draft]:
    leave = (
        "You may cancel with a full refund until it starts." if {"time", "place"} & set(event.changed) else ""
    )
    back = f"{credits_in_words(event.refunded)} came back to you." if event.refunded else ""
    yield Draft(
        event.parent,
        "session_changed",
        Priority.HIGH,
        f"The venue changed a session ({', '.join(event.changed)})",
        " ".join(part for part in (f"Now: {scribe.session(event.session)}.", back, leave) if part),
        ("booking", str(event.booking)),
    )


@messages_of.register
def _(event: OfferMade, scribe: Scribe) -> Iterator[Draft]:
    seats = "A seat is" if event.seats == 1 else f"{event.seats} seats are"
    until = scribe.moment(event.expires_at, event.parent)
    yield Draft(
        event.parent,
        "waitlist_offer",
        Priority.URGENT,
        f"{seats} free for you",
        f"{scribe.session(event.session)}. Accept by {until}; after that the next family is asked.",
        ("waitlist_entry", str(event.entry)),
    )


@messages_of.register
def _(event: OfferLapsed, scribe: Scribe) -> Iterator[Draft]:
    yield Draft(
        event.parent,
        "waitlist_offer_expired",
        Priority.NORMAL,
        "Your offer has expired",
        f"{scribe.session(event.session)}. You can join the waitlist again at its end.",
        ("waitlist_entry", str(event.entry)),
    )


@messages_of.register
def _(event: WaitingEnded, scribe: Scribe) -> Iterator[Draft]:
    why = WHY_WAITING_ENDED[event.reason]
    yield Draft(
        event.parent,
        "waitlist_closed",
        Priority.NORMAL,
        "The waitlist has closed for you",
        f"{scribe.session(event.session)}: {why}.",
        ("waitlist_entry", str(event.entry)),
    )


@messages_of.register
def _(event: CreditsAllocated, _scribe: Scribe) -> Iterator[Draft]:
    for user in event.users:
        yield Draft(
            user,
            "credits_allocated",
            Priority.LOW,
            "Your new credits are here",
            f"They are yours for the period that began on {event.period_start:%-d %B}.",
        )


@messages_of.register
def _(event: CreditsExpireSoon, scribe: Scribe) -> Iterator[Draft]:
    closing = scribe.local({left.user: left.closes_at for left in event.remainders})
    for left in event.remainders:
        yield Draft(
            left.user,
            "credits_expire_soon",
            Priority.NORMAL,
            f"{credits_in_words(left.credits)} left to use",
            f"Unused credits expire on {in_words(closing[left.user])}.",
        )


@messages_of.register
def _(event: CreditsExpired, _scribe: Scribe) -> Iterator[Draft]:
    for left in event.remainders:
        if left.credits:
            text = f"{credits_in_words(left.credits)} of your last period expired."
            yield Draft(left.user, "credits_expired", Priority.LOW, "A period has ended", text)


@messages_of.register
def _(event: CreditsAdjusted, _scribe: Scribe) -> Iterator[Draft]:
    more = event.amount > 0
    yield Draft(
        event.user,
        "credits_adjusted",
        Priority.NORMAL,
        f"{credits_in_words(abs(event.amount))} {'added' if more else 'taken back'}",
        f"Reason: {event.reason}",
    )
