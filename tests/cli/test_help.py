"""The help text is the table of contents, and the reference pages are what the program says."""

from pathlib import Path

import click
import pytest

from nexus.entrypoints.cli import main
from nexus.entrypoints.commands.reference import page as cli_page
from nexus.entrypoints.commands.settings import page as settings_page
from nexus.entrypoints.commands.terminal import Taught

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
COMMANDS = [
    "up", "serve", "worker", "scheduler", "migrate", "demo", "import", "verify", "clock", "mail", "create-admin",
    "accounts", "settings",
]  # fmt: skip


def leaves(command=main, path=()):
    if isinstance(command, click.Group):
        return [leaf for name, inner in command.commands.items() for leaf in leaves(inner, (*path, name))]
    return [] if command.hidden else [(path, command)]


def test_the_help_lists_every_command_in_the_order_of_use(run):
    shown = run("--help").output
    places = [shown.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)
    assert "..." not in shown.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("path", "command"), leaves(), ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_every_command_teaches_by_an_example(run, path, command):
    assert isinstance(command, Taught)
    assert any(f"nexus {' '.join(path)}" in example for example in command.examples)
    shown = run(*path, "--help").output
    assert all(example in shown for example in command.examples)


def test_the_reference_of_the_command_line_is_what_the_program_says():
    """Renew it with `nexus cli-reference`."""
    assert (REFERENCE / "cli.md").read_text(encoding="utf-8") == cli_page(main)


def test_the_reference_of_the_settings_is_what_the_program_says():
    """Renew it with `nexus settings --markdown`."""
    assert (REFERENCE / "settings.md").read_text(encoding="utf-8") == settings_page()


def test_settings_shows_values_but_no_secret(run):
    shown = run("settings", port="9000", database_url="postgresql://x:hunter2@db/nexus")
    assert "NEXUS_PORT = 9000" in shown.output
    assert "NEXUS_DATABASE_URL = (set, not shown)" in shown.output
    stated = run("settings", "--json", secret_key="A" * 43 + "=")
    assert {one["name"]: one["value"] for one in stated.json}["NEXUS_SECRET_KEY"] == "(set, not shown)"
    assert "hunter2" not in shown.output
    assert "AAAA" not in stated.output


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"prot": "1"}, "NEXUS_PROT"),
        ({"port": "99999"}, "NEXUS_PORT"),
        ({"env": "staging"}, "NEXUS_ENV"),
        ({"secret_key": "c2hvcnQ="}, "NEXUS_SECRET_KEY"),
    ],
)
def test_a_setting_that_makes_no_sense_is_one_line_and_status_2(run, variables, named):
    outcome = run("settings", **variables)
    assert outcome.status == 2
    assert outcome.fault.startswith("nexus: ")
    assert named in outcome.fault
    assert outcome.fault.count("\n") == 1


@pytest.mark.parametrize(("command", "needed"), [
    ("serve", "NEXUS_DATABASE_URL"),
    ("worker", "NEXUS_DATABASE_URL"),
    ("scheduler", "NEXUS_DATABASE_URL"),
])  # fmt: skip
def test_a_process_says_which_setting_it_lacks(run, command, needed):
    outcome = run(command)
    assert (outcome.status, needed in outcome.fault) == (2, True)


def test_up_is_for_development_only(run, tmp_path):
    for variables in ({"env": "production"}, {"database_url": "postgresql://db"}, {"redis_url": "redis://r"}):
        outcome = run("up", data_dir=str(tmp_path / "var"), **variables)
        assert outcome.status == 2
        assert not (tmp_path / "var").exists()
