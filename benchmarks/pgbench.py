"""Ceilings: what PostgreSQL does when pgbench asks."""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from attrs import frozen

from nexus.adapters.embedded.binaries import postgres
from nexus.adapters.embedded.postgres import EmbeddedPostgres


class Failed(Exception):
    """pgbench could not do all that it was asked; its own words."""


@frozen
class Pgbench:
    """The program that comes with the bundled PostgreSQL."""

    server: EmbeddedPostgres
    database_url: str
    clients: int = 4

    def __call__(
        self,
        scripts: Sequence[str],
        *,
        variables: Mapping[str, str] | None = None,
        seconds: int = 0,
        transactions: int = 0,
        prepared: bool = True,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> float:
        """
        Transactions per second, after the connections are made; one of the scripts at random each time.

        As the owner of the database, before whom no wall stands, unless *settings* of the server
        name another role.
        """
        program = postgres(self.server.data_dir, self.server.account) / "pgbench"
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for number, script in enumerate(scripts):
                file = Path(folder) / f"{number}.sql"
                file.write_text(script, encoding="utf-8")
                files += ["-f", str(file)]
            done = subprocess.run(  # noqa: S603 - a fixed command
                [
                    str(program),
                    *("-n", "-c", str(self.clients), "-j", "2", "-D", "i=0"),
                    *(f"-D{name}={value}" for name, value in (variables or {}).items()),
                    *("-M", "prepared" if prepared else "extended"),
                    *(("-T", str(seconds)) if seconds else ("-t", str(transactions // self.clients))),
                    *files,
                    self.database_url,
                ],
                env=os.environ
                | {"PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in settings.items())},
                capture_output=True,
                text=True,
                check=False,
            )
        found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
        failures = re.search(r"number of failed transactions: (\d+)", done.stdout)
        if done.returncode or found is None or failures is None or failures[1] != "0":
            raise Failed(done.stderr[-2000:] or done.stdout[-2000:])
        return float(found[1])
