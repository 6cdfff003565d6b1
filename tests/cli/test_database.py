"""Commands on a given database."""

import socket
from datetime import UTC, datetime, timedelta

import pytest

from cli.conftest import KEY
from nexus.application.identity.views import SecondFactorNeeded
from nexus.domain.identity.people import Role
from nexus.domain.identity.second_factor import as_seed, hotp, step_at
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring import open_nexus

NOWHERE = "postgresql://nobody@127.0.0.1:1/nexus"


@pytest.fixture
def new_database(postgres_server, owner):
    owner.execute("CREATE DATABASE unmigrated")
    yield postgres_server.database_url.rpartition("/")[0] + "/unmigrated"
    owner.execute("DROP DATABASE unmigrated WITH (FORCE)")


def test_migrate_runs_what_is_missing_and_says_what(run, new_database):
    checked = run("migrate", "--check", database_url=new_database)
    assert checked.status == 1
    assert "Missing: 0001 foundation" in checked.output
    ran = run("migrate", "--json", migration_url=new_database)
    assert ran.json["applied"][0] == "0001 foundation"
    assert run("migrate", database_url=new_database).output == "Up to date.\n"
    assert run("migrate", "--check", "--json", database_url=new_database).json == {"missing": []}


def test_migrate_takes_the_owner_s_address_before_the_application_s(run, new_database):
    ran = run("migrate", "--check", database_url=NOWHERE, migration_url=new_database)
    assert "Missing: 0001 foundation" in ran.output


def test_a_database_that_is_away_is_one_line_and_status_1(run):
    outcome = run("migrate", database_url=NOWHERE)
    assert outcome.status == 1
    assert outcome.fault.startswith("nexus: the database does not answer")
    assert outcome.fault.count("\n") == 1


def test_the_first_administrator_can_sign_in(begin, on_database, database_url):
    made = on_database(
        "create-admin", "ada@example.com", "--password-stdin", "--json", input="correct horse battery\n"
    )
    assert made.json["email"] == "ada@example.com"
    settings = Settings.of({"NEXUS_DATABASE_URL": database_url, "NEXUS_SECRET_KEY": KEY})
    with open_nexus(settings) as nexus:
        signed_in = nexus.sign_in("ADA@example.com", "correct horse battery")
    assert signed_in.me.role is Role.PLATFORM_ADMIN


def test_a_lost_second_factor_is_taken_off(begin, on_database, database_url):
    """Then the password is enough for a sign-in that may set up another one, and old sign-ins have ended."""
    on_database("create-admin", "ada@example.com", "--password-stdin", input="correct horse battery\n")
    settings = Settings.of({"NEXUS_DATABASE_URL": database_url, "NEXUS_SECRET_KEY": KEY})
    with open_nexus(settings) as nexus:
        ada = nexus.authenticate(nexus.sign_in("ada@example.com", "correct horse battery").token)
        seed = as_seed(nexus.begin_second_factor(actor=ada).secret)
        enrolled = nexus.confirm_second_factor(hotp(seed, step_at(nexus.now())), actor=ada)
        assert isinstance(nexus.sign_in("ada@example.com", "correct horse battery"), SecondFactorNeeded)
        done = on_database("accounts", "reset-factor", "ADA@example.com", "--json")
        assert done.json == {"id": str(ada.user)}
        assert nexus.authenticate(enrolled.sign_in.token) is None
        assert nexus.sign_in("ada@example.com", "correct horse battery").sign_in.is_restricted
    again = on_database("accounts", "reset-factor", "ada@example.com")
    assert (again.status, again.fault) == (1, "nexus: No second factor is set up.\n")


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("nobody", "correct horse battery", "not an e-mail address"),
        ("ada@example.com", "short", "8 to 128 characters"),
        ("taken@example.com", "correct horse battery", "already signs in"),
    ],
)
def test_a_refused_administrator_is_one_line_and_status_1(begin, on_database, email, password, said):
    on_database("create-admin", "taken@example.com", "--password-stdin", input="correct horse battery")
    outcome = on_database("create-admin", email, "--password-stdin", input=f"{password}\n")
    assert outcome.status == 1
    assert said in outcome.fault
    assert outcome.fault.count("\n") == 1


def test_verify_is_clean_on_an_empty_database(begin, on_database):
    outcome = on_database("verify")
    assert outcome.status == 0
    assert "none broken" in outcome.output
    checked = on_database("verify", "--json").json
    assert checked["findings"] == []
    assert checked["checked"] == outcome.output.count("ok  ")


def test_verify_shows_the_rows_that_break_a_promise(begin, on_database, owner):
    owner.execute(
        """INSERT INTO command_keys (actor_id, key, fingerprint, claimed_at)
           VALUES (gen_random_uuid(), 'torn', '', now())"""
    )
    outcome = on_database("verify")
    assert outcome.status == 1
    assert "BROKEN I11" in outcome.output
    assert "key=torn" in outcome.output
    found = on_database("verify", "--json")
    assert found.status == 1
    assert [(one["invariant"], one["rows"][0]["key"]) for one in found.json["findings"]] == [("I11", "torn")]


@pytest.mark.parametrize("command", [("show",), ("advance", "49h"), ("reset",)])
def test_production_has_no_time_machine(begin, on_database, owner, command):
    outcome = on_database("clock", *command)
    assert outcome.status == 2
    assert "NEXUS_ENV=development" in outcome.fault
    assert owner.execute("SELECT count(*) FROM development_clock").fetchone() == (0,)


def test_a_given_database_is_production_s_unless_it_is_said_otherwise(begin, on_database):
    assert on_database("clock", "advance", "49h", env="").status == 2


def test_production_ignores_a_clock_that_was_moved(begin, on_database, owner, database_url):
    """Even if the row gets there somehow; the same row moves a development installation."""
    owner.execute("INSERT INTO development_clock (ahead) VALUES ('49 hours')")
    for env, ahead in (("production", timedelta(0)), ("development", timedelta(hours=49))):
        variables = {"NEXUS_ENV": env, "NEXUS_DATABASE_URL": database_url, "NEXUS_SECRET_KEY": KEY}
        with open_nexus(Settings.of(variables)) as nexus:
            off = nexus.now() - datetime.now(UTC)
        assert abs(off - ahead) < timedelta(minutes=1)


def test_the_clock_moves_shows_and_comes_back(begin, on_database):
    assert on_database("clock", "show", "--json", env="development").json["ahead_seconds"] == 0
    assert (
        on_database("clock", "advance", "1d1h", "--json", env="development").json["ahead_seconds"] == 90_000
    )
    moved = on_database("clock", "advance", "90m", env="development")
    assert "1 day, 2:30:00 ahead" in moved.output
    assert "the real time" in on_database("clock", "reset", env="development").output


@pytest.mark.parametrize("text", ["", "49", "h", "-1h", "1.5h", "0h", "49h ", "99999w", "1h30"])
def test_what_is_no_duration_is_refused(run, text):
    assert run("clock", "advance", "--", text, env="development").status == 2


def test_the_demo_world_is_refused_in_production(begin, on_database, owner):
    assert on_database("demo").status == 2
    assert owner.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_an_import_reports_and_a_dry_run_stores_nothing(begin, on_database, owner, tmp_path):
    profile = tmp_path / "town.toml"
    profile.write_text(PROFILE)
    file = tmp_path / "town.csv"
    file.write_text(ROWS)
    arguments = ("import", "catalogue", str(file), "--profile", str(profile), "--shift-dates")
    tried = on_database(*arguments, "--dry-run", "--json").json
    assert (tried["rows"], tried["refused"], tried["dry_run"]) == (3, 1, True)
    assert owner.execute("SELECT count(*) FROM activities").fetchone() == (0,)
    report = tmp_path / "fates.csv"
    done = on_database(*arguments, "--report", str(report))
    assert done.status == 0, done.fault
    assert "adults-only" in done.output
    assert report.read_text().count("\n") == 4
    assert owner.execute("SELECT count(*) > 1 FROM activity_sessions").fetchone() == (True,)
    again = on_database(*arguments, "--json").json
    assert (again["new"], again["updated"], again["unchanged"]) == (0, 0, 2)


def test_an_unknown_profile_names_those_that_there_are(on_database, tmp_path):
    file = tmp_path / "town.csv"
    file.write_text(ROWS)
    outcome = on_database("import", "catalogue", str(file), "--profile", "atlantis")
    assert outcome.status == 1
    assert "chicago" in outcome.fault


PROFILE = """
source = "springfield"
format = "csv"
time_zone = "America/Chicago"
[columns]
id = ["id"]
name = ["title"]
organisation = ["who"]
latitude = ["lat"]
longitude = ["lng"]
min_age = ["from_age"]
max_age = ["to_age"]
capacity = ["places"]
address = ["street"]
start_date = ["from"]
end_date = ["until"]
start_time = ["starts"]
end_time = ["ends"]
[place]
city = "Springfield"
state = "IL"
postal_code = "62701"
[categories]
default = "nature"
[price]
default_credits = 2
"""
ROWS = """id,title,who,lat,lng,from_age,to_age,places,street,from,until,starts,ends
1,Frogs,Parks,39.8,-89.6,6,10,12,1 Elm St.,2025-06-02,2025-07-28,09:00,10:30
2,Owls,Parks,39.8,-89.6,6,10,12,1 Elm St.,2025-06-03,2025-06-03,19:00,20:30
3,Wine,Parks,39.8,-89.6,21,99,12,1 Elm St.,2025-06-03,2025-06-03,19:00,20:30
"""


def test_serve_does_not_share_a_port_with_somebody_else(on_database):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = on_database("serve", "--port", str(port))
    assert (outcome.status, outcome.fault.count("\n")) == (1, 1)
    assert f"127.0.0.1:{port}" in outcome.fault
