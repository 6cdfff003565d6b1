"""Which statements a use case sends."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from itertools import count, groupby
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from psycopg import sql as composing
from psycopg.pq import PipelineStatus

from benchmarks.lean import stated
from benchmarks.whole import recognition, tell
from nexus.adapters.postgres.connection import WalledCursor
from nexus.adapters.postgres.flight import Flight
from nexus.adapters.postgres.pool import Pool, open_pool
from nexus.adapters.postgres.searching import LOOK_UP, WALK_CALENDAR, WALK_FREE_CALENDAR, WALKS
from nexus.adapters.postgres.settings import SETTINGS_IN_FORCE
from nexus.adapters.postgres.whom import Whom
from nexus.adapters.system.clock import now
from nexus.entrypoints.wiring import Nexus

NO_ONE: Final = Whom("nobody")
"""For whom is said what nobody asked for: row-level security shows nothing."""


@frozen
class Heard:
    """A statement and its parameters, in which of the round trips it was said, and for whom."""

    statement: str
    values: Any
    trip: int = 0
    whom: Whom = NO_ONE

    @property
    def is_always_said(self) -> bool:
        """Not only once in a while, as of settings."""
        return bool(self.values) and self.statement != SETTINGS_IN_FORCE

    @property
    def is_walk(self) -> bool:
        """Planned once, along an index."""
        return self.statement in WALKS

    @property
    def sorts_ties(self) -> bool:
        return self.is_walk and self.statement not in {WALK_CALENDAR, WALK_FREE_CALENDAR}

    @property
    def is_looking_up(self) -> bool:
        """Not prepared, but planned for the values at hand."""
        return self.statement in LOOK_UP.values()

    @property
    def adds(self) -> bool:
        return self.statement.lstrip().startswith("INSERT")


class _Undone(Exception):
    """What was done has been heard, and is not to stay."""


@contextmanager
def ears(
    database_url: str, *, undone: bool = False
) -> Iterator[Callable[[Callable[[Nexus], object]], list[Heard]]]:
    """
    What is given here to be done with the product is done, and what was sent for it is told.

    *undone*: in a transaction that is rolled back.
    """
    said: list[Heard] = []
    trips = count()
    trip = 0

    class Hearing(WalledCursor[Any]):
        def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
            with say_first():
                said.append(Heard(str(query), params, trip, whom()))
                return super().execute(query, params, **more)

        def executemany(self, query: Any, params_seq: Any, **more: Any) -> None:
            many = list(params_seq)
            with say_first():
                said.extend(Heard(str(query), each, trip, whom()) for each in many)
                super().executemany(query, many, **more)

    with open_pool(database_url, size=1) as pool:
        with pool.connection() as connection:
            say_at_once, say_later = connection.said_first, connection.later

            @contextmanager
            def say_first() -> Iterator[Flight]:
                nonlocal trip
                if connection.pgconn.pipeline_status == PipelineStatus.OFF:
                    trip = next(trips)
                with say_at_once() as flight:
                    yield flight

            def later(query: Any, params: Any) -> None:
                if vars(connection)["_depth"]:
                    said.append(Heard(str(query), params, trip + 1, whom()))
                say_later(query, params)

            def whom() -> Whom:
                asking: Whom | None = vars(connection)["_for"]
                return asking or NO_ONE

            connection.cursor_factory = Hearing
            vars(connection).update(said_first=say_first, later=later)
        nexus = Nexus(pool, now=now, secret_key=bytes(32))

        def hear(run: Callable[[Nexus], object]) -> list[Heard]:
            said.clear()
            if undone:
                with suppress(_Undone), nexus.begin():
                    run(nexus)
                    raise _Undone
            else:
                run(nexus)
            return list(said)

        yield hear


@frozen
class Script:
    """Statements for pgbench, and the values of their variables."""

    text: str
    variables: Mapping[str, str]


def script(pool: Pool, heard: Sequence[Heard], mark: str, *, token: str, bound: bool) -> Script:
    """
    A request that reads, for pgbench: who asks, and each round trip told for whom it is.

    Settings are left out, since whoever is lean knows them. Where *bound*, values are
    parameters as they are for the product: what is written into a statement may get it
    another plan. *mark* keeps the names of several scripts apart.
    """
    variables: dict[str, str] = {}
    lines = recognition(f"'{token}'")
    reading = [(number, each) for number, each in enumerate(heard) if each.is_always_said]
    with pool.connection() as connection:
        for (_, whom), said in groupby(reading, key=lambda each: (each[1].trip, each[1].whom)):
            lines += [r"\startpipeline", tell([f"'{each}'" for each in whom.values])]
            for number, each in said:
                values = {}
                for name, value in each.values.items():
                    text, kind = _as_variable(value)
                    if bound and kind is not None:
                        variable = f"{mark}_{number}_{name}"
                        variables[variable] = text
                        values[name] = f"(:{variable})::{kind}"
                    else:
                        values[name] = _literal(value, connection)
                if each.adds:
                    values["id"] = "gen_random_uuid()"
                lines += [*_planned(each), stated(each.statement, values) + ";"]
            lines.append(r"\endpipeline")
    return Script("\n".join(lines), variables)


def _planned(each: Heard) -> list[str]:
    """How the product has the statements of a search planned, which it does not plan like others."""
    if each.is_walk:
        told = {
            "plan_cache_mode": "force_generic_plan",
            "enable_sort": "off",
            "enable_incremental_sort": "on" if each.sorts_ties else "off",
        }
    elif each.is_looking_up:
        told = {"plan_cache_mode": "force_custom_plan"}
    else:
        return []
    return [f"SELECT {', '.join(f'set_config({name!r}, {how!r}, true)' for name, how in told.items())};"]


_KINDS: Final[Mapping[type, str]] = {
    datetime: "timestamptz",
    date: "date",
    int: "int",
    UUID: "uuid",
}


def _as_variable(value: Any) -> tuple[str, str | None]:
    """A value as pgbench hands it over, and its type."""
    if isinstance(value, list) and value and isinstance(value[0], UUID):
        return "{" + ",".join(map(str, value)) + "}", "uuid[]"
    return str(value), _KINDS.get(type(value))


def _literal(value: Any, connection: Any) -> str:
    # Written without colons, which would begin a variable of pgbench.
    if isinstance(value, datetime):
        return f"to_timestamp({value.timestamp()!r})"
    return composing.Literal(value).as_string(connection)
