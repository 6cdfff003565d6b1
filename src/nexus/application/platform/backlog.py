"""What waits, as the database knows it: the same from whichever process one looks."""

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen


@frozen(kw_only=True)
class LastVerification:
    """When the data was last checked, for how long, and how many rows broke each promise."""

    at: datetime
    seconds: float
    findings: Mapping[str, int]


@frozen(kw_only=True)
class Backlog:
    """What waits, and since when, at an instant."""

    at: datetime
    unhandled: int
    oldest_unhandled: datetime | None
    parked: int
    open_offers: int
    offer_ends: datetime | None
    answer_due: datetime | None
    release_due: datetime | None
    """When the first open offer ends, the first pending booking lapses, the first seats go back: past, if unswept."""
    jobs: Mapping[str, datetime]
    """The time for which each job was last handed over."""
    verified: LastVerification | None

    def late(self, due: datetime | None) -> float:
        """Seconds since something was due; 0 when it is not yet."""
        return 0.0 if due is None else max(0.0, (self.at - due).total_seconds())
