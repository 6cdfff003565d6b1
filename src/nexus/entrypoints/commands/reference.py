"""``nexus cli-reference`` and ``nexus audit-reference``: pages of docs/reference."""

import inspect
from collections.abc import Iterator

import click

from nexus.entrypoints.commands.terminal import Taught


@click.command("cli-reference", hidden=True)
@click.pass_context
def cli_reference(ctx: click.Context) -> None:
    """Print docs/reference/cli.md."""
    click.echo(page(ctx.find_root().command), nl=False)


@click.command("audit-reference", hidden=True)
def audit_reference() -> None:
    """Print docs/reference/audit-actions.md."""
    click.echo(audit_page(), nl=False)


def audit_page() -> str:
    """The reference page of everything that the audit log records."""
    from nexus.domain.compliance.audit import Action

    lines = [
        "# What the audit log records",
        "",
        "This page is made by `nexus audit-reference`. The category of an action is the first word of its name;",
        "[why and how](../explanation/audit.md).",
        "",
        "| action | done to | severity |",
        "|---|---|---|",
    ]
    lines += [f"| `{action.label}` | {action.entity} | {action.severity} |" for action in Action]
    return "\n".join([*lines, ""])


def page(root: click.Command) -> str:
    """The reference page of the whole command line."""
    lines = [
        "# The command line",
        "",
        "This page is made by `nexus cli-reference`. Exit status: 0 when it worked, 1 when it did not, 2 when the",
        "arguments or settings cannot be meant; what can be expected to go wrong is one line on standard error.",
        "",
    ]
    for path, command in _commands(root, ("nexus",)):
        lines += _section(path, command)
    return "\n".join(lines)


def _commands(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            if not inner.hidden:
                yield from _commands(inner, (*path, name))


def _section(path: tuple[str, ...], command: click.Command) -> list[str]:
    context = click.Context(command, info_name=path[-1])
    arguments = " ".join(command.collect_usage_pieces(context))
    lines = [f"## {' '.join(path)}", "", f"`{' '.join(path)} {arguments}`", ""]
    text = inspect.cleandoc(command.help or "")
    lines += [text, ""]
    if isinstance(command, Taught):
        lines += ["```sh", *command.examples, "```", ""]
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    for option in options:
        record = option.get_help_record(context)
        if record is not None:
            lines.append(f"- `{record[0]}`: {record[1]}")
    return [*lines, ""] if options else lines
