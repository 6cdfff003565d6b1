"""The database as docs/howto/deploy.md sets it up: its owner is no superuser, and the product's login is a member."""

from datetime import timedelta
from urllib.parse import urlsplit

import psycopg
import pytest
from structlog.testing import capture_logs

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.invariants import verify
from nexus.adapters.postgres.login import powers_of_login
from nexus.adapters.postgres.migrate import migrate
from nexus.adapters.postgres.pool import open_pool
from nexus.application.kernel.actor import Actor
from nexus.domain.identity.people import Role
from nexus.entrypoints.commands import processes
from nexus.entrypoints.settings import Settings
from tests.support.booking import Desk
from tests.support.neighbours import asking
from tests.support.town import NOON, Town

pytestmark = pytest.mark.postgres

SET_UP = """
    CREATE ROLE deployed_owner LOGIN PASSWORD 'o';
    GRANT nexus_app TO deployed_owner WITH ADMIN OPTION;
    CREATE ROLE deployed_web LOGIN PASSWORD 'w' IN ROLE nexus_app
"""


@pytest.fixture(scope="module")
def deployed(database_url, owner):
    """The addresses for the owner and for the product."""
    owner.execute(SET_UP)
    owner.execute("CREATE DATABASE deployed OWNER deployed_owner ENCODING 'UTF8' TEMPLATE template0")
    url = urlsplit(database_url)

    def of(login):
        return url._replace(netloc=f"{login}@{url.hostname}:{url.port}", path="/deployed").geturl()

    yield of("deployed_owner:o"), of("deployed_web:w")
    owner.execute("DROP DATABASE deployed WITH (FORCE)")
    owner.execute("DROP ROLE deployed_web; DROP ROLE deployed_owner")


def test_everything_works_for_roles_that_may_no_more_than_they_must(deployed):
    owners, products = deployed
    assert migrate(owners) > 0
    assert migrate(owners) == 0
    with psycopg.connect(owners, autocommit=True) as owner, open_pool(products, size=2) as pool:
        assert owner.execute("SELECT count(*) FROM users").fetchone() == (0,)
        owner.execute("SET nexus.scope = 'platform'")
        town = Town(owner)
        first, second = town.family(), town.family()
        session = town.session(seats=1)
        desk = Desk(PostgresBegin(pool))

        def as_(family):
            return asking(Actor(user=family.parent, role=Role.PARENT, company=town.company))

        with as_(first):
            [booking] = desk.book(session, tuple(first.children), parent=first.parent, company=town.company)
        with as_(second):
            desk.join(session, tuple(second.children), parent=second.parent)
        with as_(first):
            desk.cancel(booking.id, parent=first.parent)
        with as_(second):
            [entry] = desk.list_entries(parent=second.parent, active=True, after=None, limit=9)
            assert entry.status == "offered"
            desk.accept(entry.id, parent=second.parent, company=town.company)
        assert town.seats(session) == (1, 1, 0, 0)
        with pool.connection() as connection:
            found = list(verify(connection, at=NOON, last_offer=timedelta(hours=1)))
        # The town's children were written without a history of their consents.
        assert [finding.invariant.number for finding in found if not finding.holds] == ["I16a"]
        owner.execute("SET nexus.scope = ''")
        assert owner.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_a_login_that_may_more_than_the_product_needs_is_noticed(deployed, database_url, owner):
    owners, products = deployed
    migrate(owners)
    assert powers_of_login(products) == []
    assert powers_of_login(owners) == ["may act as the tables' owner"]
    assert powers_of_login(database_url) == ["is a superuser"]
    owner.execute("ALTER ROLE deployed_web BYPASSRLS")
    assert powers_of_login(products) == ["bypasses row-level security"]
    owner.execute("ALTER ROLE deployed_web NOBYPASSRLS; GRANT deployed_owner TO deployed_web")
    assert powers_of_login(products) == ["may act as the tables' owner"]
    owner.execute("REVOKE deployed_owner FROM deployed_web")
    assert not powers_of_login("postgresql://nobody@127.0.0.1:1/nowhere")


@pytest.mark.parametrize(("env", "warned"), [("production", True), ("development", False)])
def test_processes_of_production_say_so_when_they_start(database_url, env, warned):
    settings = Settings.of({"NEXUS_ENV": env, "NEXUS_DATABASE_URL": database_url})
    with capture_logs() as logs:
        processes._warn_of_powers(settings)
    assert [line["login"] for line in logs] == ["is a superuser"] * warned
    assert not any("postgresql://" in str(line) for line in logs)
