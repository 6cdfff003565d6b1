"""What the pages name is there: commands, requests, actions, files, tests, and where links lead."""

import re
from pathlib import Path

import click
import pytest

from nexus.adapters.postgres.pool import open_pool
from nexus.domain.compliance.audit import Action
from nexus.entrypoints.cli import main
from nexus.entrypoints.http.api import build
from nexus.entrypoints.http.policies import routes_of
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring import Nexus

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
RUNBOOKS = sorted(ROOT.glob("docs/howto/runbook-*.md"))

CODE = re.compile(r"^```[a-z]*\n(.*?)^```$|^ {4,}([^\n]+)$|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|\s|bin/)nexus (?=[a-z])(.+)")
REQUEST = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[^\s`?]*)(?:\?(\S*))?")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
SHOWN = re.compile(r"`((?:tests|src)/[\w./-]+)(?:::(\w+))?`")
SQL = re.compile(r"^```sql\n(SET nexus\.scope.*?)^```$", re.MULTILINE | re.DOTALL)

PLANTED = """
    SET LOCAL nexus.scope = 'platform';
    INSERT INTO users (id, email, role, first_name, last_name, timezone, joined_at)
    VALUES ('018f0000-0000-7000-8000-00000000d0c5', 'mallory@docs.example', 'platform_admin', 'M', 'M', 'UTC', now());
    INSERT INTO user_sessions (token_hash, id, user_id, created_at, expires_at)
    SELECT sha256('forged'), id, id, now(), now() + interval '1 hour' FROM users WHERE email = 'mallory@docs.example';
    INSERT INTO mail_tokens (user_id, purpose, token_hash, created_at, expires_at)
    SELECT id, 'reset_password', sha256('read'), now(), now() + interval '1 hour'
      FROM users WHERE email = 'mallory@docs.example';
    SET LOCAL nexus.scope = '';
"""
"""What whoever has the product's login may leave behind."""


def code(text):
    """The pieces of a page that are set as code, line by line."""
    return [
        line for found in CODE.finditer(text) for part in found.groups() if part for line in part.splitlines()
    ]


def wrong_command(words):
    """What the program does not know of the words after ``nexus``; ``None`` if it knows all."""
    command, rest = main, list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith(("-", "[")):
        inner = command.commands.get(rest[0])
        if inner is None:
            return f"no command {rest[0]}"
        command = inner
        rest.pop(0)
    known = {"--help"}.union(*((*parameter.opts, *parameter.secondary_opts) for parameter in command.params))
    return next(
        (f"no option {word}" for word in rest if word.startswith("--") and word not in known),
        None,
    )


def wrong_commands(text):
    found = []
    for line in code(text):
        if command := COMMAND.search(line):
            words = re.split(r"[\s|#;&]*(?:\s#|[|;&<])", command[1])[0].split()
            if wrong := wrong_command(words):
                found.append(f"{line.strip()}: {wrong}")
    return found


@pytest.fixture(scope="module")
def app():
    return build(Nexus(None, now=None, secret_key=bytes(32)), Settings(metrics=True))


@pytest.fixture(scope="module")
def served(app):
    """Every route, with its parameters left open, and the names that its query takes."""
    queries = {
        (path, method.upper()): {
            one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"
        }
        for path, methods in app.openapi_schema.to_schema()["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict)
    }
    return {
        (method, re.sub(r"{\w+}", "{}", path)): queries.get((path, method), set())
        for path, method, _ in routes_of(app)
    }


def wrong_requests(text, served):
    found = []
    for method, path, query in REQUEST.findall(text):
        asked = re.sub(r"{\w+}|\$[A-Z_]+", "{}", path.rstrip("/.,;:")) or "/"
        # Where nothing else can be meant, pages leave the beginning out.
        fits = [
            known
            for known in served
            for whole in (asked, f"/api/v1{asked}")
            if known[0] == method and re.fullmatch(re.escape(known[1]).replace(r"\{\}", "[^/]+"), whole)
        ]
        if not fits:
            found.append(f"{method} {path}: no such route")
            continue
        names = {pair.partition("=")[0] for pair in query.rstrip("`.,;:)").split("&") if pair}
        if unknown := names - served[fits[0]]:
            found.append(f"{method} {path}: no parameter {', '.join(sorted(unknown))}")
    return found


def wrong_actions(text):
    return sorted(set(re.findall(r"\baction=([\w.]+)", text)) - {action.label for action in Action})


def wrong_files(text):
    found = []
    for path, test in SHOWN.findall(text):
        place = ROOT / path
        if not place.exists():
            found.append(path)
        elif test and f"def {test}(" not in place.read_text(encoding="utf-8"):
            found.append(f"{path}::{test}")
    return found


def named(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_on_a_page_exists(page):
    assert wrong_commands(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_request_on_a_page_has_a_route(page, served):
    assert wrong_requests(page.read_text(encoding="utf-8"), served) == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_action_file_and_test_that_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    assert wrong_actions(text) + wrong_files(text) == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page):
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_found_from_the_first():
    reached, to_read = set(), [ROOT / "README.md"]
    while to_read:
        page = to_read.pop().resolve()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            to_read += [page.parent / link for link in LINK.findall(page.read_text(encoding="utf-8"))]
    assert [named(page) for page in PAGES if page.resolve() not in reached] == []


@pytest.fixture
def login(database_url):
    """A connection of nobody else: after a rollback by psycopg it has forgotten what was prepared."""
    with open_pool(database_url, size=1) as pool, pool.connection() as connection:
        yield connection


@pytest.mark.postgres
@pytest.mark.parametrize("page", RUNBOOKS, ids=named)
def test_the_statements_of_a_runbook_run_for_the_products_own_login(page, login):
    for block in SQL.findall(page.read_text(encoding="utf-8")):
        with login.transaction(force_rollback=True):
            for statement in filter(str.strip, block.split(";")):
                login.execute(statement.encode())


@pytest.mark.postgres
def test_after_a_leaked_login_no_sign_in_and_no_mailed_link_is_left(login):
    page = ROOT / "docs/howto/runbook-leaked-key.md"
    (ending,) = [block for block in SQL.findall(page.read_text(encoding="utf-8")) if "UPDATE" in block]
    with login.transaction(force_rollback=True):
        for statement in filter(str.strip, (PLANTED + ending).split(";")):
            login.execute(statement.encode())
        left = login.execute(
            "SELECT (SELECT count(*) FROM user_sessions), (SELECT count(*) FROM mail_tokens), (SELECT count(*)"
            " FROM user_sessions WHERE revoked_at IS NULL), (SELECT count(*) FROM mail_tokens WHERE used_at IS NULL)"
        ).fetchone()
        assert left is not None
        assert left[0] > 0 < left[1]
        assert left[2:] == (0, 0)


def test_what_is_not_there_would_be_noticed(served):
    assert wrong_commands("`nexus keys revoke`, `nexus verify --quick`, `nexus keys rotate`") == [
        "nexus keys revoke: no command revoke",
        "nexus verify --quick: no option --quick",
    ]
    assert wrong_commands("Then:\n\n    NEXUS_PORT=1 nexus serv --port 1 | less\n") != []
    assert wrong_requests(
        "`DELETE /api/v1/me/api-keys/{id}`, `GET /api/v1/admin/audit?who=`, `GET /api/v1/me`.", served
    ) == ["DELETE /api/v1/me/api-keys/{id}: no such route", "GET /api/v1/admin/audit: no parameter who"]
    assert wrong_actions("?action=auth.signed_in&x, ?action=auth.hacked") == ["auth.hacked"]
    assert wrong_files("`tests/docs/test_pages.py::test_nothing`, `src/nexus/nowhere.py`, `src/nexus`") == [
        "tests/docs/test_pages.py::test_nothing",
        "src/nexus/nowhere.py",
    ]
    assert len(RUNBOOKS) == 2
    for page in RUNBOOKS:
        text = page.read_text(encoding="utf-8")
        assert COMMAND.search("\n".join(code(text)))
        assert REQUEST.search(text)
        assert SQL.search(text)
