"""Every handler reads its body and writes its answer here: the body strictly, the answer as annotated."""

from collections.abc import Generator
from enum import Enum
from typing import Any, ClassVar, TypeVar, get_args

import attrs
from litestar.dto import AbstractDTO, DTOConfig
from litestar.dto.data_structures import DTOFieldDefinition
from litestar.exceptions import ImproperlyConfiguredException
from litestar.openapi.spec import Reference, Schema
from litestar.plugins import SerializationPlugin
from litestar.response import Response
from litestar.typing import FieldDefinition

from nexus.entrypoints.http.faults import NotJson
from nexus.entrypoints.http.reading import bare, is_record, read_json, strict
from nexus.entrypoints.http.views import encode

T = TypeVar("T")

INCOMING: set[type] = set()
"""Every class that is read from a request's body, nested ones included."""


class Wire(AbstractDTO[T]):
    """Reads attrs classes strictly from JSON, and writes views as they are annotated."""

    config: ClassVar[DTOConfig] = DTOConfig()
    kind: ClassVar[Any]
    """What the handler takes, or gives: each body and each answer has a class of its own below this one."""

    def decode_bytes(self, value: bytes) -> Any:
        stated = self.asgi_connection.headers.get("content-type", "")
        if stated.partition(";")[0].strip().lower() != "application/json":
            raise NotJson("Send the body as application/json.")
        return read_json(value, self.kind)

    def decode_builtins(self, value: dict[str, Any]) -> Any:  # noqa: ARG002
        raise NotJson("Send the body as application/json.")

    def data_to_encodable_type(self, data: Any) -> Any:
        if isinstance(data, Response):
            if not isinstance(data.content, bytes) and data.content is not None:
                data.content = encode(data.content, self.kind)
            return data
        if isinstance(data, bytes):
            return data
        return encode(data, self.kind)

    @classmethod
    def create_for_field_definition(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,  # noqa: ARG003
        backend_cls: Any = None,  # noqa: ARG003
    ) -> None:
        kind = field_definition.annotation
        if field_definition.name == "data":
            cls.kind = kind
            _note_incoming(kind)
            try:
                strict.get_structure_hook(kind)
            except TypeError as error:
                raise ImproperlyConfiguredException(f"{kind}: {error}") from error
        else:
            cls.kind = _answer(kind)

    @classmethod
    def is_supported_model_type_field(cls, field_definition: FieldDefinition) -> bool:
        return field_definition.match_predicate_recursively(lambda f: is_record(f.annotation))

    @classmethod
    def create_openapi_schema(
        cls,
        field_definition: FieldDefinition,  # noqa: ARG003
        handler_id: str,  # noqa: ARG003
        schema_creator: Any,
    ) -> Reference | Schema:
        schema: Reference | Schema = schema_creator.for_field_definition(
            FieldDefinition.from_annotation(cls.kind)
        )
        return schema

    @classmethod
    def generate_field_definitions(
        cls,
        model_type: type[Any],  # noqa: ARG003
    ) -> Generator[DTOFieldDefinition, None, None]:
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:  # noqa: ARG003
        return False


def _answer(annotation: Any) -> Any:
    """What a handler answers with, without the ``Response`` around it."""
    cls = bare(annotation)
    if isinstance(cls, type) and issubclass(cls, Response):
        return (get_args(annotation) or (Any,))[0]
    return annotation


def _note_incoming(annotation: Any) -> None:
    cls = bare(annotation)
    if is_record(annotation):
        if cls in INCOMING:
            return
        INCOMING.add(cls)
        attrs.resolve_types(cls, include_extras=True)
        for a in attrs.fields(cls):
            _note_incoming(a.type)
    for inner in get_args(annotation):
        if not isinstance(inner, str | Enum):
            _note_incoming(inner)


class WirePlugin(SerializationPlugin):
    """Every handler that takes or gives an attrs class uses `Wire`, without saying so."""

    def supports_type(self, field_definition: FieldDefinition) -> bool:
        return is_record(field_definition.annotation)

    def create_dto_for_type(self, field_definition: FieldDefinition) -> type[AbstractDTO[Any]]:
        return Wire.__class_getitem__(field_definition.annotation)
