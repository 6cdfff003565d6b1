"""Which statements a use case sends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from attrs import frozen
from psycopg import sql as composing

from benchmarks.lean import stated
from nexus.adapters.postgres.connection import WalledCursor
from nexus.adapters.postgres.pool import Pool, open_pool
from nexus.adapters.system.clock import now
from nexus.entrypoints.wiring import Nexus


@frozen
class Heard:
    """A statement and its parameters."""

    statement: str
    values: Any


@contextmanager
def ears(database_url: str) -> Iterator[Callable[[Callable[[Nexus], object]], list[Heard]]]:
    """What is given here to be done with the product is done, and what was sent for it is told."""
    said: list[Heard] = []

    class Hearing(WalledCursor[Any]):
        def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
            said.append(Heard(str(query), params))
            return super().execute(query, params, **more)

        def executemany(self, query: Any, params_seq: Any, **more: Any) -> None:
            many = list(params_seq)
            said.extend(Heard(str(query), each) for each in many)
            super().executemany(query, many, **more)

    with open_pool(database_url, size=1) as pool:
        with pool.connection() as connection:
            connection.cursor_factory = Hearing
        nexus = Nexus(pool, now=now, secret_key=bytes(32))

        def hear(run: Callable[[Nexus], object]) -> list[Heard]:
            said.clear()
            run(nexus)
            return list(said)

        yield hear


def script(pool: Pool, heard: list[Heard]) -> str:
    """What was heard, for pgbench; the settings are left out, since whoever is lean knows them."""
    with pool.connection() as connection:
        return "\n".join(
            stated(each.statement, {name: _literal(value, connection) for name, value in each.values.items()})
            + ";"
            for each in heard
            if each.values and "platform_settings" not in each.statement
        )


def _literal(value: Any, connection: Any) -> str:
    # Written without colons, which would begin a variable of pgbench.
    if isinstance(value, datetime):
        return f"to_timestamp({value.timestamp()!r})"
    return composing.Literal(value).as_string(connection)
