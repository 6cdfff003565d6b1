"""Remove what has served its purpose."""

from datetime import datetime, timedelta
from typing import Final, Protocol

from attrs import frozen

from nexus.application.kernel.ports import Begin, Clock

KEEP: Final = timedelta(days=7)
"""How long handled events, job times, the replies to named commands and ended sign-ins are kept."""


class Leftovers(Protocol):
    """Handled events, past job times, replies to commands, ended sign-ins."""

    def remove(self, *, at: datetime, keep: timedelta) -> None:
        """Remove those older than *keep*."""
        ...


class TidyWork(Protocol):
    """What tidying needs."""

    @property
    def leftovers(self) -> Leftovers: ...


@frozen
class TidyUp:
    """Keep the technical tables small; nothing that families or companies see is in them."""

    begin: Begin[TidyWork]
    now: Clock

    def __call__(self) -> None:
        with self.begin() as work:
            work.leftovers.remove(at=self.now(), keep=KEEP)
