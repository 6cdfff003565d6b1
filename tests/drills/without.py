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


@_guard
def sending_again() -> None:
    """The relay sends each event once; the broker does not look after dead workers' messages either."""
    from nexus.adapters.postgres import inbox
    from nexus.entrypoints.worker import broker, run

    _replace_wait(inbox, "1000000")
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
def sweeping() -> None:
    """The job that looks for offers that have expired does nothing."""
    from nexus.application.booking.sweep import SweepSessions

    SweepSessions.__call__ = lambda _: 0


@_guard
def growing_waits() -> None:
    """An event that fails is tried again at once, for ever."""
    from nexus.adapters.postgres import inbox

    _replace_wait(inbox, "0.05")
    inbox.CLAIM_UNSENT = inbox.CLAIM_UNSENT.replace("attempts >= 12", "false").replace(
        "attempts < 12", "true"
    )


@_guard
def slow_time() -> None:
    """No guard, but a convenience: the waits after an attempt that failed are 2,500 times as short."""
    from nexus.adapters.postgres import inbox

    usual = "20 * power(2, least(attempts, 12) - 1) - 5"
    _replace_wait(inbox, f"({usual}) / CASE WHEN last_error IS NULL THEN 1 ELSE 2500 END")


def _replace_wait(inbox: Any, wait: str) -> None:
    usual = "20 * power(2, least(attempts, 12) - 1) - 5"
    if usual not in inbox.CLAIM_UNSENT:
        raise RuntimeError("the statement has changed: this patch does nothing")
    inbox.CLAIM_UNSENT = inbox.CLAIM_UNSENT.replace(usual, wait)


@_guard
def unavailable() -> None:
    """No error of the database means that it is away."""
    from nexus.entrypoints import wiring
    from nexus.entrypoints.http import api

    api.AWAY = wiring.AWAY = {}


@_guard
def limits_of_waiting() -> None:
    """A request waits for its turn, and a statement for a lock, as long as it takes."""
    from nexus.adapters.postgres import pool
    from nexus.entrypoints.http.calls import BoundedCalls

    BoundedCalls.__init__.__kwdefaults__ |= {"patience": 3600.0, "queue": sys.maxsize}
    time_outs()
    pool.open_pool.__kwdefaults__ |= {"patience": 3600.0, "queue": 10_000}


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
