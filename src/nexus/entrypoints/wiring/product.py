"""The whole product: the use cases of all contexts together, and what spans them."""

import asyncio
from functools import cached_property
from typing import Any

from prometheus_client import CollectorRegistry

from nexus.adapters.passwords.once import HashedOnce
from nexus.adapters.redis.limiter import RedisLimiter
from nexus.adapters.system.seeded import SeededChance
from nexus.application.kernel.inbox import HandleEvent
from nexus.application.kernel.jobs import Job
from nexus.application.kernel.ports import Clock
from nexus.application.platform.backlog import Backlog
from nexus.application.platform.condition import Condition, Database, Queue, judge
from nexus.domain.identity.mail import AccountMailAsked
from nexus.entrypoints.monitoring import Seen, exposition
from nexus.entrypoints.wiring.booking import Booking
from nexus.entrypoints.wiring.catalogue import Catalogue
from nexus.entrypoints.wiring.compliance import Compliance
from nexus.entrypoints.wiring.credits import Credits
from nexus.entrypoints.wiring.identity import Identity
from nexus.entrypoints.wiring.notifications import Notifications
from nexus.entrypoints.wiring.people import People
from nexus.entrypoints.wiring.platform import Platform


class Nexus(Identity, People, Catalogue, Booking, Credits, Notifications, Compliance, Platform):
    """Every use case over one database, made when it is first asked for."""

    def use_cases(self) -> dict[str, Any]:
        """Every use case by its name in snake case."""
        return {
            name: getattr(self, name)
            for context in type(self).__mro__
            for name, value in vars(context).items()
            if isinstance(value, cached_property) and not name.startswith("_")
        }

    @cached_property
    def handle_event(self) -> HandleEvent:
        return HandleEvent(
            self.begin,
            self.announce,
            {job: getattr(self, job.value) for job in Job},
            {AccountMailAsked: self.send_account_mail},
            self.flows.watching,
        )

    def replaying(self, now: Clock, *, seed: int) -> "Nexus":
        """
        The same product over the same database, for telling a past.

        Its time is *now*'s, and its ids and codes follow from *seed* and that time. A
        password that many people share is hashed once.
        """
        chance = SeededChance(seed, now)
        return Nexus(
            self.pool,
            now=now,
            secret_key=self._secret_key,
            former_keys=self._former_keys,
            new_id=chance.new_id,
            new_code=chance.new_code,
            passwords=HashedOnce(self._passwords),
            limiter=self.limiter,
            lanes=1,
        )

    def scrape(self) -> bytes:
        """What Prometheus is told by this process; answers also when nothing else does."""
        return self._exposition(self.backlog(), self.queue())

    async def scrape_soon(self, *registries: CollectorRegistry) -> bytes:
        """The same for an event loop, with what is in further registries."""
        seen, queue = await asyncio.gather(self.backlog.soon(), self.queue.soon())
        return self._exposition(seen, queue, *registries)

    def _exposition(self, seen: Backlog | None, queue: Queue | None, *registries: CollectorRegistry) -> bytes:
        self.note_process()
        look = Seen(seen, queue, has_broker=self._broker is not None)
        return exposition(look, self.flows.registry, self.of_process.registry, *registries)

    def note_process(self) -> None:
        """Bring up to date what is told of this process."""
        fallbacks = self.limiter.fallbacks if isinstance(self.limiter, RedisLimiter) else None
        self.of_process.note(self.pool.get_stats(), fallbacks)

    def judge(self, database: Database | None, queue: Queue | None) -> Condition:
        """Whether this process can serve when that is what it sees."""
        return judge(database, queue, has_broker=self._broker is not None)
