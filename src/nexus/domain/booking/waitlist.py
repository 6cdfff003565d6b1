"""
The queue for a full session: first come, first served, one freed seat at a time.

A :class:`Line` is a session's seats together with everybody who waits for them.
All its rules meet in :meth:`Line.settled`, which brings the line to where it must
be at an instant: unsold seats returned, lapsed offers ended, free seats offered.
Every change of a line ends with it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from attrs import evolve, field, frozen, validators

from nexus.domain.booking.sessions import Seats, SessionCancelled, SessionStarted, SessionStatus
from nexus.domain.kernel.errors import Conflict
from nexus.domain.kernel.ids import ChildId, EntryId, SessionId, UserId

PATIENCE: Final = 3
"""How many offers may go to families behind a group that does not fit yet; then seats are kept for it."""


class EntryStatus(StrEnum):
    """Where a family's entry in the line is."""

    WAITING = "waiting"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    LEFT = "left"
    CLOSED = "closed"

    @property
    def is_active(self) -> bool:
        return self in (EntryStatus.WAITING, EntryStatus.OFFERED)


class ClosedReason(StrEnum):
    """Why an entry ended without the family's doing."""

    SESSION_CANCELLED = "session_cancelled"
    SESSION_STARTED = "session_started"
    TOO_FEW_SEATS = "too_few_seats"
    CHILD_UNAVAILABLE = "child_unavailable"


@frozen
class SeatsAvailable(Conflict):
    """There are free seats: book them instead of waiting."""

    free: int


@frozen
class AlreadyWaiting(Conflict):
    """The child is in this line already."""

    child: ChildId
    entry: EntryId


@frozen
class GroupTooLarge(Conflict):
    """The session will never have so many seats to sell."""

    seats: int
    sellable: int


@frozen
class EntryEnded(Conflict):
    """The entry has left the line."""

    entry: EntryId
    entry_status: EntryStatus


@frozen
class NoOffer(Conflict):
    """There is no offer to answer yet."""

    entry: EntryId
    position: int


@frozen
class OfferExpired(Conflict):
    """The offer has expired."""

    entry: EntryId
    expired_at: datetime


@frozen(kw_only=True)
class OfferPolicy:
    """
    How long an offer stands, and how close to the start the last one is made.

    Once less than *last_offer* remains, free seats are open to all.
    """

    lifetime: timedelta = field(default=timedelta(hours=4), validator=validators.gt(timedelta(0)))
    last_offer: timedelta = field(default=timedelta(hours=1), validator=validators.ge(timedelta(0)))


@frozen(kw_only=True)
class Entry:
    """
    A family in line for ``seats`` places, one for each of ``children``.

    ``number`` orders the line; ``overtaken`` counts the offers that went to
    families behind because this one's group did not fit.
    """

    id: EntryId
    parent: UserId
    children: tuple[ChildId, ...]
    number: int
    joined_at: datetime
    status: EntryStatus = EntryStatus.WAITING
    overtaken: int = 0
    offered_at: datetime | None = None
    offer_expires_at: datetime | None = None
    ended_at: datetime | None = None
    closed_reason: ClosedReason | None = None

    @property
    def seats(self) -> int:
        return len(self.children)

    def offered(self, *, at: datetime, until: datetime) -> "Entry":
        return evolve(self, status=EntryStatus.OFFERED, offered_at=at, offer_expires_at=until)

    def ended(self, status: EntryStatus, *, at: datetime, reason: ClosedReason | None = None) -> "Entry":
        return evolve(self, status=status, ended_at=at, closed_reason=reason)


@frozen(kw_only=True)
class Line:
    """
    A session's seats and the families who wait for them.

    ``entries`` are the active ones, first in line first; those that ended in
    this very change are kept beside them in ``gone``, to be stored and told.
    """

    session: SessionId
    status: SessionStatus
    starts_at: datetime
    seats: Seats
    releases_at: datetime | None
    released_at: datetime | None
    last_number: int
    entries: tuple[Entry, ...]
    gone: tuple[Entry, ...] = ()

    @property
    def waiting(self) -> int:
        """Entries without an offer."""
        return sum(entry.status is EntryStatus.WAITING for entry in self.entries)

    def position(self, entry: EntryId) -> int:
        """1 for the first in line."""
        return 1 + [each.id for each in self.entries].index(entry)

    def find(self, entry: EntryId) -> Entry:
        """
        The active entry of that id.

        Raises:
            KeyError: It is not in line.
        """
        for each in self.entries:
            if each.id == entry:
                return each
        raise KeyError(entry)

    def with_entries(self, entries: Iterable[Entry]) -> "Line":
        """The same session with these families in line."""
        return evolve(self, entries=tuple(entries))

    def joined(self, entry: Entry, *, at: datetime, policy: OfferPolicy) -> "Line":
        """
        Wait at the end of the line.

        Raises:
            SessionCancelled: It is not going to happen.
            SessionStarted: It is too late.
            AlreadyWaiting: One of the children is in line already.
            GroupTooLarge: The group could never fit.
            SeatsAvailable: Nobody needs to wait.
        """
        if self.status is SessionStatus.CANCELLED:
            raise SessionCancelled
        if at >= self.starts_at:
            raise SessionStarted(self.starts_at)
        for other in self.entries:
            for child in other.children:
                if child in entry.children:
                    raise AlreadyWaiting(child, other.id)
        if entry.seats > self.seats.sellable:
            raise GroupTooLarge(entry.seats, self.seats.sellable)
        open_to_all = not self.waiting or self.starts_at - at < policy.last_offer
        if open_to_all and self.seats.free >= entry.seats:
            raise SeatsAvailable(self.seats.free)
        number = self.last_number + 1
        return evolve(self, last_number=number, entries=(*self.entries, evolve(entry, number=number)))

    def accepted(self, entry: EntryId, *, at: datetime) -> "Line":
        """
        Take the offer: the seats are no longer held, the booking must take them at once.

        Raises:
            NoOffer: It is not this family's turn yet.
            OfferExpired: At or after the offer's end, however late anybody notices.
        """
        return self._answered(entry, EntryStatus.ACCEPTED, at=at)

    def declined(self, entry: EntryId, *, at: datetime) -> "Line":
        """
        Let the offer go to the next in line.

        Raises:
            NoOffer: It is not this family's turn yet.
            OfferExpired: It has gone already.
        """
        return self._answered(entry, EntryStatus.DECLINED, at=at)

    def _answered(self, entry: EntryId, answer: EntryStatus, *, at: datetime) -> "Line":
        offered = self.find(entry)
        if offered.offer_expires_at is None:
            raise NoOffer(entry, self.position(entry))
        if at >= offered.offer_expires_at:
            raise OfferExpired(entry, offered.offer_expires_at)
        return self._without(offered.ended(answer, at=at))

    def left(self, entry: EntryId, *, at: datetime) -> "Line":
        """Stop waiting; an offer that stands is given up with it."""
        return self._without(self.find(entry).ended(EntryStatus.LEFT, at=at))

    def closed_for(self, child: ChildId, *, at: datetime) -> "Line":
        """Nobody waits for this child any more; the whole group's entry ends."""
        line = self
        for entry in self.entries:
            if child in entry.children:
                line = line._without(
                    entry.ended(EntryStatus.CLOSED, at=at, reason=ClosedReason.CHILD_UNAVAILABLE)
                )
        return line

    def confirmed(self) -> "Line":
        """The venue accepted a pending booking: its held seat is a booked one."""
        seats = evolve(self.seats, booked=self.seats.booked + 1, held=self.seats.held - 1)
        return evolve(self, seats=seats)

    def rescheduled(self, *, starts_at: datetime, releases_at: datetime | None) -> "Line":
        """The session takes place at another time; offers end when it starts, at the latest."""
        entries = tuple(
            entry
            if entry.offer_expires_at is None
            else evolve(entry, offer_expires_at=min(entry.offer_expires_at, starts_at))
            for entry in self.entries
        )
        return evolve(self, starts_at=starts_at, releases_at=releases_at, entries=entries)

    def released(self, *, at: datetime) -> "Line":
        """
        The line after unsold seats have returned to the venue, if that is due.

        What was held when the release was due stays Nexus's to sell, even if it is
        given up before anybody has noticed: this comes before the change that gives it up.
        """
        if self.status is SessionStatus.CANCELLED or at >= self.starts_at:
            return self
        return self._after_release(at=at)

    def settled(self, *, at: datetime, policy: OfferPolicy) -> "Line":
        """The line as it must be at this instant, whoever was late to notice."""
        if self.status is SessionStatus.CANCELLED:
            return self._closed(self.entries, ClosedReason.SESSION_CANCELLED, at=at)
        if at >= self.starts_at:
            return self._closed(self.entries, ClosedReason.SESSION_STARTED, at=at)
        line = self._after_release(at=at)._after_lapses(at=at)._after_misfits(at=at)
        return line._after_offers(at=at, policy=policy)

    def _after_release(self, *, at: datetime) -> "Line":
        """Before anything else: a seat that is held at the release stays Nexus's to sell."""
        if self.released_at is not None or self.releases_at is None or at < self.releases_at:
            return self
        return evolve(self, seats=self.seats.released(), released_at=at)

    def _after_lapses(self, *, at: datetime) -> "Line":
        line = self
        for entry in self.entries:
            if entry.offer_expires_at is not None and at >= entry.offer_expires_at:
                line = line._without(entry.ended(EntryStatus.EXPIRED, at=at))
        return line

    def _after_misfits(self, *, at: datetime) -> "Line":
        """A group for which there will never be enough seats would keep them from everybody else."""
        misfits = [entry for entry in self.entries if entry.seats > self.seats.sellable]
        return self._closed(misfits, ClosedReason.TOO_FEW_SEATS, at=at)

    def _after_offers(self, *, at: datetime, policy: OfferPolicy) -> "Line":
        """Offer free seats in the order of the line, past a group that does not fit at most PATIENCE times."""
        if self.starts_at - at < policy.last_offer or not self.waiting:
            return self
        until = min(at + policy.lifetime, self.starts_at)
        free, held = self.seats.free, self.seats.held
        entries: list[Entry] = []
        for entry in self.entries:
            too_big = [i for i, ahead in enumerate(entries) if ahead.status is EntryStatus.WAITING]
            if any(entries[i].overtaken >= PATIENCE for i in too_big):
                free = 0  # whatever is free is kept for the group ahead
            if entry.status is EntryStatus.WAITING and entry.seats <= free:
                for i in too_big:
                    entries[i] = evolve(entries[i], overtaken=entries[i].overtaken + 1)
                free, held = free - entry.seats, held + entry.seats
                entries.append(entry.offered(at=at, until=until))
            else:
                entries.append(entry)
        return evolve(self, entries=tuple(entries), seats=evolve(self.seats, held=held))

    def _closed(self, entries: Iterable[Entry], reason: ClosedReason, *, at: datetime) -> "Line":
        line = self
        for entry in entries:
            line = line._without(entry.ended(EntryStatus.CLOSED, at=at, reason=reason))
        return line

    def _without(self, ended: Entry) -> "Line":
        """The entry has ended; seats that an offer held for it are free again."""
        before = self.find(ended.id)
        held = self.seats.held - (before.seats if before.status is EntryStatus.OFFERED else 0)
        return evolve(
            self,
            seats=evolve(self.seats, held=held),
            entries=tuple(entry for entry in self.entries if entry.id != ended.id),
            gone=(*self.gone, ended),
        )
