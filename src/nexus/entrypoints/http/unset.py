"""Left out is not null: the value of a field that a request did not mention."""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, Literal, TypeVar, get_args

from attrs import frozen, validators

T = TypeVar("T")


class _Unset(Enum):
    UNSET = "UNSET"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"


Unset = Literal[_Unset.UNSET]
"""The type of a field that may be left out: ``name: str | Unset = UNSET``."""

UNSET: Final = _Unset.UNSET


def is_unset_type(annotation: Any) -> bool:
    """Whether an annotation is ``Unset`` itself."""
    return bool(get_args(annotation) == (UNSET,))


def given(**fields: Any) -> dict[str, Any]:
    """Only what was said: the fields that are not ``UNSET``, ready for ``attrs.evolve``."""
    return {name: value for name, value in fields.items() if value is not UNSET}


@frozen
class IfSaid:
    """A validator of a field that may be left out."""

    validator: Callable[[Any, Any, Any], Any]

    def __call__(self, instance: Any, attribute: Any, value: Any) -> None:
        if value is not UNSET:
            self.validator(instance, attribute, value)


def if_said(*checks: Callable[[Any, Any, Any], Any]) -> IfSaid:
    """What must hold when the field is there: ``field(default=UNSET, validator=if_said(max_len(20)))``."""
    return IfSaid(validators.and_(*checks))
