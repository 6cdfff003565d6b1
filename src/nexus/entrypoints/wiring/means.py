"""What use cases are made of: the adapters of an installation, its keys and its clock."""

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from nexus.adapters.memory.limiter import MemoryLimiter
from nexus.adapters.memory.mailbox import MemoryMailer
from nexus.adapters.memory.tally import Tally
from nexus.adapters.passwords.argon2 import Argon2Passwords
from nexus.adapters.postgres import health
from nexus.adapters.postgres.backlog import backlog
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.pool import Pool
from nexus.adapters.system.chance import new_code, new_id
from nexus.adapters.system.lately import Lately
from nexus.adapters.vault.aesgcm import AesGcmVault
from nexus.adapters.vault.keyring import KeyRing, Use
from nexus.application.booking.ports import NewCode
from nexus.application.identity.ports import Passwords
from nexus.application.kernel.limits import Limiter
from nexus.application.kernel.mail import Mailer
from nexus.application.kernel.ports import Clock, NewId
from nexus.application.platform.condition import Broker, Queue
from nexus.entrypoints.monitoring import Flows, OfProcess

SCRAPE_FRESH_FOR: Final = 5.0
"""Seconds for which what was read of the database is told again, however many ask."""
LANES: Final = 3
"""Companies that are given their month at a time: while one waits for the database, the next is prepared."""


class Means:
    """One database and what else the use cases of every context share."""

    def __init__(
        self,
        pool: Pool,
        *,
        now: Clock,
        secret_key: bytes,
        former_keys: Sequence[bytes] = (),
        new_id: NewId = new_id,
        new_code: NewCode = new_code,
        passwords: Passwords | None = None,
        limiter: Limiter | None = None,
        mailer: Mailer | None = None,
        broker: Broker | None = None,
        public_url: str = "http://127.0.0.1:8000",
        process: int = 0,
        lanes: int = LANES,
    ) -> None:
        self.pool = pool
        self.begin = PostgresBegin(pool)
        self.read = self.begin.reading
        self.begin_as_platform = self.begin.as_platform
        self.read_as_platform = self.begin.reading_as_platform
        self.now = now
        self.new_id = new_id
        self.new_code = new_code
        self._secret_key, self._former_keys = secret_key, former_keys
        self._keyring = KeyRing(secret_key, former_keys)
        self._passwords = passwords or Argon2Passwords()
        self.limiter = limiter or MemoryLimiter()
        self.tally = Tally(self.limiter)
        self._mailer = mailer or MemoryMailer()
        self._public_url = public_url
        self._lanes = lanes
        self._broker = broker
        self.database = Lately(lambda: health.look(pool, at=now()))
        self.queue = Lately(self._look_at_broker)
        self.backlog = Lately(lambda: backlog(pool, at=now()), fresh_for=SCRAPE_FRESH_FOR)
        self.flows = Flows()
        self.of_process = OfProcess(process)

    def _look_at_broker(self) -> Queue | None:
        return None if self._broker is None else self._broker.look()

    @cached_property
    def _vault(self) -> AesGcmVault:
        return self._keyring.vault

    @property
    def fingerprint_keys(self) -> tuple[bytes, ...]:
        """What keys the fingerprints of named commands: the key of now first, then those of before."""
        return self._keyring.keys_for(Use.FINGERPRINTS)

    @property
    def key_names(self) -> Sequence[str]:
        """What the keys are called under which things are sealed."""
        return tuple(self._keyring.names.values())
