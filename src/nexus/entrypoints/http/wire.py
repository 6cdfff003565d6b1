"""
Requests become attrs objects here, strictly; views become JSON.

What a class declares is what is accepted: exact JSON types, no unknown fields,
its converters and validators run, and every fault is reported with its path.
"""

import typing
from collections.abc import Callable, Collection, Generator, Mapping
from datetime import date, datetime, time
from enum import Enum
from functools import partial
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin
from uuid import UUID

import attrs
import msgspec
from cattrs import Converter, ForbiddenExtraKeysError, IterableValidationError, IterableValidationNote, override
from cattrs.cols import list_structure_factory
from cattrs.gen import make_dict_structure_fn, mapping_structure_factory
from litestar.dto import AbstractDTO, DTOConfig
from litestar.dto.data_structures import DTOFieldDefinition
from litestar.exceptions import ImproperlyConfiguredException
from litestar.openapi.spec import Reference, Schema
from litestar.plugins import SerializationPlugin
from litestar.response import Response
from litestar.typing import FieldDefinition

from nexus.domain.kernel.errors import Refusal
from nexus.entrypoints.http import scalars
from nexus.entrypoints.http.faults import MOST, InvalidBody, NotJson, UnreadableBody, faults_of
from nexus.entrypoints.http.unset import is_unset_type
from nexus.entrypoints.http.views import encode

T = TypeVar("T")

Reader = Callable[[Any, Any], Any]

INCOMING: set[type] = set()
"""Every class that is read from a request's body, nested ones included."""


def _scalar(read: Callable[[Any], Any]) -> Reader:
    def hook(value: Any, cl: Any) -> Any:
        if isinstance(cl, type) and issubclass(cl, Enum):
            return scalars.choice(value, cl)
        return read(value)

    return hook


def _bare(annotation: Any) -> Any:
    """The class behind ``Annotated`` and generics."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return get_origin(annotation) or annotation


def is_record(annotation: Any) -> bool:
    """Whether an annotation is an attrs class, generic or not."""
    bare = _bare(annotation)
    return isinstance(bare, type) and attrs.has(bare)


def members(annotation: Any) -> tuple[Any, ...] | None:
    """The alternatives of a union, ``None`` for anything else."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else None


def said_types(annotation: Any) -> tuple[Any, ...]:
    """What may be written for a field: its alternatives without ``Unset``."""
    return tuple(m for m in members(annotation) or (annotation,) if not is_unset_type(m))


def _literal(annotation: Any) -> Reader:
    allowed = get_args(annotation)

    def read(value: Any, _: Any) -> Any:
        for known in allowed:
            raw = known.value if isinstance(known, Enum) else known
            if type(raw) is type(value) and raw == value:
                return known
        raise ValueError("must be one of " + ", ".join(str(a) for a in allowed))

    return read


def _is_builtin_validator(validator: Any) -> bool:
    return type(validator).__module__.startswith("attr")


def _checked(read: Reader, attribute: "attrs.Attribute[Any]") -> Reader:
    """Reads a field and runs its validators at once, so that one fault does not hide the others."""

    def hook(value: Any, cl: Any) -> Any:
        result = read(value, cl)
        stated = result
        if attribute.converter is not None and isinstance(attribute.converter, attrs.Converter):
            return result
        if attribute.converter is not None:
            stated = attribute.converter(result)
        if attribute.validator is not None and _is_builtin_validator(attribute.validator):
            attribute.validator(None, attribute, stated)
        return result

    return hook


class _Strict(Converter):
    """A cattrs converter that converts nothing: it only recognises."""

    def __init__(self) -> None:
        super().__init__(detailed_validation=True, forbid_extra_keys=True)
        scalar_readers: dict[type, Callable[[Any], Any]] = {
            str: scalars.text,
            int: scalars.integer,
            float: scalars.number,
            bool: scalars.boolean,
            UUID: scalars.uuid,
            datetime: scalars.instant,
            date: scalars.day,
            time: scalars.wall_time,
        }
        for kind, read in scalar_readers.items():
            self.register_structure_hook(kind, _scalar(read))
        self.register_structure_hook_func(lambda t: t is Any, lambda v, _: scalars.anything(v))
        self.register_structure_hook_factory(lambda t: isinstance(t, type) and issubclass(t, Enum), self._enum)
        self.register_structure_hook_factory(lambda t: get_origin(t) is Literal, _literal)
        self.register_structure_hook_factory(lambda t: isinstance(t, typing.NewType), self._new_type)
        self.register_structure_hook_factory(lambda t: get_origin(t) is Annotated, self._annotated)
        self.register_structure_hook_factory(lambda t: members(t) is not None, self._union)
        self.register_structure_hook_factory(self._is_array, self._array)
        self.register_structure_hook_factory(lambda t: _bare(t) in (dict, Mapping), self._mapping)
        self.register_structure_hook_factory(is_record, self._record)

    @staticmethod
    def _is_array(annotation: Any) -> bool:
        return _bare(annotation) in (list, tuple, set, frozenset, typing.get_origin(typing.Sequence[int]))

    @staticmethod
    def _enum(kind: type[Enum]) -> Reader:
        return lambda value, _: scalars.choice(value, kind)

    def _new_type(self, kind: Any) -> Reader:
        read = self.get_structure_hook(kind.__supertype__)
        return lambda value, _: read(value, kind.__supertype__)

    def _annotated(self, annotation: Any) -> Reader:
        base, *metadata = get_args(annotation)
        for extra in metadata:
            if isinstance(extra, scalars.IntegerRange):
                return lambda value, _: scalars.integer(value, extra)
        read = self.get_structure_hook(base)
        return lambda value, _: read(value, base)

    def _union(self, annotation: Any) -> Reader:
        said = said_types(annotation)
        nullable = type(None) in said
        real = [t for t in said if t is not type(None)]
        if len(real) != 1:
            raise TypeError(f"A request cannot say which of {real} is meant: use one type")
        read = self.get_structure_hook(real[0])
        if not nullable:
            return lambda value, _: read(value, real[0])
        return lambda value, _: None if value is None else read(value, real[0])

    def _array(self, annotation: Any) -> Reader:
        container: Any = _bare(annotation)
        inner = get_args(annotation) or (Any,)
        if container is tuple and not (len(inner) == 2 and inner[1] is Ellipsis):
            return self._fixed(inner)
        make = container if container in (tuple, set, frozenset) else list
        base = self._list_of(inner[0])

        def read(value: Any, _: Any) -> Any:
            found = make(base(value))
            if len(found) != len(value):
                raise ValueError("must not name anything twice")
            return found

        return read

    def _list_of(self, item: Any) -> Callable[[Any], list[Any]]:
        read = list_structure_factory(list[item], self)

        def base(value: Any) -> list[Any]:
            if type(value) is not list:
                raise scalars.expected("an array", value)
            return read(value, list[item])

        return base

    def _fixed(self, inner: tuple[Any, ...]) -> Reader:
        readers = [(self.get_structure_hook(t), t) for t in inner]

        def read(value: Any, _: Any) -> Any:
            if type(value) is not list:
                raise scalars.expected("an array", value)
            if len(value) != len(readers):
                raise ValueError(f"must have exactly {len(readers)} items")
            found: list[Any] = []
            wrong: list[Exception] = []
            for index, (item, (hook, kind)) in enumerate(zip(value, readers, strict=True)):
                try:
                    found.append(hook(item, kind))
                except Exception as error:
                    error.add_note(IterableValidationNote(f"item {index}", index, kind))
                    wrong.append(error)
            if wrong:
                raise IterableValidationError("items", wrong, tuple)
            return tuple(found)

        return read

    def _mapping(self, annotation: Any) -> Reader:
        key, item = get_args(annotation) or (str, Any)
        read = mapping_structure_factory(dict[key, item], self)

        def hook(value: Any, _: Any) -> Any:
            if type(value) is not dict:
                raise scalars.expected("an object", value)
            return read(value, dict[key, item])

        return hook

    def _record(self, annotation: Any) -> Reader:
        bare = _bare(annotation)
        attrs.resolve_types(bare, include_extras=True)
        hooks: dict[str, Any] = {}
        for a in attrs.fields(bare):
            if a.init and a.type is not None and not isinstance(a.type, TypeVar) and a.validator is not None:
                hooks[a.name] = override(struct_hook=_checked(partial(self._read, a.type), a))
        made = make_dict_structure_fn(annotation, self, _cattrs_use_linecache=False, **hooks)

        def read(value: Any, _: Any) -> Any:
            if type(value) is not dict:
                raise scalars.expected("an object", value)
            return made(value, annotation)

        return read

    def _read(self, kind: Any, value: Any, _: Any) -> Any:
        return self.get_structure_hook(kind)(value, kind)


_strict = _Strict()


def read_value(value: Any, kind: type[T] | Any, path: str = "body") -> T:
    """
    A decoded JSON value as *kind*.

    Raises:
        InvalidBody: It is not one; all of its faults, with their paths.
    """
    try:
        return typing.cast(T, _strict.get_structure_hook(kind)(value, kind))
    except Exception as error:
        faults = faults_of(error, path)
        if not faults or not _is_fault(error):
            raise
        count = "One fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise InvalidBody(f"{count}; the first: {faults[0].path} {faults[0].message}", faults[:MOST]) from error


def _is_fault(error: BaseException) -> bool:
    """Whether everything in there is the sender's fault, not a mistake of ours."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_fault, error.exceptions))
    return isinstance(error, ValueError | TypeError | KeyError | Refusal | ForbiddenExtraKeysError)


def read_json(body: bytes, kind: type[T] | Any) -> T:
    """
    A request's body as *kind*.

    Raises:
        UnreadableBody: It is not JSON; the message says where.
        InvalidBody: It is JSON, but not a *kind*.
    """
    try:
        value = msgspec.json.decode(body)
    except RecursionError as error:
        raise UnreadableBody("The body is nested too deeply.") from error
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        where = "" if "byte" in str(error) else f" (at byte {len(body)})"
        raise UnreadableBody(f"{error}{where}.") from error
    return read_value(value, kind)


class Wire(AbstractDTO[T]):
    """Reads attrs classes strictly from JSON, and writes views as they are annotated."""

    config: ClassVar[DTOConfig] = DTOConfig()
    _bodies: ClassVar[dict[str, Any]] = {}
    _answers: ClassVar[dict[str, Any]] = {}

    def decode_bytes(self, value: bytes) -> Any:
        stated = self.asgi_connection.headers.get("content-type", "")
        if stated.partition(";")[0].strip().lower() != "application/json":
            raise NotJson("Send the body as application/json.")
        return read_json(value, self._bodies[self._handler])

    def decode_builtins(self, value: dict[str, Any]) -> Any:
        raise NotJson("Send the body as application/json.")

    def data_to_encodable_type(self, data: Any) -> Any:
        kind = self._answers[self._handler]
        if isinstance(data, Response):
            if not isinstance(data.content, bytes) and data.content is not None:
                data.content = encode(data.content, kind)
            return data
        if isinstance(data, bytes):
            return data
        return encode(data, kind)

    @property
    def _handler(self) -> str:
        return typing.cast(str, self.asgi_connection.route_handler.handler_id)

    @classmethod
    def create_for_field_definition(
        cls, field_definition: FieldDefinition, handler_id: str, backend_cls: Any = None
    ) -> None:
        kind = field_definition.annotation
        if field_definition.name == "data":
            cls._bodies[handler_id] = kind
            _note_incoming(kind)
            try:
                _strict.get_structure_hook(kind)
            except TypeError as error:
                raise ImproperlyConfiguredException(f"{kind}: {error}") from error
        else:
            cls._answers[handler_id] = _answer(kind)

    @classmethod
    def is_supported_model_type_field(cls, field_definition: FieldDefinition) -> bool:
        return field_definition.match_predicate_recursively(lambda f: is_record(f.annotation))

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any
    ) -> Reference | Schema:
        kind = cls._bodies[handler_id] if field_definition.name == "data" else cls._answers[handler_id]
        schema: Reference | Schema = schema_creator.for_field_definition(FieldDefinition.from_annotation(kind))
        return schema

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[DTOFieldDefinition, None, None]:
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        return False


def _answer(annotation: Any) -> Any:
    """What a handler answers with, without the ``Response`` around it."""
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, Response):
        return (get_args(annotation) or (Any,))[0]
    return annotation


def _note_incoming(annotation: Any) -> None:
    bare = _bare(annotation)
    if is_record(annotation):
        if bare in INCOMING:
            return
        INCOMING.add(bare)
        attrs.resolve_types(bare, include_extras=True)
        for a in attrs.fields(bare):
            _note_incoming(a.type)
    for inner in get_args(annotation):
        if not isinstance(inner, str | Enum):
            _note_incoming(inner)


class WirePlugin(SerializationPlugin):
    """Every handler that takes or gives an attrs class uses `Wire`, without saying so."""

    def supports_type(self, field_definition: FieldDefinition) -> bool:
        return is_record(field_definition.annotation)

    def create_dto_for_type(self, field_definition: FieldDefinition) -> type[AbstractDTO[Any]]:
        return Wire[field_definition.annotation]

