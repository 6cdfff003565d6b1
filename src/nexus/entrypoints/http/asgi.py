"""What the HTTP server loads, once in each of its processes."""

import gc
import os
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Final

from litestar import Litestar

from nexus.entrypoints import logs, shared_figures
from nexus.entrypoints.http.api import build
from nexus.entrypoints.http.key_uses import noting_uses
from nexus.entrypoints.installation import tie_to_parent
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.tracing import tracing
from nexus.entrypoints.wiring import open_nexus

OBJECTS_BETWEEN_LOOKS: Final = 20_000
"""So many more must be there before the collector looks for cycles among the youngest."""


def create() -> Litestar:
    """
    The application over the installation that the environment names.

    Connections to the database close when the server lets the application end.
    Should the server's main process be killed, its children end too.
    """
    tie_to_parent(signal.SIGTERM)
    settings = Settings.of(os.environ)
    logs.configure(settings)
    stack = ExitStack()
    number = shared_figures.join()
    traces = stack.enter_context(tracing(os.environ, "web"))
    nexus = stack.enter_context(open_nexus(settings, process=number))

    @asynccontextmanager
    async def serving(_: Litestar) -> AsyncIterator[None]:
        # What lives by now lives as long as the process: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        # A request leaves no cycles: looking for them after every 700 objects found none, for 20 us a request.
        gc.set_threshold(OBJECTS_BETWEEN_LOOKS, 10, 10)
        with stack:
            yield

    lives = [serving, noting_uses(nexus.write_key_uses)]
    if shared_figures.shared() is not None:
        lives.append(shared_figures.keeping_up(nexus.note_process))
    return build(nexus, settings, lifespan=lives, traces=traces)
