"""What API keys are used for, counted in this process."""

from collections.abc import Mapping
from datetime import datetime
from threading import Lock

from attrs import define, field

from nexus.application.platform.api_key_ports import Use
from nexus.domain.kernel.ids import ApiKeyId


@define
class CountedUses:
    """Counts for any number of threads at once."""

    _uses: dict[ApiKeyId, Use] = field(factory=dict, init=False)
    _turn: Lock = field(factory=Lock, init=False)

    def note(self, key: ApiKeyId, *, at: datetime, address: str | None) -> None:
        self.give_back({key: Use(times=1, last_at=at, last_address=address)})

    def take(self) -> Mapping[ApiKeyId, Use]:
        with self._turn:
            taken, self._uses = self._uses, {}
        return taken

    def give_back(self, uses: Mapping[ApiKeyId, Use]) -> None:
        with self._turn:
            for key, use in uses.items():
                known = self._uses.get(key)
                self._uses[key] = use if known is None else known.plus(use)
