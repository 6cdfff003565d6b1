"""Which request is being answered, for whoever writes about it (logs, problem documents) or works for it."""

from contextvars import ContextVar
from time import monotonic
from typing import Final

from attrs import define, field

from nexus.application.kernel.limits import Allowance


@define
class Here:
    """The path that was asked for, the id that ties the answer to the logs, and when it came (monotonic seconds)."""

    path: str
    request_id: str
    arrived: float = field(factory=monotonic)
    allowances: list[Allowance] = field(factory=list)
    """What limits leave to whoever is asking; the answer tells it."""
    is_light: bool = False
    """Whether its handler computes little and waits for nothing but the database."""


here: Final[ContextVar[Here | None]] = ContextVar("here", default=None)


def announce(allowance: Allowance) -> None:
    """Tell with the answer to the present request what a limit leaves."""
    now = here.get()
    if now is not None:
        now.allowances.append(allowance)
