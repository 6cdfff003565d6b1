"""Changing only what was said."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, TypeVar

from attrs import evolve

from nexus.domain.catalogue.activities import Activity
from nexus.domain.catalogue.schedules import Schedule
from nexus.domain.kernel.errors import InvalidValue, VersionMismatch

V = TypeVar("V", Activity, Schedule)


def changed(entity: V, changes: Mapping[str, Any], *, allowed: AbstractSet[str], version: int | None) -> V:
    """
    The entity with some fields replaced.

    Raises:
        VersionMismatch: It is not at the *version* that the caller has seen.
        InvalidValue: A field does not exist or may not be changed.
    """
    if version is not None and version != entity.version:
        raise VersionMismatch(version, entity.version)
    for name in changes:
        if name not in allowed:
            raise InvalidValue(name, "cannot be changed")
    return evolve(entity, **changes)
