"""``nexus keys``."""

from collections.abc import Iterable

import click
from attrs import asdict

from nexus.entrypoints.commands.terminal import Commands, Taught, answer, as_json, opened, progress

INTERRUPTED = 130
"""The status of a command that Ctrl-C ended, as shells say it."""


@click.group(cls=Commands, short_help="Make, count and change the keys that seal.")
def keys() -> None:
    """
    The keys that seal medical notes and other secrets.

    NEXUS_SECRET_KEY seals; NEXUS_FORMER_KEYS only open what they sealed before.
    docs/howto/rotate-keys.md tells how to change a key while the product serves.
    """


@keys.command(cls=Taught, examples=["nexus keys new"])
def new() -> None:
    """Print a fresh key, for NEXUS_SECRET_KEY. Nothing is changed."""
    from nexus.entrypoints.installation import fresh_key

    click.echo(fresh_key())


@keys.command(cls=Taught, examples=["nexus keys status", "nexus keys status --json | jq '.sealed'"])
@as_json
def status(as_json: bool) -> None:
    """
    Count what is sealed under which key.

    A former key that seals nothing any more can be thrown away. Exits with status 1
    when something is sealed under a key that is neither NEXUS_SECRET_KEY nor among
    NEXUS_FORMER_KEYS: nobody can read it.
    """
    with opened() as (nexus, _):
        found = nexus.show_keys()
        names = [name for name in nexus.key_names if name.startswith("former")]
    used = {one.key for one in found}
    roots = list(dict.fromkeys(name.partition(",")[0] for name in names))
    idle = [root for root in roots if not any(key.partition(",")[0] == root for key in used)]
    if as_json:
        answer({"sealed": [asdict(one) for one in found], "unused": idle})
    else:
        for one in found:
            click.echo(
                f"{one.values:>10}  {one.column:<28} {one.key}" + (f" ({one.key_id})" * bool(one.key_id))
            )
        click.echo(_sentence(idle) if found or roots else "Nothing is sealed.")
    if "unknown" in used:
        raise click.exceptions.Exit(1)


def _sentence(idle: Iterable[str]) -> str:
    named = ", ".join(idle)
    return f"Seals nothing any more: {named}." if named else "Every key is in use."


@keys.command(cls=Taught, examples=["nexus keys rotate"])
@as_json
def rotate(as_json: bool) -> None:
    """
    Seal everything anew that is sealed under a former key.

    Runs while the product serves, once every process has the new NEXUS_SECRET_KEY.
    Ctrl-C stops it between two batches; run again, it goes on. Exits with status 1
    when something had to stay: rows that others were changing, or that no key opens.
    """
    from nexus.application.platform.rotate_keys import Rotation

    done, interrupted = Rotation(), False
    with opened() as (nexus, _), progress("Sealing under the current key") as bar:
        try:
            nexus.rotate_keys(done, progress=bar)
        except KeyboardInterrupt:
            interrupted = True
    if as_json:
        answer(asdict(done) | {"interrupted": interrupted})
    else:
        for column, moved in done.moved.items():
            click.echo(f"{column}: {moved} moved")
        if not done.moved:
            click.echo("Nothing moved.")
        if done.busy:
            click.echo(f"{done.busy} were being changed: run it again.")
        if done.unreadable:
            click.echo(f"{done.unreadable} open with no key that is here: see `nexus keys status`.")
        if interrupted:
            click.echo("Stopped; run it again to go on.")
    if interrupted:
        raise click.exceptions.Exit(INTERRUPTED)
    if not done.is_complete:
        raise click.exceptions.Exit(1)
