"""Check every promise about the data by the clock, and show what the checks found."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from attrs import frozen

from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.application.platform.ports import Settings

KEPT: Final = timedelta(days=90)


@frozen(kw_only=True)
class Verification:
    """One run of all checks: how many rows broke each promise (at most a hundred are counted), never which."""

    id: UUID
    at: datetime
    seconds: float
    findings: Mapping[str, int]


class Verifications(Protocol):
    """The runs so far."""

    def add(self, run: Verification) -> None: ...
    def forget(self, *, before: datetime) -> None:
        """Remove runs before that instant."""
        ...

    def page(self, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[Verification]:
        """The newest first, by (at, id)."""
        ...


class VerifyWork(Protocol):
    @property
    def verifications(self) -> Verifications: ...
    @property
    def settings(self) -> Settings: ...


Check = Callable[[datetime, timedelta], tuple[float, Mapping[str, int]] | None]
"""All checks at an instant, given how long before a start the last offer is made; None while others check."""


@frozen
class VerifyData:
    """Check every promise on one snapshot, read-only, and keep what was found for 90 days."""

    begin: Begin[VerifyWork]
    now: Clock
    new_id: NewId
    check: Check

    def __call__(self) -> Verification | None:
        """What was found; None when another process is checking."""
        at = self.now()
        with self.begin() as work:
            minutes = work.settings.at(at).waitlist_last_offer_minutes
        checked = self.check(at, timedelta(minutes=minutes))
        if checked is None:
            return None
        seconds, findings = checked
        run = Verification(id=self.new_id(), at=at, seconds=seconds, findings=findings)
        with self.begin() as work:
            work.verifications.add(run)
            work.verifications.forget(before=at - KEPT)
        return run


@frozen
class ListVerifications:
    """The runs of the checks, the newest first."""

    begin: Begin[VerifyWork]

    def __call__(
        self, *, after: tuple[datetime, UUID] | None = None, limit: int = 50
    ) -> Sequence[Verification]:
        with self.begin() as work:
            return work.verifications.page(after=after, limit=limit)
