"""The import rules hold, and each of them would notice if it did not."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"

PLANTED = {
    "layers": ("application/planted.py", "import nexus.entrypoints"),
    "wiring": ("entrypoints/planted.py", "import nexus.adapters.embedded"),
    "pure-core": ("application/planted.py", "import logging"),
    "domain-libraries": ("domain/kernel/planted.py", "import cattrs"),
    "contexts": ("domain/booking/planted.py", "import nexus.domain.planted_context"),
    "adapters": ("adapters/embedded/planted.py", "import nexus.adapters.postgres"),
    "psycopg": ("adapters/embedded/planted.py", "import psycopg"),
    "outgoing": ("adapters/embedded/planted.py", "import httpx"),
    "redis": ("entrypoints/planted.py", "import redis"),
    "opentelemetry": ("entrypoints/planted.py", "import opentelemetry"),
}


def lint(source: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--config", str(ROOT / "pyproject.toml"), *arguments],
        cwd=source.parent,
        env=os.environ | {"PYTHONPATH": str(source), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def source(tmp_path):
    return Path(
        shutil.copytree(
            ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    )


def test_the_import_rules_hold(source):
    done = lint(source)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_violation_is_caught(source, rule):
    where, what = PLANTED[rule]
    for package in ("domain/planted_context", str(Path(where).parent)):
        (source / "nexus" / package).mkdir(exist_ok=True)
        (source / "nexus" / package / "__init__.py").touch()
    (source / "nexus" / where).write_text(what + "\n")
    done = lint(source, "--contract", rule)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout
    assert "planted" in done.stdout


def test_every_rule_is_proven():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert {contract["id"] for contract in settings["tool"]["importlinter"]["contracts"]} == PLANTED.keys()
