"""What a process says about itself, and the first page."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from attrs import evolve
from litestar.testing import TestClient
from psycopg_pool import ConnectionPool

from nexus import __version__
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.application.identity.create_user import NewUser
from nexus.domain.identity.people import Role
from nexus.entrypoints.demo import DEMO_ACCOUNTS
from nexus.entrypoints.http.api import build
from nexus.entrypoints.settings import Environment, Settings
from nexus.entrypoints.wiring import Nexus, open_nexus

KEY = base64.b64encode(bytes(range(32))).decode()
NOWHERE = "postgresql://nobody@127.0.0.1:1/nexus"


@contextmanager
def serving(database_url: str, env: Environment = Environment.PRODUCTION) -> Iterator[TestClient]:
    stated = Settings.of({"NEXUS_DATABASE_URL": database_url, "NEXUS_SECRET_KEY": KEY})
    stated = evolve(stated, env=env)
    with open_nexus(stated) as nexus, TestClient(build(nexus, stated)) as client:
        yield client


@pytest.fixture(scope="module")
def production(database_url: str) -> Iterator[TestClient]:
    with serving(database_url) as client:
        yield client


@pytest.fixture(scope="module")
def development(database_url: str) -> Iterator[TestClient]:
    with serving(database_url, Environment.DEVELOPMENT) as client:
        yield client


@pytest.fixture
def demo_world(begin: PostgresBegin, pool: ConnectionPool) -> None:
    """As much of it as the page looks for."""
    create = Nexus(pool, now=lambda: datetime.now(UTC), secret_key=bytes(32)).create_user
    email = DEMO_ACCOUNTS[0].email
    create(NewUser(email=email, role=Role.PLATFORM_ADMIN, first_name="Demo", last_name="World"))


@pytest.fixture(scope="module")
def without_database() -> Iterator[TestClient]:
    with serving(NOWHERE) as client:
        yield client


def test_it_is_ready_when_the_database_answers_and_is_up_to_date(production, begin):
    assert production.get("/readyz").json() == {
        "status": "ready",
        "parts": {
            "database": {"status": "ready"},
            "migrations": {"status": "ready", "missing": 0},
            "audit_log": {"status": "ready"},
            "outbox": {"status": "ready", "oldest_unsent_seconds": 0.0},
        },
    }
    assert production.get("/healthz").json() == {"status": "alive"}


def test_without_its_database_it_lives_but_is_not_ready(without_database):
    assert without_database.get("/healthz").status_code == 200
    answer = without_database.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reason"] == "the database does not answer"
    page = without_database.get("/")
    assert page.status_code == 200
    assert "Not ready: the database does not answer" in page.text


def test_it_is_not_ready_while_a_migration_is_missing(production, owner):
    last = owner.execute(
        "DELETE FROM schema_migrations WHERE number = (SELECT max(number) FROM schema_migrations) RETURNING *"
    ).fetchone()
    try:
        answer = production.get("/readyz")
    finally:
        owner.execute("INSERT INTO schema_migrations VALUES (%s, %s, %s, %s)", last)
    assert (answer.status_code, answer.json()["reason"]) == (
        503,
        "migrations that have not run: 1 (nexus migrate)",
    )


def test_the_first_page_says_what_runs(production):
    page = production.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for fact in (
        f"Version {__version__}",
        "production",
        "up to date",
        'href="/docs"',
        "/schema/openapi.json",
    ):
        assert fact in page.text


def test_every_link_of_the_first_page_leads_somewhere(demo_world, development):
    page = development.get("/").text
    targets = [part.partition('"')[0] for part in page.replace('src="', 'href="').split('href="')[1:]]
    assert len(targets) >= 5
    for target in targets:
        assert target.startswith("/"), "nothing comes from elsewhere"
        assert development.get(target).status_code == 200, target


def test_demo_accounts_are_shown_where_there_are_some(begin, development):
    assert "demo.example" not in development.get("/").text


def test_demo_accounts_are_shown_in_development_only(demo_world, production, development):
    assert "parent@demo.example" in development.get("/").text
    assert "demo.example" not in production.get("/").text
    assert "picnic-by-the-lake" not in production.get("/").text


def test_the_page_needs_nothing_inline(development):
    page = development.get("/")
    policy = page.headers["content-security-policy"]
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<style" not in page.text
    assert "<script" not in page.text
    assert " style=" not in page.text


@pytest.mark.parametrize("name", ["pages.py", "..%2Fpages.py", "%2e%2e/pages.py", "nope.css"])
def test_only_the_page_s_own_files_are_served(production, name):
    assert production.get(f"/static/{name}").status_code == 404
