"""Rows that hold more than one context's share of a table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from attrs import evolve, fields, frozen

from nexus.domain.booking.sessions import SessionStatus
from nexus.domain.catalogue.sessions import PlannedSession

STATUSES: Final[Mapping[str, SessionStatus]] = {each.value: each for each in SessionStatus}


@frozen(kw_only=True)
class SessionRow(PlannedSession):
    """
    A row of ``activity_sessions``: what the venue planned, and what booking counts.

    ``seats`` is the column ``sellable``: the release lowers it, whatever was planned.
    """

    seats: int
    booked_count: int = 0
    held_count: int = 0
    waiting_count: int = 0
    last_queue_number: int = 0
    released_at: datetime | None = None
    status: str = "scheduled"
    status_reason: str | None = None
    version: int = 1

    @classmethod
    def of(cls, planned: PlannedSession) -> "SessionRow":
        """A session that nobody has booked yet."""
        values = {a.name: getattr(planned, a.name) for a in fields(PlannedSession)}
        return cls(seats=planned.sellable, **values)

    @property
    def is_taken(self) -> bool:
        """Whether anybody has a seat, holds one or waits for one."""
        return self.booked_count + self.held_count + self.waiting_count > 0

    def cancelled(self, reason: str) -> "SessionRow":
        return evolve(self, status="cancelled", status_reason=reason, version=self.version + 1)
