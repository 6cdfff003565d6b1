"""Profiles: TOML files that say where our fields are in a publisher's files, and what they mean."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from nexus.domain.catalogue.activities import Category
from nexus.domain.catalogue.import_rules import Rules
from nexus.domain.kernel.errors import Invalid, NotFound, Refusal

FIELDS: Final = frozenset({
    "id", "name", "description", "organisation", "venue", "categories", "min_age", "max_age", "capacity",
    "meeting_type", "address", "city", "state", "postal_code", "latitude", "longitude", "start_date",
    "end_date", "start_time", "end_time", "days", "price",
})  # fmt: skip
"""Our fields; each has a column in a profile, or is empty in every row."""

KEYS: Final = {
    "": frozenset({
        "source", "format", "records", "each", "time_zone", "day_first", "separator", "columns", "join",
        "place", "categories", "price", "capacity", "ages", "refuse",
    }),
    "columns": FIELDS,
    "join": FIELDS,
    "place": frozenset({"country", "city", "state", "postal_code", "online", "states"}),
    "categories": frozenset({"same", "nearest", "default"}),
    "price": frozenset({"bands", "steps", "default_credits"}),
    "capacity": frozenset({"default", "limit", "above"}),
    "ages": frozenset({"unstated", "adult"}),
    "refuse": frozenset({"not_for_children"}),
}  # fmt: skip
"""Every key that a profile may have, by its table."""


@frozen
class NoSuchProfile(NotFound):
    """There is no such import profile."""

    profile: str
    available: tuple[str, ...]


@frozen
class FaultyProfile(Invalid):
    """The import profile cannot be used."""

    profile: str
    reason: str


@frozen(kw_only=True)
class Profile:
    """Where our fields are in a file, and the rules for what they mean."""

    name: str
    format: str
    columns: dict[str, tuple[str, ...]]
    rules: Rules
    join: dict[str, str] = field(factory=dict)
    records: str = ""
    each: str = ""


def available_profiles() -> tuple[str, ...]:
    """The names of the profiles in the package."""
    folder = files("nexus.adapters.catalogue_files") / "profiles"
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def load_profile(name: str) -> Profile:
    """
    A profile of the package by its name, or one's own by the path of its TOML file.

    Raises:
        NoSuchProfile: Neither exists.
        FaultyProfile: A key is unknown or missing, or has a value that cannot be.
    """
    if name in available_profiles():
        text = (files("nexus.adapters.catalogue_files") / "profiles" / f"{name}.toml").read_text(
            encoding="utf-8"
        )
    elif name.endswith(".toml") and Path(name).is_file():
        text = Path(name).read_text(encoding="utf-8")
    else:
        raise NoSuchProfile(name, available_profiles())
    return parse_profile(name, text)


def parse_profile(name: str, text: str) -> Profile:
    """The profile that a TOML text states."""
    try:
        stated = tomllib.loads(text)
        _refuse_unknown(name, stated)
        return _profile(name, stated)
    except FaultyProfile:
        raise
    except KeyError as missing:
        raise FaultyProfile(name, f"{missing.args[0]} is missing") from missing
    except (ValueError, TypeError, AttributeError, re.error, Refusal) as fault:
        raise FaultyProfile(name, str(fault)) from fault


def _refuse_unknown(name: str, stated: dict[str, Any]) -> None:
    for table, known in KEYS.items():
        unknown = set(stated.get(table, {}) if table else stated) - known
        if unknown:
            raise FaultyProfile(name, f"unknown key {min(unknown)!r} in [{table}]")


def _profile(name: str, stated: dict[str, Any]) -> Profile:
    if stated["format"] not in {"csv", "json"}:
        raise FaultyProfile(name, "format must be csv or json")
    columns = stated["columns"]
    for needed in ("id", "name"):
        columns[needed]
    return Profile(
        name=name,
        format=stated["format"],
        columns={ours: tuple(theirs) for ours, theirs in columns.items()},
        join=stated.get("join", {}),
        records=stated.get("records", ""),
        each=stated.get("each", ""),
        rules=_rules(stated),
    )


def _rules(stated: dict[str, Any]) -> Rules:
    place, categories, price = (stated.get(table, {}) for table in ("place", "categories", "price"))
    capacity, ages, refuse = (stated.get(table, {}) for table in ("capacity", "ages", "refuse"))
    pattern = refuse.get("not_for_children")
    default_category = categories.get("default")
    return Rules(
        source=stated["source"],
        time_zone=stated["time_zone"],
        country=place.get("country", "US"),
        city=place.get("city", ""),
        state=place.get("state", ""),
        postal_code=place.get("postal_code", ""),
        states=place.get("states", {}),
        online=frozenset(place.get("online", ())),
        day_first=stated.get("day_first", False),
        separator=stated.get("separator", "|"),
        categories={theirs: Category(ours) for theirs, ours in categories.get("same", {}).items()},
        approximate={theirs: Category(ours) for theirs, ours in categories.get("nearest", {}).items()},
        default_category=None if default_category is None else Category(default_category),
        credits=price.get("bands", {}),
        fee_steps=tuple((float(most), int(cost)) for most, cost in price.get("steps", ())),
        default_credits=price.get("default_credits"),
        default_capacity=capacity.get("default"),
        capacity_limit=capacity.get("limit", 500),
        capacity_above=capacity.get("above", 100),
        ages_unstated=frozenset((int(low), int(high)) for low, high in ages.get("unstated", ())),
        adult_age=ages.get("adult", 18),
        not_for_children=None if pattern is None else re.compile(pattern, re.IGNORECASE),
    )
