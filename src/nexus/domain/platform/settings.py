"""
Platform settings: named values with defaults and bounds, each in force from an instant.

A field of :class:`PlatformSettings` is a setting; its metadata says what it means
and between which values it lies.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from attrs import Attribute, asdict, field, fields, fields_dict, frozen

from nexus.domain.kernel.errors import Invalid, InvalidValue
from nexus.domain.kernel.money import Money


@frozen
class UnknownSetting(Invalid):
    """There is no setting of that name."""

    key: str


def _whole_number(default: int, least: int, most: int, meaning: str) -> Any:
    def check(_self: Any, attribute: "Attribute[int]", value: Any) -> None:
        if type(value) is not int or not least <= value <= most:
            raise InvalidValue(attribute.name, f"must be a whole number between {least} and {most}")

    return field(default=default, validator=check, metadata={"meaning": meaning, "bounds": (least, most)})


def _amount(minor: int, most: int, meaning: str) -> Any:
    def check(_self: Any, attribute: "Attribute[Money]", value: Any) -> None:
        if not isinstance(value, Money) or not 0 <= value.minor <= most:
            raise InvalidValue(attribute.name, f"must be an amount between 0 and {most} minor units")

    return field(default=Money(minor), validator=check, metadata={"meaning": meaning, "bounds": (0, most)})


def _some_of(default: tuple[str, ...], choices: tuple[str, ...], meaning: str) -> Any:
    def check(_self: Any, attribute: "Attribute[tuple[str, ...]]", value: Any) -> None:
        if not isinstance(value, tuple) or len(set(value)) < len(value) or not set(value) <= set(choices):
            raise InvalidValue(attribute.name, f"must be a list of some of {', '.join(choices)}, each once")

    return field(default=default, validator=check, metadata={"meaning": meaning, "choices": choices})


@frozen(kw_only=True)
class PlatformSettings:
    """Every setting, as it is in force at one instant."""

    cancellation_window_hours: int = _whole_number(
        48, 0, 720, "Hours before the start until which a family cancels for free."
    )
    waitlist_confirmation_hours: int = _whole_number(
        4, 1, 168, "Hours for which a freed place is held for the first in line."
    )
    waitlist_last_offer_minutes: int = _whole_number(
        60, 0, 1440, "Minutes before the start from which freed places are open to all."
    )
    credit_expiry_warning_days: int = _whole_number(
        7, 1, 28, "Days before the end of a period when people with credits left are warned."
    )
    generation_horizon_days: int = _whole_number(
        42, 30, 365, "Days ahead for which weekly schedules have their sessions."
    )
    credit_value: Money = _amount(  # noqa: RUF009 - it makes an attrs field, not a value
        500, 1_000_000, "What one credit is worth to a venue."
    )
    audit_retention_days: int = _whole_number(
        730, 730, 3650, "Days for which the audit log is kept at least; whole months are dropped after them."
    )
    platform_fee_default_basis_points: int = _whole_number(
        1750, 0, 10_000, "The platform's share of a new venue's earnings, in hundredths of a percent."
    )
    second_factor_required_roles: tuple[str, ...] = _some_of(
        ("hr_admin", "venue_admin", "platform_admin"),
        ("parent", "hr_admin", "venue_admin", "platform_admin"),
        "Roles that sign in with a second factor, or may do nothing but set one up.",
    )

    @property
    def cancellation_window(self) -> timedelta:
        return timedelta(hours=self.cancellation_window_hours)

    @property
    def credit_expiry_warning(self) -> timedelta:
        return timedelta(days=self.credit_expiry_warning_days)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "PlatformSettings":
        """
        The settings with these values (as JSON), the others at their defaults.

        Raises:
            UnknownSetting: A name is no setting's.
            InvalidValue: A value is out of bounds.
        """
        if not stored:
            return DEFAULTS
        unknown = stored.keys() - fields_dict(cls).keys()
        if unknown:
            raise UnknownSetting(min(unknown))
        return cls(**{key: _read(key, value) for key, value in stored.items()})

    def stated(self) -> dict[str, Any]:
        """The values as JSON."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }


DEFAULTS: Final = PlatformSettings()
"""What holds where nothing was changed."""


def keys() -> tuple[str, ...]:
    """The names of all settings."""
    return tuple(attribute.name for attribute in fields(PlatformSettings))


def meaning(key: str) -> str:
    """What a setting decides, in one sentence."""
    text: str = fields_dict(PlatformSettings)[key].metadata["meaning"]
    return text


def bounds(key: str) -> tuple[int, int] | None:
    """The least and the greatest value (of an amount: in minor units); None of what is not a number."""
    both: tuple[int, int] | None = fields_dict(PlatformSettings)[key].metadata.get("bounds")
    return both


def choices(key: str) -> tuple[str, ...] | None:
    """What a list may consist of; None of what is not a list."""
    names: tuple[str, ...] | None = fields_dict(PlatformSettings)[key].metadata.get("choices")
    return names


def _read(key: str, value: Any) -> Any:
    if choices(key) is not None and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if fields_dict(PlatformSettings)[key].type is not Money:
        return value
    if not isinstance(value, Mapping) or value.keys() != {"minor", "currency"}:
        raise InvalidValue(key, 'must be {"minor": whole number, "currency": "USD"}')
    if type(value["minor"]) is not int or not isinstance(value["currency"], str):
        raise InvalidValue(key, 'must be {"minor": whole number, "currency": "USD"}')
    try:
        return Money(value["minor"], value["currency"])
    except ValueError as error:
        raise InvalidValue(key, "the currency must be three capital letters (ISO 4217)") from error
