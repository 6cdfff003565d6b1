"""Every change of every clock from 2026 to 2028, against an oracle that only knows how to go from UTC to local."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from nexus.domain.catalogue.sessions import session_times
from nexus.domain.kernel.time import NonexistentLocalTime
from tests.drills.drill import Drill
from tests.drills.judging import Outcome
from tests.drills.town import Ground

FIRST: Final = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL: Final = datetime(2029, 1, 1, tzinfo=UTC)
AROUND: Final = (
    -180,
    -120,
    -90,
    -61,
    -60,
    -59,
    -45,
    -30,
    -15,
    -1,
    0,
    1,
    15,
    30,
    45,
    59,
    60,
    61,
    90,
    120,
    180,
)
"""Minutes from a change at which sessions begin."""
LENGTHS: Final = (30, 60, 90, 180)
"""Minutes by the clock on the wall."""

Times = tuple[datetime, datetime] | None
"""Start and end; None: the clocks skip one of them."""


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    """How far the zone's clocks are ahead of UTC, by the way from UTC to local only."""
    return moment.astimezone(zone).replace(tzinfo=None) - moment.replace(tzinfo=None)


def transitions(zone: ZoneInfo) -> Iterator[datetime]:
    """The instants at which its clocks change, to the second."""
    day = FIRST
    while day < UNTIL:
        following = day + timedelta(days=1)
        before = _offset(day, zone)
        if _offset(following, zone) != before:
            low, high = day, following
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
                low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
            yield high
        day = following


def oracle(local: datetime, zone: ZoneInfo, offsets: frozenset[timedelta]) -> datetime | None:
    """The earliest instant at which its clocks show this; None when they skip it."""
    shown = [
        moment
        for offset in offsets
        if _offset(moment := (local - offset).replace(tzinfo=UTC), zone) == offset
    ]
    return min(shown, default=None)


def _by_oracle(start: datetime, end: datetime, zone: ZoneInfo, offsets: frozenset[timedelta]) -> Times:
    begins, ends = oracle(start, zone, offsets), oracle(end, zone, offsets)
    if begins is None or ends is None:
        return None
    return begins, ends


def _by_domain(start: datetime, end: datetime, name: str) -> Times:
    try:
        return session_times(start.date(), start.time(), end.time(), name)
    except NonexistentLocalTime:
        return None


def _by_wall_clock(start: datetime, end: datetime, name: str) -> Times:
    """What somebody does who takes the offset at the day's begin and adds hours to it."""
    midnight = datetime.combine(start.date(), time(0), ZoneInfo(name))
    begins = (start - (midnight.utcoffset() or timedelta())).replace(tzinfo=UTC)
    return begins, begins + (end - start)


def change_clocks(ground: Ground, without: str) -> Outcome:
    """Sessions around each change, in every zone there is."""
    out = Outcome()
    changes, zones, skipped = 0, 0, 0
    differing: set[str] = set()
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        moments = list(transitions(zone))
        zones += bool(moments)
        for moment in moments:
            changes += 1
            offsets = frozenset(_offset(moment + timedelta(hours=h), zone) for h in (-30, -1, 0, 1, 30))
            for around in {moment - timedelta(seconds=1), moment}:
                shown = around.astimezone(zone).replace(tzinfo=None, second=0)
                for minutes in AROUND:
                    start = shown + timedelta(minutes=minutes)
                    for length in LENGTHS:
                        end = start + timedelta(minutes=length)
                        expected = _by_oracle(start, end, zone, offsets)
                        found = (_by_wall_clock if without else _by_domain)(start, end, name)
                        out.acknowledged += 1
                        skipped += expected is None
                        if found != expected:
                            differing.add(f"{name} {start} {length} min: {found} instead of {expected}")
                            out.lost += 1
    out.notes.append(
        f"{changes} changes in {zones} of {len(available_timezones())} zones, 2026 to 2028; "
        f"{out.acknowledged:,} sessions compared, {skipped:,} at times that the clocks skip"
    )
    out.notes += sorted(differing)[:3]
    out.expect(changes > 1000 and skipped > 1000, "there are changes to speak of")
    return out


DRILLS: Final = (Drill("clocks-change", "conversion-to-utc", change_clocks),)
