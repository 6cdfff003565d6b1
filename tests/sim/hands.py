"""What steps do: each verb is one use case, called by somebody or something with a number."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from attrs import define

from nexus.application.booking.book import Book, TakePlaces
from nexus.application.booking.cancel import CancelBooking
from nexus.application.booking.stand_down import StandDown
from nexus.application.booking.sweep import CompleteBookings, SweepSessions
from nexus.application.booking.venue_bookings import (
    CancelBookingByVenue,
    ConfirmBooking,
    MarkAttendance,
    RejectBooking,
)
from nexus.application.booking.venue_sessions import CancelSession, ChangeSession, PlanChange
from nexus.application.booking.wait import AcceptOffer, DeclineOffer, JoinWaitlist, LeaveWaitlist
from nexus.application.credits.adjust import AdjustCredits
from nexus.application.credits.allocate import AllocateCredits
from nexus.application.credits.expire import ExpireCredits, WarnOfExpiry
from nexus.application.identity.consents import RecordConsent
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.inbox import HandleEvent
from nexus.application.kernel.vault import Vault
from nexus.application.notifications.announce import Announce
from nexus.domain.compliance.consent import ConsentMethod, Purpose
from nexus.domain.identity.people import Role
from nexus.domain.kernel.errors import Refusal
from nexus.domain.kernel.ids import BookingId, ChildId, EntryId, SessionId
from tests.sim.steps import RACES, Step
from tests.sim.units import Killed, Units
from tests.sim.village import START, Village

VOID: Final = "void"
"""There was nothing to do: what the step speaks of does not exist (any more)."""

BATCH: Final = 4
"""How many messages arrive in one step."""

BACKGROUND: Final = {*RACES, "relay", "deliver", "wipe"}
"""What looks inside the store, and is done in memory only; a database has its own drills for it."""

DONE: Final = "done"
KILLED: Final = "killed"


class Finder(Protocol):
    """Where the step's numbers lead: the latest booking or entry of a child in a session."""

    def booking(self, session: SessionId, child: ChildId) -> BookingId | None: ...
    def entry(self, session: SessionId, child: ChildId) -> EntryId | None: ...


@define
class Now:
    """The clock of every use case; it knows of nobody, so that a life that is over goes by itself."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at


class Hands:
    """Carries out steps on a store through the product's use cases."""

    def __init__(
        self,
        begin: Callable[..., Any],
        village: Village,
        finder: Finder,
        new_id: Callable[[], UUID],
        vault: Vault,
    ) -> None:
        self.village, self.finder, self.begin = village, finder, begin
        self.now = now = Now()
        self.broker: list[UUID] = []
        codes = count(1)
        take = TakePlaces(new_id, lambda: f"S{next(codes):09}")
        self._book = Book(begin, now, take)
        self._cancel = CancelBooking(begin, now, new_id)
        self._join = JoinWaitlist(begin, now, new_id)
        self._accept = AcceptOffer(begin, now, new_id, take)
        self._decline = DeclineOffer(begin, now, new_id)
        self._leave = LeaveWaitlist(begin, now, new_id)
        self._confirm = ConfirmBooking(begin, now, new_id)
        self._reject = RejectBooking(begin, now, new_id)
        self._take_away = CancelBookingByVenue(begin, now, new_id)
        self._mark = MarkAttendance(begin, now, new_id)
        self._change = ChangeSession(begin, now, new_id)
        self._call_off = CancelSession(begin, now, new_id)
        self._adjust = AdjustCredits(begin, now, new_id)
        self._consent = RecordConsent(begin, now, new_id, vault, StandDown(new_id))
        self._handle = HandleEvent(begin, Announce(new_id), {})
        self.sweep = SweepSessions(begin, now, new_id)
        self.complete = CompleteBookings(begin, now)
        self.allocate = AllocateCredits(begin, now, new_id, batch=3)
        self.expire = ExpireCredits(begin, now, new_id, batch=3)
        self.warn = WarnOfExpiry(begin, now, new_id, batch=3)

    def perform(self, step: Step) -> Any:
        """What came of it: :data:`DONE`, :data:`VOID`, :data:`KILLED` or the refusal."""
        self.now.at = step.at
        if step.verb in BACKGROUND and not isinstance(self.begin, Units):
            return VOID
        try:
            found = getattr(self, step.verb)(*step.args)
        except Refusal as refusal:
            return refusal.with_traceback(None)  # its frames would keep the whole step alive
        except Killed:
            return KILLED
        return VOID if found is VOID else DONE

    def settle_in(self) -> None:
        """Every parent consents, and the first credits are there."""
        for number, household in enumerate(self.village.households):
            for child in range(len(household.children)):
                decisions = {Purpose.DATA_COLLECTION: True, Purpose.ACTIVITY_BOOKING: True}
                self._decide(number, child, decisions)
        self.allocate()

    def _decide(self, family: int, child: int, decisions: Mapping[Purpose, bool]) -> None:
        home = self.village.households[family]
        self._consent(
            home.children[child],
            decisions,
            actor=Actor(home.parent, Role.PARENT, home.company),
            text_version="1",
            method=ConsentMethod.CHECKBOX,
        )

    def plan(self, number: int, seats: int, price: int, times: dict[str, Any]) -> Any:
        if number in self.village.sessions:
            return VOID
        self.village.plan(number, seats, price, at=self.now.at, **times)
        return DONE

    def book(self, family: int, number: int, children: tuple[int, ...]) -> Any:
        session = self.village.sessions.get(number)
        if session is None:
            return VOID
        home = self.village.households[family]
        chosen = tuple(home.children[child] for child in children)
        return self._book(session, chosen, parent=home.parent, company=home.company)

    def race(
        self, family: int, number: int, children: tuple[int, ...], verb: str, args: tuple[Any, ...]
    ) -> Any:
        """A family books on what it read before somebody else did something and committed it."""
        session = self.village.sessions.get(number)
        if session is None:
            return VOID
        home = self.village.households[family]
        chosen = tuple(home.children[child] for child in children)
        with self.begin() as work:
            read = work.places.facts(session, chosen, parent=home.parent, at=self.now.at)
        self._quietly(verb, args)
        if not read.offering.needs_settling(at=self.now.at):
            self.begin.stale.facts = read
        try:
            return self.book(family, number, children)
        finally:
            self.begin.stale.forget()

    def collide(self, family: int, number: int, child: int, verb: str, args: tuple[Any, ...]) -> Any:
        """A family cancels on what it read before somebody changed its place: only the version tells."""
        booking = self._booking(family, number, child)
        if booking is None:
            return VOID
        with self.begin() as work:
            read = work.places.lock(booking, parent=self.village.households[family].parent)
        self._quietly(verb, args)
        self.begin.stale.bookings = read
        try:
            return self.cancel(family, number, child, with_group=False)
        finally:
            self.begin.stale.forget()

    def _quietly(self, verb: str, args: tuple[Any, ...]) -> None:
        try:
            getattr(self, verb)(*args)
        except Refusal as refusal:
            refusal.with_traceback(None)

    def _booking(self, family: int, number: int, child: int) -> BookingId | None:
        session = self.village.sessions.get(number)
        if session is None:
            return None
        return self.finder.booking(session, self.village.households[family].children[child])

    def _entry(self, family: int, number: int, child: int) -> EntryId | None:
        session = self.village.sessions.get(number)
        if session is None:
            return None
        return self.finder.entry(session, self.village.households[family].children[child])

    def cancel(self, family: int, number: int, child: int, with_group: bool) -> Any:
        booking = self._booking(family, number, child)
        if booking is None:
            return VOID
        return self._cancel(booking, parent=self.village.households[family].parent, with_group=with_group)

    def intrude(self, family: int, owner: int, number: int, child: int) -> Any:
        booking = self._booking(owner, number, child)
        if booking is None or family == owner:
            return VOID
        return self._cancel(booking, parent=self.village.households[family].parent)

    def join(self, family: int, number: int, children: tuple[int, ...]) -> Any:
        session = self.village.sessions.get(number)
        if session is None:
            return VOID
        home = self.village.households[family]
        return self._join(session, tuple(home.children[child] for child in children), parent=home.parent)

    def accept(self, family: int, number: int, child: int) -> Any:
        entry, home = self._entry(family, number, child), self.village.households[family]
        return VOID if entry is None else self._accept(entry, parent=home.parent, company=home.company)

    def decline(self, family: int, number: int, child: int) -> Any:
        entry = self._entry(family, number, child)
        return VOID if entry is None else self._decline(entry, parent=self.village.households[family].parent)

    def leave(self, family: int, number: int, child: int) -> Any:
        entry = self._entry(family, number, child)
        return VOID if entry is None else self._leave(entry, parent=self.village.households[family].parent)

    def _as_venue(self, verb: Callable[..., Any], family: int, number: int, child: int, **more: Any) -> Any:
        booking = self._booking(family, number, child)
        if booking is None:
            return VOID
        return verb(booking, venue=self._venue(number), by=self._somebody(), **more)

    def _venue(self, number: int) -> Any:
        return self.village.towns[number % len(self.village.towns)].venue

    def _somebody(self) -> Any:
        return self.village.households[0].parent

    def confirm(self, family: int, number: int, child: int) -> Any:
        return self._as_venue(self._confirm, family, number, child)

    def reject(self, family: int, number: int, child: int) -> Any:
        return self._as_venue(self._reject, family, number, child)

    def take_away(self, family: int, number: int, child: int) -> Any:
        return self._as_venue(self._take_away, family, number, child)

    def mark(self, family: int, number: int, child: int, present: bool) -> Any:
        return self._as_venue(self._mark, family, number, child, present=present)

    def change(self, number: int, what: dict[str, Any]) -> Any:
        session = self.village.sessions.get(number)
        if session is None:
            return VOID
        return self._change(session, plan_change(what), venue=self._venue(number))

    def call_off(self, number: int) -> Any:
        session = self.village.sessions.get(number)
        if session is None:
            return VOID
        return self._call_off(session, venue=self._venue(number), by=self._somebody(), reason="ill")

    def adjust(self, family: int, amount: int) -> Any:
        home = self.village.households[family]
        actor = Actor(self._somebody(), Role.PLATFORM_ADMIN)
        return self._adjust(home.parent, amount, reason="goodwill", actor=actor)

    def consent(self, family: int, child: int, given: bool) -> Any:
        return self._decide(family, child, {Purpose.ACTIVITY_BOOKING: given})

    def relay(self, again: bool, dies: bool) -> Any:
        """Send what is committed; what was sent and is not handled, too, when asked *again*."""
        world = self.begin.world
        if again:
            there = set(self.broker)
            self.broker += [id_ for id_ in world.sent if id_ not in world.handled and id_ not in there]
        for id_, event in list(world.events.items()):
            self.broker.append(id_)
            world.sent[id_] = event
            if not dies:
                del world.events[id_]
        return DONE

    def deliver(self, which: int, stays: bool) -> Any:
        if not self.broker:
            return VOID
        for _ in range(min(BATCH, len(self.broker))):
            place = which % len(self.broker)
            event = self.broker[place] if stays else self.broker.pop(place)
            try:
                self._handle(event)
            except Killed:
                self.broker.append(event)  # it was not acknowledged: it comes again
                raise
        return DONE

    def wipe(self) -> Any:
        self.broker.clear()
        return DONE


def plan_change(what: dict[str, Any]) -> PlanChange:
    """The change that a step describes; ``starts_at`` and ``ends_at`` as the venue's clock shows them."""
    plain = {name: value for name, value in what.items() if name not in {"starts_at", "minutes"}}
    if "starts_at" in what:
        local = what["starts_at"].astimezone(ZoneInfo("America/Chicago"))
        end = local + timedelta(minutes=what["minutes"])
        plain |= {"session_date": local.date(), "start_time": local.time(), "end_time": end.time()}
    return PlanChange(**plain)
