"""On whose behalf work is done, and where the wish for it came from."""

from contextvars import ContextVar
from typing import Final

from attrs import frozen

from nexus.application.kernel.actor import Actor


@frozen(kw_only=True)
class Caller:
    """
    Whoever caused what happens now.

    A request is made by somebody signed in, or by nobody. Events, jobs and commands
    at a terminal are the platform's own doing.
    """

    actor: Actor | None = None
    is_platform: bool = False
    address: str | None = None
    """The IP address of the client, as far as declared proxies can be believed."""
    request_id: str | None = None
    gives_up_at: float | None = None
    """On the machine's monotonic clock: from then on nobody waits for an answer."""


class NobodyWaits(Exception):
    """It took so long that the caller was told of a failure: nothing may be kept of it now."""


NOBODY: Final = Caller()
PLATFORM: Final = Caller(is_platform=True)

caller: Final[ContextVar[Caller]] = ContextVar("caller", default=PLATFORM)
"""
The caller of whatever runs in this context.

The edge of HTTP sets it for every request before anything else happens, to
nobody at first; what runs outside a request is the platform.
"""
