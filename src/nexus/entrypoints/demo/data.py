"""What ships with the package to build the demo world from."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from attrs import frozen

from nexus.domain.catalogue.places import Position


@frozen
class VenueLine:
    """One line of ``venues.csv``."""

    category: str
    name: str
    street: str
    zip_code: str
    traits: frozenset[str]

    def hours(self, trait: str, default: int) -> int:
        """The number behind a trait such as ``release24``."""
        for each in self.traits:
            if each.startswith(trait):
                return int(each.removeprefix(trait))
        return default

    def has(self, trait: str) -> bool:
        return any(each.startswith(trait) for each in self.traits)


@frozen
class FamilyLine:
    """One line of ``families.csv``: an employee, and the children with their ages."""

    company: str
    role: str
    first_name: str
    last_name: str
    department: str
    joined_days_ago: int
    children: tuple[tuple[str, int], ...]


def _text(name: str) -> str:
    return files("nexus.entrypoints.demo").joinpath("data", name).read_text(encoding="utf-8")


def _rows(name: str) -> Iterator[Mapping[str, str]]:
    return iter(csv.DictReader(_text(name).splitlines()))


def activities() -> Sequence[Mapping[str, Any]]:
    """The activities, as their file says them."""
    return [json.loads(line) for line in _text("activities.jsonl").splitlines()]


def venues() -> Sequence[VenueLine]:
    return [
        VenueLine(row["category"], row["name"], row["street"], row["zip"], frozenset(row["traits"].split()))
        for row in _rows("venues.csv")
    ]


def families() -> Sequence[FamilyLine]:
    return [
        FamilyLine(
            row["company"],
            row["role"],
            row["first_name"],
            row["last_name"],
            row["department"],
            int(row["joined_days_ago"]),
            tuple(_child(each) for each in row["children"].split("/")),
        )
        for row in _rows("families.csv")
    ]


def _child(text: str) -> tuple[str, int]:
    name, age = text.rsplit(" ", 1)
    return name, int(age)


def centroids() -> Mapping[str, Position]:
    """The approximate centre of each ZIP code in use."""
    return {
        row["zip"]: Position(float(row["latitude"]), float(row["longitude"]))
        for row in _rows("zip_centroids.csv")
    }
