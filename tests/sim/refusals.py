"""A refusal must be true: each kind is checked against what the judge knows."""

from collections.abc import Callable
from typing import Any, Final

from nexus.domain.booking.bookings import BookingStatus
from nexus.domain.booking.waitlist import EntryStatus
from nexus.domain.kernel.errors import Refusal
from tests.sim.books import broken, must
from tests.sim.steps import HOUR, RACES, Step

IMPOSSIBLE: Final = {"TooMuchContention", "VersionMismatch", "NoSuchThing", "InvalidValue", "ChildNamedTwice"}


def must_be_legitimate(judge: Any, step: Step, refusal: Refusal) -> None:
    """
    Raises:
        Broken: What the refusal says is not so.
    """
    name = type(refusal).__name__
    if step.verb == "intrude":
        must(name == "NoSuchThing", "I17", f"a stranger's place answered {name}")
        return
    if name in IMPOSSIBLE:
        broken("I11", f"{step.verb} was refused with {name}: {refusal}")
    check = CHECKS.get(name)
    if check is None or step.verb in RACES:  # a race may be decided on what was true a moment ago
        return
    if not check(judge, step, refusal):
        broken("I11", f"{step.verb} was refused, and it is not true: {refusal}")


def _session(judge: Any, step: Step) -> Any:
    number = step.args[0] if step.verb in {"change", "call_off"} else step.args[1]
    return judge.world.sessions[judge.village.sessions[number]]


def _booking(judge: Any, step: Step) -> Any:
    home = judge.village.households[step.args[0]]
    key = judge.village.sessions[step.args[1]], home.children[step.args[2]]
    return judge.world.bookings[judge.books.latest[key]].booking


def _entry(judge: Any, step: Step) -> Any:
    home = judge.village.households[step.args[0]]
    key = judge.village.sessions[step.args[1]], home.children[step.args[2]]
    return judge.world.queue[judge.books.entries[key]].entry


def _is_settled(judge: Any, session: Any, step: Step) -> bool:
    """Whether nothing is overdue that would change the line before the step is decided."""
    lapsed = any(
        entry.offer_expires_at is not None and entry.offer_expires_at <= step.at
        for where, entry in judge.books.line.values()
        if where == session.id
    )
    due = session.releases_at is not None and session.releases_at <= step.at and session.released_at is None
    return not lapsed and not due


def _too_poor(judge: Any, step: Step, refusal: Any) -> bool:
    family = step.args[0]
    parent = judge.village.households[family].parent
    mine = [b.available for b in judge.world.balances.values() if b.user == parent and b.is_open(step.at)]
    has = mine[0] if mine else 0
    if step.verb == "adjust":
        return bool(has + step.args[1] < 0)
    children = _entry(judge, step).children if step.verb == "accept" else step.args[2]
    return bool(has < _session(judge, step).credits_required * len(children))


def _full(judge: Any, step: Step, refusal: Any) -> bool:
    session = _session(judge, step)
    if not _is_settled(judge, session, step):
        return True
    crowd = session.waiting_count > 0 and session.starts_at - step.at >= HOUR
    free = session.seats - session.booked_count - session.held_count
    return bool(crowd or free < len(step.args[2]))


def _has_seats(judge: Any, step: Step, refusal: Any) -> bool:
    session = _session(judge, step)
    if not _is_settled(judge, session, step):
        return True
    nobody = session.waiting_count == 0 or session.starts_at - step.at < HOUR
    return bool(nobody and session.seats - session.booked_count - session.held_count >= len(step.args[2]))


def _started(judge: Any, step: Step, refusal: Any) -> bool:
    return bool(step.at >= _session(judge, step).starts_at)


def _expired(judge: Any, step: Step, refusal: Any) -> bool:
    expires = _entry(judge, step).offer_expires_at
    return bool(expires is not None and step.at >= expires)


def _waits(judge: Any, step: Step, refusal: Any) -> bool:
    return _entry(judge, step).status is EntryStatus.WAITING


def _left(judge: Any, step: Step, refusal: Any) -> bool:
    return not _entry(judge, step).status.is_active


def _over(judge: Any, step: Step, refusal: Any) -> bool:
    return not _booking(judge, step).status.is_active


def _late(judge: Any, step: Step, refusal: Any) -> bool:
    return bool(step.at >= _booking(judge, step).starts_at)


def _lapsed(judge: Any, step: Step, refusal: Any) -> bool:
    return bool(step.at >= _booking(judge, step).confirm_by)


def _not_pending(judge: Any, step: Step, refusal: Any) -> bool:
    return _booking(judge, step).status is not BookingStatus.PENDING


def _pending(judge: Any, step: Step, refusal: Any) -> bool:
    return _booking(judge, step).status is BookingStatus.PENDING


def _outside(judge: Any, step: Step, refusal: Any) -> bool:
    booking = _booking(judge, step)
    return not booking.starts_at <= step.at < booking.ends_at + 24 * HOUR


def _no_consent(judge: Any, step: Step, refusal: Any) -> bool:
    return "activity_booking" not in judge.world.children[refusal.child].consents


def _booked(judge: Any, step: Step, refusal: Any) -> bool:
    there = judge.books.active.get(refusal.booking)
    return there is not None and there.child == refusal.child


def _in_line(judge: Any, step: Step, refusal: Any) -> bool:
    return refusal.child in judge.world.queue[refusal.entry].entry.children


def _too_large(judge: Any, step: Step, refusal: Any) -> bool:
    session = _session(judge, step)
    return not _is_settled(judge, session, step) or len(step.args[2]) > session.seats


def _cancelled(judge: Any, step: Step, refusal: Any) -> bool:
    return bool(_session(judge, step).status != "scheduled")


def _not_open(judge: Any, step: Step, refusal: Any) -> bool:
    opens_at = _session(judge, step).opens_at
    return bool(opens_at is not None and step.at < opens_at)


def _taken(judge: Any, step: Step, refusal: Any) -> bool:
    session = _session(judge, step)
    return bool(refusal.requested < session.booked_count + session.held_count)


CHECKS: Final[dict[str, Callable[[Any, Step, Any], bool]]] = {
    "AlreadyBooked": _booked,
    "AlreadyWaiting": _in_line,
    "BookingEnded": _over,
    "BookingNotOpen": _not_open,
    "CancellationTooLate": _late,
    "CapacityBelowTaken": _taken,
    "ConfirmationLapsed": _lapsed,
    "ConsentMissing": _no_consent,
    "EntryEnded": _left,
    "GroupTooLarge": _too_large,
    "InsufficientCredits": _too_poor,
    "NoOffer": _waits,
    "NotPending": _not_pending,
    "NotYetConfirmed": _pending,
    "OfferExpired": _expired,
    "OutsideMarkingPeriod": _outside,
    "OverlappingBooking": _booked,
    "SeatsAvailable": _has_seats,
    "SessionCancelled": _cancelled,
    "SessionFull": _full,
    "SessionStarted": _started,
}
