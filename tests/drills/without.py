"""
The product with one guard switched off: `python -m tests.drills.without GUARD -- serve --port 8000`.

What the controls of the drills run. Each guard is one patch; nothing else differs.
"""

import sys
from collections.abc import Callable
from typing import Any, Final

GUARDS: Final[dict[str, Callable[[], None]]] = {}


def _guard(switch_off: Callable[[], None]) -> Callable[[], None]:
    GUARDS[switch_off.__name__.replace("_", "-")] = switch_off
    return switch_off


def _never_again(statement: Any) -> Any:
    return statement.replace(
        "sent_at < clock_timestamp() - make_interval(secs => 20 * power(2, least(attempts, 12) - 1) - 5)",
        "false",
    )


@_guard
def sending_again() -> None:
    """The relay sends each event once; the broker does not look after dead workers' messages either."""
    from nexus.adapters.postgres import inbox
    from nexus.entrypoints.worker import broker, run

    inbox.CLAIM_UNSENT = _never_again(inbox.CLAIM_UNSENT)
    if "20 * power" in inbox.CLAIM_UNSENT:
        raise RuntimeError("the statement has changed: this patch does nothing")
    usual = broker.open_broker

    def without_maintenance(redis_url: str, *, patience: float = 3.0) -> Any:
        opened = usual(redis_url, patience=patience)
        opened.maintenance_chance = 0
        return opened

    run.open_broker = without_maintenance


@_guard
def one_claim_per_period() -> None:
    """Every scheduler thinks that it is the first."""
    from nexus.adapters.postgres.inbox import PostgresJobRuns

    claim = PostgresJobRuns.claim

    def always(self: PostgresJobRuns, job: Any, due_at: Any) -> bool:
        claim(self, job, due_at)
        return True

    PostgresJobRuns.claim = always


@_guard
def unavailable() -> None:
    """No error of the database means that it is away."""
    from nexus.entrypoints import wiring
    from nexus.entrypoints.http import api

    api.AWAY = wiring.AWAY = {}


@_guard
def limits_of_waiting() -> None:
    """A request waits for a thread, and a statement for a lock, as long as it takes."""
    from concurrent.futures import ThreadPoolExecutor

    from nexus.adapters.postgres import pool
    from nexus.entrypoints.http import app

    app.BoundedThreads = ThreadPoolExecutor
    time_outs()
    pool.open_pool.__kwdefaults__ |= {"patience": 3600.0, "queue": 0}


@_guard
def time_outs() -> None:
    """PostgreSQL lets everything go on for ever."""
    from nexus.adapters.postgres import pool

    for limit in ("'15s'", "'5s'", "'30s'"):
        pool._CONFIGURE = pool._CONFIGURE.replace(limit, "'0'")


def main() -> None:
    guard, separator, *arguments = sys.argv[1:]
    if separator != "--":
        sys.exit("usage: python -m tests.drills.without GUARD -- COMMAND ...")
    GUARDS[guard]()
    from nexus.entrypoints.cli import main as nexus

    sys.argv = ["nexus", *arguments]
    nexus()


if __name__ == "__main__":
    main()
