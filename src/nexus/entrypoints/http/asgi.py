"""What the HTTP server loads, once in each of its processes."""

import gc
import os
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Final

from litestar import Litestar
from litestar.concurrency import sync_to_thread

from nexus.entrypoints import logs, shared_figures
from nexus.entrypoints.http.api import build
from nexus.entrypoints.http.repeating import repeating
from nexus.entrypoints.installation import tie_to_parent
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.tracing import tracing
from nexus.entrypoints.wiring import open_nexus

OBJECTS_BETWEEN_LOOKS: Final = 20_000
"""So many more must be there before the collector looks for cycles among the youngest."""

KEY_USES_EVERY: Final = 60.0
"""Seconds between two times that a process writes down what API keys were used for."""

FIGURES_EVERY: Final = 1.0
"""Seconds between two times that a process writes down what it has to be asked for."""


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

    async def write_key_uses() -> None:
        await sync_to_thread(nexus.write_key_uses)

    async def note_process() -> None:
        nexus.note_process()  # it waits for nobody, and must not wait for a thread where all are busy

    lives = [serving, repeating(write_key_uses, every=KEY_USES_EVERY, failure="use of API keys not written")]
    if shared_figures.shared() is not None:
        lives.append(repeating(note_process, every=FIGURES_EVERY, failure="figures not kept up"))
    return build(nexus, settings, lifespan=lives, traces=traces)
