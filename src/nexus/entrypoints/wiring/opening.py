"""Opening the product: which adapters these settings ask for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from nexus.adapters.mail.folder import FolderMailer
from nexus.adapters.mail.nowhere import Nowhere
from nexus.adapters.mail.smtp import SmtpMailer
from nexus.adapters.memory.limiter import MemoryLimiter
from nexus.adapters.postgres.fibers import begin_fiber
from nexus.adapters.postgres.login import powers_of_login
from nexus.adapters.postgres.pool import UNAVAILABLE, open_pool
from nexus.adapters.postgres.shared_clock import SharedClock
from nexus.adapters.redis.limiter import RedisLimiter
from nexus.adapters.redis.queue import RedisQueue
from nexus.adapters.system.clock import now as system_clock
from nexus.application.kernel.limits import Limiter
from nexus.application.kernel.mail import Mailer
from nexus.application.kernel.ports import Clock
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring.product import Nexus

AWAY: Final[Mapping[type[Exception], Callable[[Exception], int]]] = {
    kind: lambda _: 1 for kind in UNAVAILABLE
}
"""Errors that mean the database cannot serve for the moment, and after how many seconds to ask again."""

begin_light: Final = begin_fiber
"""Begins a call that waits for nothing but the database in the event loop itself."""


def excessive_powers(settings: Settings) -> Sequence[str]:
    """What the database's login may do and the product never needs; not asked about in development."""
    return () if settings.is_development else powers_of_login(settings.need("database_url"))


def _public_url(settings: Settings) -> str:
    return settings.public_url or f"http://{settings.host}:{settings.port}"


def _mailer(settings: Settings) -> Mailer:
    """By SMTP where a server is set; else into a folder in development, and nowhere in production."""
    if settings.smtp_url:
        settings.need("public_url")
        return SmtpMailer.at(settings.smtp_url, origin=settings.origin)
    if settings.is_development:
        return FolderMailer(settings.mail_dir, settings.origin)
    return Nowhere("NEXUS_SMTP_URL is not set")


@contextmanager
def open_nexus(settings: Settings, *, database_url: str | None = None, process: int = 0) -> Iterator[Nexus]:
    """
    The product over the database of these settings; connections close with it.

    *process* is this process' number among those that answer at one port.

    In development the clock is the one that can be moved ahead; elsewhere it is the
    machine's and nothing else. Limits hold for all processes that share the Redis of
    these settings, and without one for this process.
    """
    with ExitStack() as stack:
        pool = stack.enter_context(
            open_pool(database_url or settings.need("database_url"), size=settings.pool_size)
        )
        clock: Clock = system_clock
        if settings.is_development:
            clock = stack.enter_context(SharedClock(pool))
        limiter: Limiter = MemoryLimiter()
        broker: RedisQueue | None = None
        if settings.redis_url:
            broker = RedisQueue.at(settings.redis_url)
            stack.callback(broker.close)
            limiter = RedisLimiter.at(settings.redis_url, fallback=limiter)
            stack.callback(limiter.close)
        yield Nexus(
            pool,
            now=clock,
            secret_key=settings.need("secret_key"),
            former_keys=settings.former_keys or (),
            limiter=limiter,
            mailer=_mailer(settings),
            broker=broker,
            public_url=_public_url(settings),
            process=process,
        )
