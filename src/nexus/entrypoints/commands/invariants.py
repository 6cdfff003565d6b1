"""``nexus verify``."""

import click

from nexus.entrypoints.commands.terminal import Taught, answer, as_json, opened


@click.command(
    short_help="Check every promise about the data.",
    cls=Taught,
    examples=["nexus verify", "nexus verify --json | jq '.findings'"],
)
@as_json
def verify(as_json: bool) -> None:
    """
    Check every promise about the data, and show the rows that break one.

    Read-only, on one snapshot; nothing waits for it. Exits with status 1 when
    something is found.
    """
    from nexus.entrypoints.installation import findings

    with opened() as (nexus, _):
        checked = list(findings(nexus))
    broken = [finding for finding in checked if not finding.holds]
    if as_json:
        answer({
            "checked": len(checked),
            "findings": [
                {
                    "invariant": one.invariant.number,
                    "promise": one.invariant.promise,
                    "rows": list(one.rows),
                }
                for one in broken
            ],
        })  # fmt: skip
    else:
        for one in checked:
            mark = "ok    " if one.holds else "BROKEN"
            click.echo(f"{mark} {one.invariant.number:<4} {one.invariant.promise}")
            for row in one.rows:
                click.echo("            " + ", ".join(f"{name}={value}" for name, value in row.items()))
        click.echo(f"{len(checked)} promises, {len(broken) or 'none'} broken.")
    if broken:
        raise click.exceptions.Exit(1)
