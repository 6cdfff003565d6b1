"""What use cases about settings ask of a store."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from attrs import frozen

from nexus.application.kernel.audit import AuditWork
from nexus.domain.kernel.ids import UserId
from nexus.domain.platform.settings import PlatformSettings


@frozen(kw_only=True)
class Entry:
    """A value of a setting and since or from when it holds."""

    key: str
    value: Any
    effective_from: datetime
    updated_by: UserId | None


class Settings(Protocol):
    """The platform's settings over time."""

    def at(self, instant: datetime) -> PlatformSettings:
        """All of them as they are in force at an instant."""
        ...

    def history(self, *, since: datetime) -> list[Entry]:
        """What is in force then and what is planned after it, by key and time."""
        ...

    def change(self, values: Mapping[str, Any], *, effective_from: datetime, by: UserId) -> None:
        """Put values (as JSON) in force from an instant; what was planned for it is replaced."""
        ...


class SettingsWork(AuditWork, Protocol):
    """A unit of work that knows the settings."""

    @property
    def settings(self) -> Settings: ...
