"""Where venues are, and how long the way there takes."""

from math import asin, ceil, cos, radians, sin, sqrt
from typing import Final

from attrs import field, frozen

from nexus.domain.catalogue.values import between, text

EARTH_DIAMETER_KM: Final = 12742.0


@frozen
class Position:
    """A point on earth, in degrees."""

    latitude: float = field(validator=between(-90, 90))
    longitude: float = field(validator=between(-180, 180))

    def distance_km(self, other: "Position") -> float:
        """The great-circle distance (haversine, mean radius 6371 km)."""
        across = sin(radians(other.latitude - self.latitude) / 2) ** 2
        along = sin(radians(other.longitude - self.longitude) / 2) ** 2
        both = cos(radians(self.latitude)) * cos(radians(other.latitude))
        return EARTH_DIAMETER_KM * asin(sqrt(min(1.0, across + both * along)))


@frozen
class Drive:
    """
    An estimate of how long a drive takes, from the distance as the crow flies.

    Streets are *detour* times as long as that, and city traffic makes
    *speed_km_per_hour*, stops and parking included.
    """

    speed_km_per_hour: float = 30.0
    detour: float = 1.3

    def minutes(self, distance_km: float) -> int:
        """Whole minutes, rounded up."""
        return ceil(round(distance_km * self.detour / self.speed_km_per_hour * 60, 6))

    def reach_km(self, minutes: int) -> float:
        """The longest distance that takes at most so many minutes."""
        return minutes / 60 * self.speed_km_per_hour / self.detour


DRIVE: Final = Drive()
"""The one estimate that browsing, suggestions and search share."""


@frozen(kw_only=True)
class Place:
    """A venue's address and its point on the map."""

    address_line1: str = field(validator=text(least=1, most=255))
    city: str = field(validator=text(least=1, most=100))
    state: str = field(validator=text(least=1, most=100))
    postal_code: str = field(validator=text(least=1, most=20))
    country: str = field(default="US", validator=text(least=2, most=100))
    latitude: float = field(validator=between(-90, 90))
    longitude: float = field(validator=between(-180, 180))

    @property
    def position(self) -> Position:
        return Position(self.latitude, self.longitude)
