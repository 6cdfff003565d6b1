"""What a drill found: counted from what clients were told and what the database holds, by nobody else's word."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from attrs import define, field, frozen


@frozen(kw_only=True)
class Answered:
    """A command that a client was given an answer to, in the end."""

    name: str
    """What its effect is found by."""
    status: int
    body: bytes = b""

    @property
    def is_done(self) -> bool:
        return 200 <= self.status < 300


@frozen(kw_only=True)
class Tally:
    """Acknowledged commands beside their effects."""

    acknowledged: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]


def tally(answers: Iterable[Answered], effects: Mapping[str, int]) -> Tally:
    """
    Which commands were acknowledged without an effect, and which had more than one.

    A command that was never acknowledged may have had its effect or not; twice it may not.
    """
    done = {each.name for each in answers if each.is_done}
    return Tally(
        acknowledged=len(done),
        lost=tuple(sorted(name for name in done if not effects.get(name))),
        doubled=tuple(sorted(name for name, many in effects.items() if many > 1)),
    )


def differing(first: Iterable[Answered], again: Iterable[Answered]) -> tuple[str, ...]:
    """Commands whose replay was answered otherwise than the command itself, byte for byte."""
    known = {each.name: (each.status, each.body) for each in first}
    return tuple(sorted(each.name for each in again if known[each.name] != (each.status, each.body)))


def recoveries(faults: Sequence[float], served: Sequence[float]) -> tuple[float, ...]:
    """
    Seconds from each fault to the first request that began after it and was answered.

    *served* are the beginnings and ends of such requests, flattened by `spans`; a fault
    that came before the former one was recovered from counts from itself all the same.
    """
    spans = sorted(zip(served[::2], served[1::2], strict=True), key=lambda span: span[1])
    found = []
    for fault in faults:
        ends = [end for begun, end in spans if begun > fault]
        if ends:
            found.append(min(ends) - fault)
    return tuple(found)


def repeated(names: Iterable[str]) -> tuple[str, ...]:
    """Those that occur more than once."""
    return tuple(sorted(name for name, many in Counter(names).items() if many > 1))


@define(kw_only=True)
class Outcome:
    """What came of a drill."""

    kills: int = 0
    drops: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    recoveries: Sequence[float] = ()
    broken: list[str] = field(factory=list)
    """Promises that were not kept, in words."""
    notes: list[str] = field(factory=list)
    """Figures beside those of the table."""
    skipped: str = ""
    """Why it could not be done here."""

    def count(self, found: Tally) -> None:
        self.acknowledged += found.acknowledged
        self.lost += len(found.lost)
        self.doubled += len(found.doubled)

    def expect(self, kept: bool, promise: str) -> None:
        """Note a promise that was not kept."""
        if not kept:
            self.broken.append(promise)

    @property
    def median(self) -> float | None:
        return median(self.recoveries) if self.recoveries else None

    @property
    def maximum(self) -> float | None:
        return max(self.recoveries, default=None)

    @property
    def holds(self) -> bool:
        """Whether everything was kept; of a drill that was skipped, nothing is known."""
        return not self.skipped and not self.lost and not self.doubled and not self.broken
