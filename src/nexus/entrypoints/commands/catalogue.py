"""``nexus import``."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from nexus.entrypoints.commands.terminal import Commands, Taught, answer, as_json, opened, progress, settings

if TYPE_CHECKING:
    from nexus.application.catalogue.import_report import ImportReport


DOWNLOAD_WITHIN: Final = timedelta(minutes=15)
LONGEST_DOWNLOAD: Final = 500_000_000


class FileOrUrl(click.Path):
    """A file that is there, or a URL, which stays text."""

    name = "file"

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and value.lower().startswith(("https://", "http://")):
            return value
        return super().convert(value, param, ctx)


@click.group("import", cls=Commands, short_help="Take over what others publish.")
def import_files() -> None:
    """Take over what others publish: `nexus import catalogue`."""


@import_files.command(
    cls=Taught,
    examples=[
        "nexus import catalogue programs.csv --profile chicago --dry-run",
        "nexus import catalogue programs.csv --profile chicago --shift-dates --report fates.csv",
        "nexus import catalogue https://data.example.org/programs.csv --profile chicago",
    ],
)
@click.argument("file", type=FileOrUrl())
@click.option("--profile", required=True, help="A profile's name, or the path of one's own TOML file.")
@click.option("--dry-run", is_flag=True, help="Store nothing; say what would become of each row.")
@click.option(
    "--shift-dates", is_flag=True, help="Move all dates by whole weeks: the season starts next Monday."
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the fate of every row to this file: CSV, or JSON lines for .jsonl.",
)
@as_json
def catalogue(
    file: Path | str,
    profile: str,
    dry_run: bool,
    shift_dates: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """
    Import a publisher's catalogue: venues, activities, schedules, sessions.

    A bad row never stops the rest. Running it again changes nothing, and an
    interrupted import is simply repeated. FILE may be a URL: https, on the public
    internet, without redirects.
    """
    from nexus.entrypoints.installation import import_catalogue, local_copy, outgoing, profile_named

    chosen = profile_named(profile)
    client = outgoing(settings(), within=DOWNLOAD_WITHIN, most_bytes=LONGEST_DOWNLOAD)
    with local_copy(file, client) as path, opened(create=True) as (nexus, _), progress("Rows") as bar:
        done = import_catalogue(
            nexus,
            path,
            chosen,
            shift_dates=shift_dates,
            dry_run=dry_run,
            report=report,
            progress=bar,
        )
    if as_json:
        answer(done.as_dict())
        return
    show(done)
    if report:
        click.echo(f"The fate of each row is in {report}.")


def show(done: "ImportReport") -> None:
    """The figures of an import, for people."""
    from rich.console import Console
    from rich.table import Table

    figures = done.as_dict()
    console = Console()
    head = "Nothing was stored (dry run)." if done.dry_run else "Done."
    console.print(f"{head} {done.rows:,} rows, dates moved by {done.shifted_weeks} weeks.")
    table = Table("rows", "", box=None, show_header=False)
    for name in ("imported", "adjusted", "refused", "new", "updated", "unchanged", "over"):
        table.add_row(f"{figures[name]:>9,}", name)
    for name in ("venues", "new_venues", "schedules", "sessions"):
        table.add_row(f"{figures[name]:>9,}", name.replace("_", " "))
    console.print(table)
    for title, name in (("Refused because", "refusals"), ("Adjusted or noted", "adjustments")):
        if figures[name]:
            console.print(f"\n{title}")
            for slug, count in figures[name].items():
                console.print(f"{count:>9,} {slug}", highlight=False)
    if figures["missing_columns"]:
        click.echo("\nColumns of the profile that the file does not have")
        for ours, theirs in figures["missing_columns"].items():
            click.echo(f"          {ours} ({', '.join(theirs)})")
    if figures["unused_columns"]:
        click.echo("\nColumns of the file that the profile does not use")
        for theirs in figures["unused_columns"]:
            click.echo(f"          {theirs}")
