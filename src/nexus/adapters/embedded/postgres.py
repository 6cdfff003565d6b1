"""The bundled PostgreSQL."""

import os
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final

from nexus.adapters.embedded import binaries
from nexus.adapters.embedded.errors import CannotStart
from nexus.adapters.embedded.process import LOOPBACK
from nexus.adapters.embedded.server import EmbeddedServer

USER: Final = "nexus"
DATABASE: Final = "nexus"

SETTINGS: Final = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "wal_compression": "pglz",
    # After a crash one request to the kernel instead of one for each of a thousand files,
    # which is most of a restart.
    "recovery_init_sync_method": "syncfs",
}
FORGETFUL: Final = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""For tests only: faster, and lost with the machine."""


class EmbeddedPostgres(EmbeddedServer):
    """
    A PostgreSQL server with an empty database ``nexus`` and its superuser.

    UTF-8; sorted by code point, so that the order is the same on every
    machine; case rules of Unicode. What was committed survives the death of
    this process, of the server and of the machine, unless *durable* is False.
    """

    name: ClassVar[str] = "PostgreSQL"
    stopping: ClassVar[tuple[tuple[signal.Signals, float], ...]] = (
        (signal.SIGINT, 60.0),
        (signal.SIGQUIT, 10.0),
    )

    @property
    def database_url(self) -> str:
        """A libpq URL of the database, as its superuser; it contains the password."""
        return f"postgresql://{USER}:{self._folder.password()}@{LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def version(self) -> str:
        """The major version of the data."""
        return (self._folder.data / "PG_VERSION").read_text(encoding="ascii").strip()

    def prepare(self) -> None:
        self._bin = binaries.postgres(self._folder.path, self.account)
        if self._folder.data.exists():
            self._refuse_other_version()
            self._free_stale_lock()
        else:
            self._create()

    def _create(self) -> None:
        """Build the data aside and put it in place as a whole: an interruption leaves nothing half made."""
        self.on_event(f"Creating a database in {self._folder.path}")
        unfinished = self._folder.path / "data.new"
        password = self._folder.path / "password.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password.touch(mode=0o600)
        password.write_text(self._folder.password(), encoding="ascii")
        self.account.own(unfinished, password)
        try:
            self._run(
                *("initdb", "--pgdata", unfinished, "--username", USER, "--pwfile", password),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-instructions"),
                *("--lc-collate", "C", "--lc-ctype", "C.UTF-8", "--lc-messages", "C"),
                *("--lc-monetary", "C", "--lc-numeric", "C", "--lc-time", "C"),
                *(() if self.durable else ("--no-sync",)),
            )
        finally:
            password.unlink()
        flags = () if self.durable else ("-c", "fsync=off")
        self._run(
            *("postgres", "--single", "-D", unfinished, *flags, "postgres"),
            sql=f"CREATE DATABASE {DATABASE}\n",
        )
        unfinished.rename(self._folder.data)

    def _run(self, program: str, *arguments: str | Path, sql: str = "") -> None:
        with self.log.open("ab") as log:
            done = subprocess.run(  # noqa: S603 - a fixed command, found by us
                [self._bin / program, *arguments],
                input=sql.encode(),
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
                cwd="/",
                check=False,
                **self.account.popen_arguments(),
            )
        if done.returncode:
            raise CannotStart(f"{program} failed (status {done.returncode}); its reason is in {self.log}")

    def _refuse_other_version(self) -> None:
        program = self._bin / "postgres"
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
        ours = said.stdout.split()[2].partition(".")[0]
        if ours != self.version:
            raise CannotStart(
                f"the data in {self._folder.path} is PostgreSQL {self.version}'s, but the program is {ours}: "
                "use the program of the same version (NEXUS_PG_BIN), or start afresh with make reset"
            )

    def _free_stale_lock(self) -> None:
        """
        Take a dead server's lock file as ours when its pid now belongs to somebody else.

        PostgreSQL forgives its parent's pid there; the file itself stays, since
        with its help PostgreSQL finds out whether a stray backend is still alive.
        """
        lock = self._folder.data / "postmaster.pid"
        with (
            suppress(FileNotFoundError),
            # The folder is the server's: a link in it must not lead root's pen elsewhere.
            os.fdopen(os.open(lock, os.O_RDWR | os.O_NOFOLLOW), "r+", encoding="utf-8") as file,
        ):
            lines = file.read().splitlines()
            file.seek(0)
            file.write("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
            file.truncate()

    def command(self) -> list[str | Path]:
        settings = SETTINGS | {"port": str(self.port)} | ({} if self.durable else FORGETFUL)
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [self._bin / "postgres", "-D", self._folder.data, *options]

    def answers(self) -> bool:
        """The server itself says "ready" in its lock file (as pg_ctl reads it), and takes a connection."""
        with suppress(OSError, IndexError):
            lines = (self._folder.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            if lines[0] == str(self.pid) and lines[7].strip() == "ready":
                socket.create_connection((LOOPBACK, self.port), timeout=5).close()
                return True
        return False

    def may_try_again(self, last_words: str) -> bool:
        """Also while a backend of a killed server has not noticed yet."""
        return super().may_try_again(last_words) or "is still in use" in last_words
