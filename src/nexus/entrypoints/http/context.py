"""Which request is being answered, for whoever writes about it: logs and problem documents."""

from contextvars import ContextVar
from typing import Final

from attrs import frozen


@frozen
class Here:
    """The path that was asked for and the id that ties the answer to the logs."""

    path: str
    request_id: str


here: Final[ContextVar[Here | None]] = ContextVar("here", default=None)
