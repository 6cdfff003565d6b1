"""
Rows of a search as cards.

A page has two dozen of them, each with four objects: they are made by position, without
a dictionary for each or a look at every value's type.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from psycopg import Cursor

from nexus.application.catalogue.views import ActivityCard, NextSession, VenueSummary
from nexus.domain.catalogue.activities import Category, Tag
from nexus.domain.catalogue.places import DRIVE, Place
from nexus.domain.kernel.ids import VenueId

_CATEGORIES: Final = {str(each): each for each in Category}
_TAGS: Final = {str(each): each for each in Tag}


def as_card(_cursor: Cursor[Any]) -> Callable[[Sequence[Any]], ActivityCard]:
    """A psycopg row factory for what the statements of `searching` return."""
    return _card


def _card(row: Sequence[Any]) -> ActivityCard:
    distance = row[10]
    return ActivityCard(
        id=row[0],
        name=row[1],
        category=_CATEGORIES[row[2]],
        short_description=row[3],
        min_age=row[4],
        max_age=row[5],
        duration_minutes=row[6],
        tags=tuple(_TAGS[tag] for tag in row[7]),
        average_rating=row[8],
        total_reviews=row[9],
        distance_km=distance,
        drive_minutes=None if distance is None else DRIVE.minutes(distance),
        next_session=NextSession(
            id=row[11],
            session_date=row[12],
            start_time=row[13],
            end_time=row[14],
            time_zone=row[15],
            starts_at=row[16],
            ends_at=row[17],
            credits_required=row[18],
            free_seats=row[19],
        ),
        sort_key=row[20],
        venue=_venue(*row[21:]),
    )


# By its whole row: a place is judged when it is made, and the same venues are on many pages.
@lru_cache(maxsize=4096)
def _venue(*columns: Any) -> VenueSummary:
    (
        id_,
        name,
        is_premium,
        requires_confirmation,
        line,
        city,
        state,
        postal_code,
        country,
        latitude,
        longitude,
    ) = columns
    return VenueSummary(
        id=VenueId(id_),
        name=name,
        place=Place(
            address_line1=line,
            city=city,
            state=state,
            postal_code=postal_code,
            country=country,
            latitude=latitude,
            longitude=longitude,
        ),
        is_premium=is_premium,
        requires_confirmation=requires_confirmation,
    )
