"""A family's search as the parameters of a statement."""

from datetime import UTC, date, datetime, time, timedelta
from math import pi, sin
from typing import Any, Final
from uuid import UUID

from nexus.application.catalogue.search import After, ChildInBrowse, Search, Sort
from nexus.domain.catalogue.places import DRIVE, EARTH_DIAMETER_KM
from nexus.domain.kernel.time import TimeOfDay

_NEVER_BEFORE: Final = datetime(1900, 1, 1, tzinfo=UTC)
_NEVER_AFTER: Final = datetime(9000, 1, 1, tzinfo=UTC)
_AROUND_THE_WORLD: Final = timedelta(days=1)
"""No local date begins or ends further than that from the same date in UTC."""


_DAY: Final = timedelta(days=1)
_ANY_PRICE: Final = 2**31 - 1
_NOBODY: Final = UUID(int=0)
_BEFORE_ALL: Final[dict[Sort, Any]] = {
    Sort.SOONEST: _NEVER_BEFORE,
    Sort.NEAREST: -1.0,
    Sort.CHEAPEST: -1,
    Sort.RATING: -1000.0,
    Sort.NAME: "",
}


def first_page(sort: Sort) -> After:
    """A key in front of all others, so that every page is asked for in the same way."""
    return _BEFORE_ALL[sort], _NOBODY


def moment(at: datetime, last_offer_minutes: int) -> dict[str, Any]:
    """A session that starts before ``last_offer`` makes no more offers."""
    return {"at": at, "last_offer": at + timedelta(minutes=last_offer_minutes)}


def conditions(search: Search, child: ChildInBrowse | None, *, at: datetime) -> dict[str, Any]:
    """
    The search as parameters.

    Venues insured until ``surely`` or later are insured today, wherever they are.
    """
    near = search.near
    reach = search.within_minutes and DRIVE.reach_km(search.within_minutes)
    earliest, first_day = bound(search.starts_from, _NEVER_BEFORE, -_AROUND_THE_WORLD)
    latest, last_day = bound(search.starts_until, _NEVER_AFTER, 2 * _AROUND_THE_WORLD)
    return {
        "categories": sorted(map(str, search.categories)) or None,
        "age": search.age,
        "born": child and child.date_of_birth,
        "avoid": sorted(child.activities_to_avoid) if child and child.activities_to_avoid else None,
        "wanted": sorted(map(str, search.tags.wanted)),
        "unwanted": sorted(map(str, search.tags.unwanted)),
        "latitude": near and near.latitude,
        "longitude": near and near.longitude,
        "reach_km": reach,
        "reach_through": reach and _through_the_earth(reach),
        "q": search.q,
        "part": None if search.q is None else f"%{_literally(search.q.strip())}%",
        "earliest": earliest,
        "latest": latest,
        "first_day": first_day,
        "last_day": last_day,
        "times_of_day": list(map(str, TimeOfDay if search.time_of_day is None else [search.time_of_day])),
        "max_credits": _ANY_PRICE if search.max_credits is None else search.max_credits,
        "surely": (at.astimezone(UTC) + _DAY).date(),
        "available": search.available,
    }


def bound(
    stated: date | datetime | None, otherwise: datetime, margin: timedelta
) -> tuple[datetime, date | None]:
    """An instant for the index to start or stop at, and the local date where one was meant."""
    if stated is None:
        return otherwise, None
    if isinstance(stated, datetime):
        return stated, None
    if not _NEVER_BEFORE.date() < stated < _NEVER_AFTER.date():
        return otherwise, stated
    return datetime.combine(stated, time(0), UTC) + margin, stated


def _through_the_earth(km: float) -> float:
    """The straight line between places so far apart, in radii of the earth; rather a little longer."""
    return 2 * sin(min(km / EARTH_DIAMETER_KM, pi / 2)) + 1e-9


def _literally(text: str) -> str:
    """A text in which LIKE sees no wildcards."""
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
