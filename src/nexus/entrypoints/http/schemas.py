"""JSON Schemas of attrs classes: what their annotations, validators, defaults and metadata promise."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import time
from enum import Enum
from inspect import cleandoc
from typing import Any, Final, get_args, get_origin

import attrs
from litestar.openapi.spec import Reference, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from nexus.entrypoints.http import scalars
from nexus.entrypoints.http.reading import is_record, said_types
from nexus.entrypoints.http.unset import UNSET, is_unset_type
from nexus.entrypoints.http.views import is_annotated, plain
from nexus.entrypoints.http.wire import INCOMING

_FACTORY: Final[Any] = attrs.Factory

STORABLE: Final = r"^[^\u0000]*$"
"""Any text without NUL."""


class AttrsSchemas(OpenAPISchemaPlugin):
    """Draws the schema of an attrs class, and of the scalars that Litestar draws wrongly."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        if field_definition.is_union or field_definition.is_optional:
            return False
        return field_definition.annotation is time or is_record(field_definition.annotation)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Any:
        if field_definition.annotation is time:
            return Schema(type=OpenAPIType.STRING, pattern=scalars.TIME_PATTERN, examples=["16:30"])
        bare = get_origin(field_definition.annotation) or field_definition.annotation
        attrs.resolve_types(bare, include_extras=True)
        hints = field_definition.get_type_hints(include_extras=True, resolve_generics=True)
        incoming = bare in INCOMING
        stated = [a for a in attrs.fields(bare) if a.init or not incoming]
        schema: Schema = schema_creator.create_component_schema(
            field_definition,
            required=sorted(a.name for a in stated if _is_required(a, hints[a.name], incoming=incoming)),
            property_fields={},
        )
        schema.properties = {
            a.name: _property(a, hints[a.name], schema_creator, incoming=incoming) for a in stated
        }
        schema.description = _described(bare)
        if incoming:
            schema.additional_properties = False
        return schema_creator.schema_registry.get_reference_for_field_definition(field_definition) or schema


def _described(cls: type) -> str | None:
    """The docstring that somebody wrote; attrs writes none for its classes."""
    return cleandoc(cls.__doc__) if cls.__doc__ else None


def _is_required(a: "attrs.Attribute[Any]", hint: Any, *, incoming: bool) -> bool:
    if any(is_unset_type(m) for m in get_args(hint)):
        return False
    return a.default is attrs.NOTHING if incoming else True


def _property(a: "attrs.Attribute[Any]", hint: Any, creator: Any, *, incoming: bool) -> Schema | Reference:
    said = said_types(hint)
    nullable = type(None) in said
    kind = next((t for t in said if t is not type(None)), type(None))
    drawn = _drawn(kind, creator, incoming=incoming)
    constraints = dict(_constraints(a.validator, kind))
    if constraints:
        drawn = _narrowed(drawn, constraints)
    if nullable:
        drawn = Schema(one_of=[drawn, Schema(type=OpenAPIType.NULL)])
    notes = _notes(a, incoming=incoming)
    if not notes:
        return drawn
    if isinstance(drawn, Reference):
        return Schema(all_of=[drawn], **notes)
    return replace(drawn, **notes)


def _drawn(kind: Any, creator: Any, *, incoming: bool) -> Schema | Reference:
    limits = None
    if is_annotated(kind):
        base, *extras = get_args(kind)
        limits = next((e for e in extras if isinstance(e, scalars.IntegerRange)), None)
        kind = base if limits else kind
    drawn: Schema | Reference = creator.for_field_definition(FieldDefinition.from_annotation(kind))
    if limits is not None and isinstance(drawn, Schema):
        return replace(drawn, minimum=limits.low, maximum=limits.high)
    if kind is int and isinstance(drawn, Schema):
        return replace(drawn, minimum=scalars.INT8.low, maximum=scalars.INT8.high) if incoming else drawn
    if kind is str and isinstance(drawn, Schema):
        return replace(drawn, pattern=STORABLE) if incoming else drawn
    if get_origin(kind) in (set, frozenset) and isinstance(drawn, Schema):
        return replace(drawn, unique_items=True)
    return drawn


def _narrowed(drawn: Schema | Reference, constraints: dict[str, Any]) -> Schema:
    if isinstance(drawn, Reference):
        return Schema(all_of=[drawn, Schema(**constraints)])
    return replace(drawn, **constraints)


def _constraints(validator: Any, kind: Any) -> Iterable[tuple[str, Any]]:
    """The keywords that say the same as an attrs validator."""
    name = type(validator).__name__
    if name == "_AndValidator":
        for inner in validator._validators:  # noqa: SLF001
            yield from _constraints(inner, kind)
    elif name in ("_OptionalValidator", "IfSaid"):
        yield from _constraints(validator.validator, kind)
    elif name == "_NumberValidator":
        keyword = {">=": "minimum", ">": "exclusive_minimum", "<=": "maximum", "<": "exclusive_maximum"}
        if isinstance(validator.bound, int | float):
            yield keyword[validator.compare_op], validator.bound
    elif name in ("_MinLengthValidator", "_MaxLengthValidator"):
        side = "min" if name == "_MinLengthValidator" else "max"
        length = validator.min_length if side == "min" else validator.max_length
        yield f"{side}_{_length_of(kind)}", length
    elif name == "_MatchesReValidator":
        yield "pattern", _full(validator)
    elif name == "_InValidator" and not isinstance(validator.options, str):
        yield "enum", [plain(option) for option in _ordered(validator.options)]


def _ordered(options: Any) -> list[Any]:
    return sorted(options, key=str) if isinstance(options, set | frozenset) else list(options)


def _length_of(kind: Any) -> str:
    bare = get_origin(kind) or kind
    if bare is dict:
        return "properties"
    return "items" if bare in (list, tuple, set, frozenset) else "length"


def _full(validator: Any) -> str:
    """The pattern as JSON Schema reads it: anchored as the validator anchors it."""
    stated: str = validator.pattern.pattern
    how = getattr(validator.match_func, "__name__", "fullmatch")
    if how == "fullmatch":
        return stated if stated.startswith("^") and stated.endswith("$") else f"^(?:{stated})$"
    return f"^(?:{stated})" if how == "match" else stated


def _notes(a: "attrs.Attribute[Any]", *, incoming: bool) -> dict[str, Any]:
    notes: dict[str, Any] = {}
    if "description" in a.metadata:
        notes["description"] = a.metadata["description"]
    if "examples" in a.metadata:
        notes["examples"] = plain(list(a.metadata["examples"]))
    if "secret" in a.metadata:
        notes |= {"format": "password", "write_only": True}
    default: Any = a.default
    if isinstance(default, _FACTORY):
        default = attrs.NOTHING if default.takes_self else default.factory()
    if not incoming or default is attrs.NOTHING or default is UNSET:
        return notes
    if isinstance(default, bool | int | float | str | list | tuple | dict | Enum):
        notes["default"] = plain(default)
    return notes
