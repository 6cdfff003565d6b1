"""An installation of a drill's own: servers, data, and the product's processes, each of which can be killed."""

import base64
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from attrs import define, field
from benchmarks.dataset import Size, fill

from nexus.adapters.embedded import CannotStart, EmbeddedPostgres, EmbeddedValkey
from nexus.adapters.embedded.process import birthday, free_port
from nexus.adapters.postgres.migrate import migrate
from nexus.entrypoints.installation import findings
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring import open_nexus
from tests.drills.judging import Outcome

SOURCE: Final = Path(__file__).parents[2]
SIZE: Final = Size.of(0.01)
ADMIN: Final = "drill-admin"
"""The platform administrator's token."""

_ADMIN_EXISTS: Final = """
    INSERT INTO users (id, email, role, first_name, last_name, timezone, joined_at)
    VALUES (gen_random_uuid(), 'drill@example.com', 'platform_admin', 'Drill', 'Master', 'UTC', now());
    INSERT INTO user_sessions (token_hash, id, user_id, created_at, last_seen_at, expires_at, idle_limit,
                               has_second_factor)
    SELECT sha256(convert_to('drill-admin', 'UTF8')), gen_random_uuid(), id, now(), now(),
           now() + interval '30 days', interval '30 days', true
      FROM users WHERE email = 'drill@example.com'
"""


def folder() -> Path:
    """A new folder that a server without rights can get to."""
    made = Path(tempfile.mkdtemp(prefix="nexus-drill-", dir="/var/tmp"))
    made.chmod(0o755)
    return made


@define
class Ground:
    """A filled database, made once; each drill gets a copy of its folder."""

    path: Path

    @classmethod
    def prepare(cls, path: Path) -> "Ground":
        with EmbeddedPostgres(path / "postgres") as server:
            migrate(server.database_url)
            fill(server.database_url, SIZE, base=datetime.now(UTC).replace(microsecond=0))
            with psycopg.connect(server.database_url, autocommit=True) as owner:
                owner.execute(_ADMIN_EXISTS)
        return cls(path)

    def copy(self, to: Path) -> None:
        subprocess.run(["cp", "-a", str(self.path / "postgres"), str(to)], check=True)


@define
class Town:
    """Servers and processes of one drill; everything ends with its block."""

    home: Path
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    port: int = field(factory=free_port)
    processes: "dict[str, subprocess.Popen[bytes]]" = field(factory=dict)
    settings: dict[str, str] = field(factory=dict)

    @classmethod
    @contextmanager
    def founded(cls, ground: Ground, *, data: Path | None = None) -> Iterator["Town"]:
        """*data*: where PostgreSQL has its folder, instead of beside everything else."""
        home = folder()
        place = (data or home) / "postgres"
        ground.copy(place)
        town = cls(home, EmbeddedPostgres(place), EmbeddedValkey(home / "valkey"))
        try:
            with ExitStack() as stack:
                stack.callback(town.postgres.close)
                stack.callback(town.valkey.close)
                town.postgres.__enter__()
                town.valkey.__enter__()
                stack.callback(town.end_all)
                yield town
        finally:
            shutil.rmtree(home, ignore_errors=True)

    @property
    def database_url(self) -> str:
        return self.postgres.database_url

    def environment(self) -> dict[str, str]:
        clean = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith("NEXUS_") or name == "NEXUS_PG_BIN"
        }
        stated = {
            "ENV": "development",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.valkey.redis_url,
            "SECRET_KEY": base64.b64encode(bytes(32)).decode(),
            "DATA_DIR": str(self.home),
            "RATE_LIMIT_PER_ACCOUNT": "0",
            "RATE_LIMIT_PER_ADDRESS": "0",
        } | self.settings
        path = f"{SOURCE / 'src'}{os.pathsep}{SOURCE}"
        return clean | {"PYTHONPATH": path} | {f"NEXUS_{name}": text for name, text in stated.items()}

    def log(self, name: str) -> Path:
        return self.home / f"{name}.log"

    def start(
        self, name: str, *arguments: str, without: str = "", env: Mapping[str, str] | None = None
    ) -> None:
        """A process of the product; *without* names the guard that is switched off in it."""
        program = ["-m", "tests.drills.without", without, "--"] if without else ["-m", "nexus"]
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *program, *arguments],
                env=self.environment() | dict(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def serve(self, *, without: str = "", wait: bool = True) -> None:
        self.start("web", "serve", "--port", str(self.port), without=without)
        if wait:
            self.await_port("web", self.port)

    def await_port(self, name: str, port: int, *, within: float = 60.0) -> None:
        from tests.drills.asking import Asking

        asking = Asking(port)

        def answers() -> bool:
            try:
                return asking("GET", "/healthz", patience=2).status == 200
            except OSError:
                return False

        if not eventually(answers, within=within):
            raise RuntimeError(f"{name} did not come up:\n{self.log(name).read_text()[-2000:]}")

    def kill(self, name: str) -> None:
        """kill -9, with all its children."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self, name: str, *, patience: float = 40.0) -> int:
        """SIGTERM, and the exit status."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            return process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return -signal.SIGKILL

    def end_all(self) -> None:
        for name in list(self.processes):
            self.kill(name)

    def kill_postgres(self) -> None:
        """kill -9 of the server itself; its children notice by themselves."""
        pid = self.postgres.pid
        if pid is None:
            raise RuntimeError("PostgreSQL does not run")
        os.kill(pid, signal.SIGKILL)
        while birthday(pid):
            time.sleep(0.005)
        self.postgres.close()

    def start_postgres(self) -> None:
        """As a service manager would: again, on its port and its data."""
        self.postgres.__enter__()

    def tend_postgres(self) -> bool:
        """Start PostgreSQL again if it ended by itself; whether it runs now."""
        pid = self.postgres.pid
        if pid is not None and birthday(pid):
            return True
        self.postgres.close()
        try:
            self.start_postgres()
        except (CannotStart, OSError):
            return False
        return True

    def owner(self) -> "psycopg.Connection[tuple]":
        return psycopg.connect(self.database_url, autocommit=True)

    def query(self, statement: str, *values: object) -> list[tuple]:
        with self.owner() as owner:
            return owner.execute(statement, values or None).fetchall()

    @contextmanager
    def locked(self, table: str) -> "Iterator[Callable[[], None]]":
        """Nobody else writes to the table or locks its rows until the block ends, or what it yields is called."""
        holder = psycopg.connect(self.database_url)
        try:
            holder.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
            yield holder.rollback
        finally:
            holder.close()

    def waiting_for_locks(self) -> int:
        return self.query(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )[0][0]

    def verify(self, outcome: Outcome) -> None:
        """`nexus verify`: what it finds is a promise not kept."""
        stated = {
            name.removeprefix("NEXUS_"): text
            for name, text in self.environment().items()
            if name.startswith("NEXUS_")
        }
        settings = Settings.of({f"NEXUS_{name}": text for name, text in stated.items()})
        with open_nexus(settings) as nexus:
            for finding in findings(nexus):
                said = f"verify: {finding.invariant.number} {finding.invariant.promise} {finding.rows[:1]}"
                outcome.expect(finding.holds, said)


def eventually(condition: Callable[[], bool], *, within: float, every: float = 0.05) -> bool:
    """Whether it comes true in time."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
