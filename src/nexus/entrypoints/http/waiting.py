"""How long we wait for a request to arrive."""

from asyncio import timeout_at
from asyncio.events import get_running_loop
from typing import Any, Final

from attrs import define, field
from litestar.types import Receive

from nexus.entrypoints.http.faults import Malformed

_MOST: Final = "The body did not arrive within {:g} seconds."


class BodyTooSlow(Malformed):
    """The request's body did not arrive in time."""

    status_code = 408
    slug = "request-timeout"
    title = "The request did not arrive in time."


@define
class Arriving:
    """Receives a request's body, whole and in time, or not at all."""

    receive: Receive
    within: float
    has_arrived: bool = field(default=False, init=False)
    _deadline: float | None = field(default=None, init=False)

    async def __call__(self) -> Any:
        """
        The next message.

        Raises:
            BodyTooSlow: It took too long, or whoever sent it has gone before its end.
        """
        if self.has_arrived:
            return await self.receive()
        if self._deadline is None:
            self._deadline = get_running_loop().time() + self.within
        try:
            async with timeout_at(self._deadline):
                message = await self.receive()
        except TimeoutError:
            raise BodyTooSlow(_MOST.format(self.within)) from None
        if message["type"] == "http.disconnect":
            raise BodyTooSlow("The connection ended before the body did.")
        self.has_arrived = not message.get("more_body", False)
        return message
