"""
JSON becomes attrs objects here, strictly.

What a class declares is what is accepted: exact JSON types, no unknown fields,
its converters and validators run, and every fault is reported with its path.
"""

import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from enum import Enum
from functools import partial
from typing import Any, Literal, TypeVar, Union, get_args, get_origin
from uuid import UUID

import attrs
import msgspec
from cattrs import (
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
    override,
)
from cattrs.cols import list_structure_factory
from cattrs.gen import make_dict_structure_fn, mapping_structure_factory

from nexus.domain.kernel.errors import Refusal
from nexus.entrypoints.http import scalars
from nexus.entrypoints.http.faults import MOST, InvalidBody, UnreadableBody, faults_of
from nexus.entrypoints.http.unset import IfSaid, is_unset_type
from nexus.entrypoints.http.views import is_annotated

T = TypeVar("T")

Reader = Callable[[Any, Any], Any]


def _scalar(read: Callable[[Any], Any]) -> Reader:
    def hook(value: Any, cl: Any) -> Any:
        if isinstance(cl, type) and issubclass(cl, Enum):
            return scalars.choice(value, cl)
        return read(value)

    return hook


def bare(annotation: Any) -> Any:
    """The class behind ``Annotated`` and generics."""
    if is_annotated(annotation):
        annotation = get_args(annotation)[0]
    return get_origin(annotation) or annotation


def is_record(annotation: Any) -> bool:
    """Whether an annotation is an attrs class, generic or not."""
    cls = bare(annotation)
    return isinstance(cls, type) and attrs.has(cls)


def members(annotation: Any) -> tuple[Any, ...] | None:
    """The alternatives of a union, ``None`` for anything else."""
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else None


def said_types(annotation: Any) -> tuple[Any, ...]:
    """What may be written for a field: its alternatives without ``Unset``."""
    return tuple(m for m in members(annotation) or (annotation,) if not is_unset_type(m))


def _is_enum(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Enum)


def _is_literal(annotation: Any) -> bool:
    origin: Any = get_origin(annotation)
    return origin is Literal


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
    return isinstance(validator, IfSaid) or type(validator).__module__.startswith("attr")


def _checked(read: Reader, attribute: "attrs.Attribute[Any]") -> Reader:
    """Reads a field and runs its validators at once, so that one fault does not hide the others."""

    def hook(value: Any, cl: Any) -> Any:
        result = read(value, cl)
        convert: Any = attribute.converter
        if isinstance(convert, attrs.Converter):
            return result  # it may need the instance: the constructor will run it, and the validators
        stated = convert(result) if convert is not None else result
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
        self.register_structure_hook_factory(_is_enum, self._enum)
        self.register_structure_hook_factory(_is_literal, _literal)
        self.register_structure_hook_factory(lambda t: isinstance(t, typing.NewType), self._new_type)
        self.register_structure_hook_factory(is_annotated, self._annotated)
        self.register_structure_hook_factory(lambda t: members(t) is not None, self._union)
        self.register_structure_hook_factory(self._is_array, self._array)
        self.register_structure_hook_factory(lambda t: bare(t) in (dict, Mapping), self._mapping)
        self.register_structure_hook_factory(is_record, self._record)

    @staticmethod
    def _is_array(annotation: Any) -> bool:
        return bare(annotation) in (list, tuple, set, frozenset, typing.get_origin(typing.Sequence[int]))

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
        container: Any = bare(annotation)
        inner = get_args(annotation) or (Any,)
        if container is tuple and inner[1:] != (Ellipsis,):
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
        kind: Any = types.GenericAlias(list, (item,))
        read = list_structure_factory(kind, self)

        def base(value: Any) -> list[Any]:
            if type(value) is not list:
                raise scalars.expected("an array", value)
            found: list[Any] = read(value, kind)
            return found

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
                except Exception as error:  # noqa: BLE001 - collected, and raised together
                    error.add_note(IterableValidationNote(f"item {index}", index, kind))
                    wrong.append(error)
            if wrong:
                raise IterableValidationError("items", wrong, tuple)  # pyrefly: ignore[bad-argument-count]
            return tuple(found)

        return read

    def _mapping(self, annotation: Any) -> Reader:
        key, item = get_args(annotation) or (str, Any)
        kind: Any = types.GenericAlias(dict, (key, item))
        read = mapping_structure_factory(kind, self)

        def hook(value: Any, _: Any) -> Any:
            if type(value) is not dict:
                raise scalars.expected("an object", value)
            return read(value, kind)

        return hook

    def _record(self, annotation: Any) -> Reader:
        cls = bare(annotation)
        attrs.resolve_types(cls, include_extras=True)
        hooks: dict[str, Any] = {}
        for a in attrs.fields(cls):
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


strict = _Strict()


def read_value(value: Any, kind: type[T] | Any, path: str = "body") -> T:
    """
    A decoded JSON value as *kind*.

    Raises:
        InvalidBody: It is not one; all of its faults, with their paths.
    """
    try:
        return typing.cast("T", strict.get_structure_hook(kind)(value, kind))
    except Exception as error:
        faults = faults_of(error, path)
        if not faults or not _is_fault(error):
            raise
        count = "One fault" if len(faults) == 1 else f"{len(faults)} faults"
        first = f"{faults[0].path} {faults[0].message}"
        raise InvalidBody(f"{count}; the first: {first}", faults[:MOST]) from error


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
    found: T = read_value(value, kind)
    return found
