"""The dataset on a server of its own, made once and kept; each run works on a copy."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
from attrs import frozen
from psycopg import sql

from benchmarks.dataset import Size, fill
from nexus.adapters.embedded.postgres import EmbeddedPostgres
from nexus.adapters.postgres.migrate import migrate, migrations

FRESH_FOR: Final = timedelta(days=4)
"""Later, its sessions to come are too near."""

_COPY: Final = "bench_copy"


@frozen(kw_only=True)
class Prepared:
    """A server with the dataset, at the address of a copy that may be changed."""

    server: EmbeddedPostgres
    database_url: str
    size: Size
    base: datetime


@contextmanager
def prepared(
    folder: Path, scale: float, say: Callable[[str], object], *, families: int | None = None
) -> Iterator[Prepared]:
    """A copy of the dataset in *folder*, which is made if it is not there or not fresh; fully durable."""
    size = Size.of(scale, families=families)
    name = f"scale-{scale:g}" if families is None else f"scale-{scale:g}-{size.families}"
    with EmbeddedPostgres(folder / name, on_event=say) as server:
        base = _made(server, size, folder / f"{name}.json", say)
        say("copying the dataset")
        name = urlsplit(server.database_url).path[1:]
        with psycopg.connect(_beside(server, "postgres"), autocommit=True) as owner:
            _drop(owner, _COPY)
            owner.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(_COPY), sql.Identifier(name)
                )
            )
            owner.execute("CHECKPOINT")
        yield Prepared(server=server, database_url=_beside(server, _COPY), size=size, base=base)


def _beside(server: EmbeddedPostgres, name: str) -> str:
    return urlsplit(server.database_url)._replace(path=f"/{name}").geturl()


def _drop(owner: "psycopg.Connection[tuple[object, ...]]", name: str) -> None:
    owner.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _made(server: EmbeddedPostgres, size: Size, note: Path, say: Callable[[str], object]) -> datetime:
    schema = [migration.checksum for migration in migrations()]
    if note.exists():
        known = json.loads(note.read_text(encoding="utf-8"))
        base = datetime.fromisoformat(known["base"])
        if known["schema"] == schema and datetime.now(UTC) - base < FRESH_FOR:
            return base
        note.unlink()
    name = urlsplit(server.database_url).path[1:]
    with psycopg.connect(_beside(server, "postgres"), autocommit=True) as owner:
        _drop(owner, name)
        owner.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    migrate(server.database_url)
    base = datetime.now(UTC).replace(microsecond=0)
    fill(server.database_url, size, base=base, say=say)
    note.write_text(json.dumps({"base": base.isoformat(), "schema": schema}), encoding="utf-8")
    return base
