"""``nexus migrate`` and ``nexus demo``."""

import os

import click

from nexus.entrypoints.commands.terminal import Taught, answer, as_json, opened, progress, say
from nexus.entrypoints.settings import SettingError


@click.command(
    cls=Taught,
    examples=["NEXUS_MIGRATION_URL=postgresql://owner@db/nexus nexus migrate", "nexus migrate --check"],
)
@click.option("--check", is_flag=True, help="Run nothing; exit with status 1 if a migration is missing.")
@as_json
def migrate(check: bool, as_json: bool) -> None:
    """
    Bring the database's tables up to date.

    Connects as the owner of the tables: NEXUS_MIGRATION_URL, else
    NEXUS_DATABASE_URL. Run it before the new version starts; several at once
    wait for each other.
    """
    from nexus.entrypoints.installation import installed, missing
    from nexus.entrypoints.installation import migrate as bring_up_to_date

    environment = dict(os.environ)
    if (owner := environment.get("NEXUS_MIGRATION_URL")) and not environment.get("NEXUS_DATABASE_URL"):
        environment["NEXUS_DATABASE_URL"] = owner
    with installed(environment, create=not check, say=say) as found:
        if check:
            names = [f"{migration.number:04} {migration.name}" for migration in missing(found.database_owner)]
            answer({"missing": names}) if as_json else _list("Missing", names)
            if names:
                raise click.exceptions.Exit(1)
            return
        applied: list[str] = []
        bring_up_to_date(found.database_owner, progress=applied.append)
    if as_json:
        answer({"applied": applied})
    else:
        _list("Applied", applied)


def _list(what: str, names: list[str]) -> None:
    for name in names:
        click.echo(f"{what}: {name}")
    if not names:
        click.echo("Up to date.")


@click.command(cls=Taught, examples=["nexus demo"])
@as_json
def demo(as_json: bool) -> None:
    """
    Load the demo world into an empty database.

    Invented companies, families and venues, with a past and six weeks ahead; always
    the same. Everybody knows its passwords: only where NEXUS_ENV=development.
    """
    from nexus.entrypoints.demo import DEMO_ACCOUNTS, DEMO_PASSWORD, load_demo

    with opened(create=True) as (nexus, stated), progress("Loading the demo world") as bar:
        if not stated.is_development:
            raise SettingError("everybody knows the passwords of the demo world: NEXUS_ENV=development only")
        load_demo(nexus, progress=bar)
    accounts = [{"role": one.role, "email": one.email, "password": DEMO_PASSWORD} for one in DEMO_ACCOUNTS]
    if as_json:
        answer({"accounts": accounts})
        return
    for account in accounts:
        click.echo(f"{account['role']:<15} {account['email']:<24} {account['password']}")
