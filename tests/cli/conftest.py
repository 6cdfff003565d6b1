"""The command line: in this process where it only answers, as real processes where it matters."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from attrs import frozen
from click.testing import CliRunner, Result

from nexus.entrypoints.cli import main

KEY = base64.b64encode(bytes(range(32))).decode()


@frozen
class Outcome:
    """What a command answered, and how it ended."""

    result: Result

    @property
    def status(self) -> int:
        return self.result.exit_code

    @property
    def output(self) -> str:
        return self.result.stdout

    @property
    def fault(self) -> str:
        return self.result.stderr

    @property
    def json(self) -> Any:
        return json.loads(self.result.stdout)


Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command with these NEXUS_ variables and no others."""
    monkeypatch.delenv("NEXUS_PG_BIN", raising=False)

    def run(*arguments: str, input: str | None = None, **variables: str) -> Outcome:  # noqa: A002 - as click
        environment = {f"NEXUS_{name.upper()}": text for name, text in variables.items()}
        result = CliRunner().invoke(main, arguments, input=input, env=environment, prog_name="nexus")
        unexpected = result.exception if not isinstance(result.exception, SystemExit) else None
        assert unexpected is None, result.exc_info
        return Outcome(result)

    return run


@pytest.fixture
def on_database(run: Run, database_url: str) -> Run:
    """Run a command on the test database, in production unless *env* says otherwise."""

    def on_database(*arguments: str, input: str | None = None, **variables: str) -> Outcome:  # noqa: A002
        variables = {"database_url": database_url, "secret_key": KEY, "env": "production"} | variables
        return run(*arguments, input=input, **variables)

    return on_database
