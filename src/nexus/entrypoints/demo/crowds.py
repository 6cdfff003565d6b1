"""Sessions that more families want than there are seats, then and now."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from attrs import define, field, frozen

from nexus.application.booking.views import EntryView
from nexus.application.catalogue.views import VenueSessionView
from nexus.domain.booking.sessions import SessionFull
from nexus.entrypoints.demo.history import DAY, HOUR, History
from nexus.entrypoints.demo.people import Family, Kid
from nexus.entrypoints.demo.stage import unless_refused

PAST: Final = 6
PRESENT: Final = 16
OPEN_OFFERS: Final = 4

ACCEPTS, DECLINES = 0, 1


def scarce(history: History, first: datetime, last: datetime) -> list[VenueSessionView]:
    """The first session in that time of each activity that has few seats."""
    found: dict[object, VenueSessionView] = {}
    for session in history.between(first, last):
        if history.offer(session).is_scarce:
            found.setdefault(session.activity_id, session)
    return list(found.values())


def crowd(
    history: History, session: VenueSessionView, *, waiters: int, lead: tuple[Family, Kid] | None = None
) -> bool:
    """
    Fill a session and let others wait for it, *lead* before everybody else.

    Whether so many wait in the end.
    """
    waiting, full = 0, False
    for family, kid in history.interested(session):
        if not full and family.parent in history.short:
            continue
        with unless_refused():
            if not full:
                try:
                    history.book(family, [kid], session)
                except SessionFull:
                    full = True
                    if lead is not None:
                        history.wait(lead[0], [lead[1]], session)
                else:
                    continue
            history.wait(family, [kid], session)
            waiting += 1
        if waiting == waiters:
            return True
    return False


def give_one_up(history: History, session: VenueSessionView) -> None:
    """Somebody cancels; the seat is offered to the first in line."""
    for family, view in history.booked[session.id]:
        if not family.is_fixed:
            history.cancel(family, view)
            return


@frozen
class PastCrowds:
    """Full sessions of the past weeks: of three offers one is accepted, one declined, one runs out."""

    history: History

    def write(self) -> None:
        stage = self.history.stage
        stage.at(stage.before_end(days=20), self._begin)

    def _begin(self) -> None:
        history, stage = self.history, self.history.stage
        chosen = scarce(history, stage.before_end(days=16), stage.before_end(days=9))[:PAST]
        for number, session in enumerate(chosen):
            if not crowd(history, session, waiters=3):
                continue
            freed = session.starts_at - 3 * DAY
            stage.at(freed, partial(give_one_up, history, session))
            stage.at(freed + HOUR, partial(self._answer, session, number % 3))
            stage.at(freed + timedelta(hours=4, minutes=1), stage.nexus.sweep_sessions)
            stage.at(session.ends_at + HOUR, partial(self._mark, session))

    def _answer(self, session: VenueSessionView, kind: int) -> None:
        nexus = self.history.stage.nexus
        while (found := self._offered(session)) is not None:
            family, entry = found
            if kind == ACCEPTS:
                with unless_refused():
                    views = nexus.accept_offer(entry.id, parent=family.parent, company=family.company)
                    self.history.booked[session.id] += [(family, view) for view in views]
                    return
            if kind in {ACCEPTS, DECLINES}:
                # Also whoever would like to accept and cannot pay for it.
                nexus.decline_offer(entry.id, parent=family.parent)
            if kind != ACCEPTS:
                return

    def _offered(self, session: VenueSessionView) -> tuple[Family, EntryView] | None:
        for family in self.history.people.others:
            for entry in self.history.stage.nexus.list_entries(parent=family.parent, active=True):
                if entry.session_id == session.id and entry.offer_expires_at is not None:
                    return family, entry
        return None

    def _mark(self, session: VenueSessionView) -> None:
        for _, view in self.history.booked[session.id]:
            self.history.mark(view, present=True)


@define
class PresentCrowds:
    """
    Full sessions in the days to come, some with an offer that is still open.

    The fixed family is first in one line, with an offer to answer, and waits in another.
    """

    history: History
    _crowded: list[VenueSessionView] = field(factory=list, init=False)

    def write(self) -> None:
        stage = self.history.stage
        stage.at(stage.before_end(days=1, hours=2), self._fill)
        stage.at(stage.before_end(hours=0.25), self._open_offers)

    def _fill(self) -> None:
        history, stage = self.history, self.history.stage
        family = history.people.fixed
        younger, older = family.kid("Kofi"), family.kid("Zuri")
        leading: VenueSessionView | None = None
        for session in scarce(history, stage.end + 4 * DAY, stage.end + 12 * DAY):
            if len(self._crowded) == PRESENT:
                break
            may_lead = leading is None and self._is_free(family, younger, session)
            lead = (family, younger) if may_lead else None
            if crowd(history, session, waiters=stage.random.randint(1, 4), lead=lead):
                # The line that the fixed family leads comes first: its offer is opened for certain.
                self._crowded.insert(0 if may_lead else len(self._crowded), session)
                leading = session if may_lead else leading
        for session in reversed(self._crowded):
            if session is not leading and self._is_free(family, older, session):
                history.wait(family, [older], session)
                return

    def _open_offers(self) -> None:
        for session in self._crowded[:OPEN_OFFERS]:
            give_one_up(self.history, session)

    def _is_free(self, family: Family, kid: Kid, session: VenueSessionView) -> bool:
        """Whether the child could go there at that time."""
        return self.history.suits(session, family, [kid]) and all(
            view.ends_at <= session.starts_at or view.starts_at >= session.ends_at
            for booked in self.history.booked.values()
            for _, view in booked
            if view.child_id == kid.id
        )
