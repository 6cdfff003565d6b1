"""Work that time makes due. Each part may run late, twice or concurrently."""

from datetime import datetime
from typing import Final

from attrs import frozen

from nexus.application.booking.end_bookings import end_bookings, endings
from nexus.application.booking.line_up import change_line
from nexus.application.booking.ports import BookWork
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.booking.bookings import MARKING_PERIOD, CancellationReason
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.ids import SessionId

BATCH: Final = 500
"""Sessions or bookings that one step takes on; the next step goes on from there."""


@frozen
class SweepSessions:
    """
    Carry out what is overdue: lapsed offers, unanswered bookings, releases, lines that the start ends.

    One session at a time, each in a transaction of its own, so that a stop loses
    nothing and nobody waits for a whole sweep.
    """

    begin: Begin[BookWork]
    now: Clock
    new_id: NewId

    def __call__(self) -> int:
        """
        How many sessions were brought up to date.

        Raises:
            ExceptionGroup: Some could not be, after all others were.
        """
        at = self.now()
        done = 0
        faults: list[Exception] = []
        while not faults:
            with self.begin() as work:
                sessions = work.lines.due(at=at, limit=BATCH)
            for session in sessions:
                try:
                    self._settle(session, at=at)
                except Exception as fault:  # noqa: BLE001 - one session holds up no other; raised below
                    fault.add_note(f"session {session}")
                    faults.append(fault)
            done += len(sessions) - len(faults)
            if len(sessions) < BATCH:
                break
        while True:
            with self.begin() as work:
                released = work.lines.release(at=at, limit=BATCH)
            done += released
            if released < BATCH:
                break
        if faults:
            raise ExceptionGroup("some sessions could not be brought up to date", faults)
        return done

    def _settle(self, session: SessionId, *, at: datetime) -> None:
        with self.begin() as work:
            before = work.lines.lock(session)
            unanswered = work.places.unanswered(session, at=at)
            if unanswered:
                end_bookings(
                    work,
                    endings(unanswered, lambda each: each.cancelled_by_venue()),
                    at=at,
                    new_id=self.new_id,
                    by=None,
                    reason=CancellationReason.NOT_CONFIRMED,
                )
            else:
                change_line(work, before, lambda line: line, at=at, new_id=self.new_id)


@frozen
class CompleteBookings:
    """Count a child as present when nobody has said otherwise within 24 hours after the end."""

    begin: Begin[BookWork]
    now: Clock

    def __call__(self) -> int:
        """How many bookings were completed."""
        at = self.now()
        done = 0
        while True:
            with self.begin() as work:
                completed = work.places.complete(before=at - MARKING_PERIOD, at=at, limit=BATCH)
                if completed:
                    work.audit.add(Deed(Action.BOOKINGS_COMPLETED, new={"bookings": completed}))
            done += completed
            if completed < BATCH:
                break
        while True:
            with self.begin() as work:
                over = work.places.close_sessions(before=at - MARKING_PERIOD, limit=BATCH)
            if over < BATCH:
                return done
