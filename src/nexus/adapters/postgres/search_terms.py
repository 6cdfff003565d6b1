"""A family's search as the parameters of a statement."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from nexus.application.catalogue.search import ChildInBrowse, Search
from nexus.domain.catalogue.places import DRIVE

_NEVER_BEFORE: Final = datetime(1900, 1, 1, tzinfo=UTC)
_NEVER_AFTER: Final = datetime(9000, 1, 1, tzinfo=UTC)
_AROUND_THE_WORLD: Final = timedelta(days=1)
"""No local date begins or ends further than that from the same date in UTC."""


def conditions(search: Search, child: ChildInBrowse | None) -> dict[str, Any]:
    """The search as parameters."""
    near = search.near
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
        "reach_km": search.within_minutes and DRIVE.reach_km(search.within_minutes),
        "q": search.q,
        "part": None if search.q is None else f"%{_literally(search.q.strip())}%",
        "earliest": earliest,
        "latest": latest,
        "first_day": first_day,
        "last_day": last_day,
        "time_of_day": _text(search.time_of_day),
        "max_credits": search.max_credits,
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


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _literally(text: str) -> str:
    """A text in which LIKE sees no wildcards."""
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
