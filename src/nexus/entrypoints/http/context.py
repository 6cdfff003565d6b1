"""Which request is being answered, for whoever writes about it: logs and problem documents."""

from contextvars import ContextVar
from typing import Final

from attrs import field, frozen

from nexus.application.kernel.limits import Allowance


@frozen
class Here:
    """The path that was asked for and the id that ties the answer to the logs."""

    path: str
    request_id: str
    allowances: list[Allowance] = field(factory=list)
    """What limits leave to whoever is asking; the answer tells it."""


here: Final[ContextVar[Here | None]] = ContextVar("here", default=None)


def announce(allowance: Allowance) -> None:
    """Tell with the answer to the present request what a limit leaves."""
    now = here.get()
    if now is not None:
        now.allowances.append(allowance)
