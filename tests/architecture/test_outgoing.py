"""Nothing but the guarded client asks the outside, and no CSV is written past the one writer."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "nexus"

CONNECTING = {
    "asyncio.open_connection", "ftplib", "http.client", "smtplib", "socket.create_connection",
    "urllib.request", "xmlrpc.client",
}  # fmt: skip
WRITING_CSV = {"csv.writer", "csv.DictWriter"}

EXCEPTIONS = {
    "adapters/mail/smtp.py": "hands mails to the one server that the operator names",
    "adapters/embedded/postgres.py": "waits until its own server answers",
    "adapters/embedded/valkey.py": "waits until its own server answers",
    "entrypoints/commands/up.py": "waits until its own web process answers",
    "application/kernel/csv_lines.py": "is the one writer",
}


def used(code: str) -> set[str]:
    """Dotted names that are imported, or reached through what is imported."""
    names: dict[str, str] = {}
    found: set[str] = set()
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {one.asname or one.name.partition(".")[0]: (one.asname and one.name) or one.name.partition(".")[0]
                      for one in node.names}  # fmt: skip
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
            found |= {node.module} | {f"{node.module}.{one.name}" for one in node.names}
    for node in ast.walk(tree):
        parts: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            parts.insert(0, inner.attr)
            inner = inner.value
        if parts and isinstance(inner, ast.Name) and inner.id in names:
            found.add(".".join([names[inner.id], *parts]))
    return found


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_only_one_module_connects_and_one_writes_csv(path):
    where = path.relative_to(SOURCE).as_posix()
    reached = used(path.read_text(encoding="utf-8")) & (CONNECTING | WRITING_CSV)
    assert bool(reached) == (where in EXCEPTIONS), reached


@pytest.mark.parametrize(
    "code",
    [
        "import urllib.request",
        "from urllib import request",
        "import http.client as plain",
        "from socket import create_connection as connect",
        "import socket\nsocket.create_connection(('a', 1))",
        "import csv\ncsv.writer(file)",
        "from csv import DictWriter",
        "import csv as c\nc.DictWriter(file, [])",
    ],
)
def test_a_planted_way_out_is_seen(code):
    assert used(code) & (CONNECTING | WRITING_CSV)


@pytest.mark.parametrize(
    "code", ["from urllib.parse import urlsplit", "from http import HTTPStatus", "import csv"]
)
def test_what_does_not_connect_is_left_alone(code):
    assert not used(code) & (CONNECTING | WRITING_CSV)
