"""Events as JSON and back, by the name of their class."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from cattrs import Converter

from nexus.domain.kernel.events import Event

_converter = Converter()
_converter.register_unstructure_hook(UUID, str)
_converter.register_structure_hook(UUID, lambda value, _: UUID(value))
_converter.register_unstructure_hook(date, date.isoformat)
_converter.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
_converter.register_unstructure_hook(datetime, datetime.isoformat)
_converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))


def _kinds(base: type[Event] = Event) -> dict[str, type[Event]]:
    found: dict[str, type[Event]] = {}
    for kind in base.__subclasses__():
        found[kind.__name__] = kind
        found |= _kinds(kind)
    return found


def encode(event: Event) -> dict[str, Any]:
    """The event's fields as JSON values."""
    encoded: dict[str, Any] = _converter.unstructure(event)
    return encoded


def decode(name: str, payload: dict[str, Any]) -> Event:
    """
    The event that *payload* encodes.

    Raises:
        KeyError: No event is called *name* (it was written by another version).
    """
    return _converter.structure(payload, _kinds()[name])
