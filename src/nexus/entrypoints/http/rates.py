"""How many requests a minute one address or one account may send."""

from datetime import timedelta
from math import ceil
from typing import Final

from attrs import frozen
from litestar.concurrency import sync_to_thread

from nexus.application.kernel.actor import Actor
from nexus.application.kernel.limits import Allowance, Limit, Tally
from nexus.domain.kernel.errors import Throttled
from nexus.domain.kernel.networks import subscriber
from nexus.entrypoints.http.context import announce

MINUTE: Final = timedelta(minutes=1)


@frozen
class TooManyRequests(Throttled):
    """Too many requests; wait a little."""


@frozen
class Rates:
    """
    So many requests a minute: from one address by whoever is not signed in, and by one account.

    API keys have limits of their own.
    """

    tally: Tally
    per_address: Limit | None = None
    per_account: Limit | None = None

    async def count(self, actor: Actor | None, address: str | None) -> None:
        """
        Count one request.

        Raises:
            TooManyRequests: It is one too many.
        """
        if actor is not None:
            if self.per_account is not None and actor.key is None:
                await self._count(f"account/{actor.user}", self.per_account)
        elif self.per_address is not None and (whose := subscriber(address)) is not None:
            await self._count(f"address/{whose}", self.per_address)

    async def _count(self, name: str, limit: Limit) -> None:
        allowance = self.tally.count(name, limit)
        if allowance is None:
            allowance = await sync_to_thread(self.tally.report, name, limit)
        announce(allowance)
        if allowance.retry_after is not None:
            raise TooManyRequests(seconds(allowance.retry_after))


def seconds(span: timedelta) -> int:
    """Whole seconds after which it is over, at least one."""
    return max(ceil(span.total_seconds()), 1)


def rate_headers(allowances: list[Allowance]) -> list[tuple[bytes, bytes]]:
    """``RateLimit-*`` of the tightest of them."""
    if not allowances:
        return []
    told = min(allowances, key=lambda one: (one.is_granted, one.remaining))
    stated = {
        b"ratelimit-limit": told.limit.amount,
        b"ratelimit-remaining": told.remaining,
        b"ratelimit-reset": seconds(told.resets_after),
    }
    policies = ", ".join(
        f"{one.limit.amount};w={int(one.limit.window.total_seconds())}" for one in allowances
    )
    return [
        *((name, str(number).encode()) for name, number in stated.items()),
        (b"ratelimit-policy", policies.encode()),
    ]
