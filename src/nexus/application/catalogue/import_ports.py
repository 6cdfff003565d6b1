"""What the import of a catalogue asks of the world."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from attrs import field, frozen

from nexus.application.kernel.audit import AuditWork
from nexus.domain.catalogue.activities import Activity
from nexus.domain.catalogue.schedules import Schedule
from nexus.domain.catalogue.sessions import PlannedSession
from nexus.domain.catalogue.venues import Venue
from nexus.domain.kernel.ids import ActivityId, VenueId


@frozen
class SourceRow:
    """A row as it stands in the file, its cells by our names; or what is wrong with it."""

    number: int
    cells: Mapping[str, str] = field(factory=dict)
    fault: str | None = None


@frozen
class Columns:
    """How a file's columns differ from those that were looked for."""

    missing: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """By our name of it: the columns of theirs that the file does not have."""
    unused: tuple[str, ...] = ()
    """Columns of the file that nothing is taken from."""


class Source(Protocol):
    """A catalogue that can be read from its beginning any number of times."""

    def rows(self) -> Iterator[SourceRow]: ...

    def columns(self) -> Columns: ...


@frozen
class KnownVenue:
    """A venue of an earlier import, with the terms that its sessions follow."""

    id: VenueId
    external_ref: str
    block_booking_advance_days: int
    inventory_release_hours: int


@frozen
class KnownProgramme:
    """An activity of an earlier import, and what its row said."""

    id: ActivityId
    external_ref: str
    venue: VenueId
    fingerprint: bytes


@frozen(kw_only=True)
class Entry:
    """What one row became: an activity, with a schedule or a single session (``None`` once it is over)."""

    activity: Activity
    fingerprint: bytes
    schedule: Schedule | None = None
    session: PlannedSession | None = None


class Imports(Protocol):
    """Venues, activities, schedules and sessions that came from files, by their ids there."""

    def lock(self, source: str) -> None:
        """Wait until no other import of that source is under way; until the transaction ends."""
        ...

    def venues(self, refs: Sequence[str]) -> tuple[KnownVenue, ...]: ...

    def programmes(self, refs: Sequence[str]) -> tuple[KnownProgramme, ...]: ...

    def clear(self, activities: Sequence[ActivityId], *, at: datetime) -> None:
        """Take back what an earlier import planned for them and nobody has booked or waits for."""
        ...

    def retire(self, activities: Sequence[ActivityId]) -> None:
        """Stop offering them, and give their ids in the file free: they moved to another venue."""
        ...

    def put(self, venues: Sequence[Venue], entries: Sequence[Entry], *, at: datetime) -> None:
        """
        Add what is new and bring up to date what is known by its id in the file.

        A session that exists already stands as it is.
        """
        ...


class ImportWork(AuditWork, Protocol):
    """The work of an import."""

    @property
    def imports(self) -> Imports: ...
