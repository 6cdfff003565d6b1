"""
Instants, local times and ages.

An instant is an aware datetime in UTC. Local wall-clock times become instants
here and nowhere else: PostgreSQL resolves an ambiguous time the other way.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from attrs import frozen

from nexus.domain.kernel.errors import Invalid


@frozen
class UnknownTimeZone(Invalid):
    """There is no such IANA time zone."""

    time_zone: str


@frozen
class NonexistentLocalTime(Invalid):
    """The clocks skip this local time on that day."""

    local: datetime
    time_zone: str


class TimeOfDay(StrEnum):
    """Morning ends at 12:00 local time, afternoon at 17:00."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"

    @classmethod
    def of(cls, start: time) -> "TimeOfDay":
        if start < time(12):
            return cls.MORNING
        return cls.AFTERNOON if start < time(17) else cls.EVENING


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(name: str) -> ZoneInfo:
    """
    The IANA time zone of that name.

    Raises:
        UnknownTimeZone: It is not in the IANA database.
    """
    if name not in _known_zones():
        raise UnknownTimeZone(name)
    return ZoneInfo(name)


def instant(day: date, at: time, time_zone: str) -> datetime:
    """
    The instant at which a local clock shows *at* on *day*.

    An ambiguous time (clocks set back) means the earlier instant.

    Raises:
        NonexistentLocalTime: The clocks jump over it (clocks set forward).
        UnknownTimeZone: The zone is not in the IANA database.
    """
    local = datetime.combine(day, at.replace(tzinfo=None, fold=0), zone(time_zone))
    moment = local.astimezone(UTC)
    if moment.astimezone(zone(time_zone)).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise NonexistentLocalTime(local.replace(tzinfo=None), time_zone)
    return moment


def start_of_day(day: date, time_zone: str) -> datetime:
    """
    The instant at which a local day begins.

    Where the clocks skip midnight it is the moment of the jump: fold 0 reads the
    skipped time with the offset that was in force before.
    """
    return datetime.combine(day, time(0), zone(time_zone)).astimezone(UTC)


def local_date(at: datetime, time_zone: str) -> date:
    """The date that a local calendar shows at an instant."""
    return at.astimezone(zone(time_zone)).date()


def elapsed(start: datetime, end: datetime) -> timedelta:
    """How much time passes between two instants, whatever their zones' clocks show."""
    return end.astimezone(UTC) - start.astimezone(UTC)


def age_on(day: date, born: date) -> int:
    """Whole years on *day*; who is born on 29 February turns a year older on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def days(first: date, until: date) -> Iterator[date]:
    """Each day from *first* up to, not including, *until*."""
    for offset in range((until - first).days):
        yield first + timedelta(days=offset)
