"""``nexus settings``."""

from typing import Any

import click
from attrs import Attribute, fields

from nexus.entrypoints.commands.terminal import Taught, answer, as_json, settings
from nexus.entrypoints.settings import Settings, variable


@click.command(
    "settings",
    short_help="List every setting and its value.",
    cls=Taught,
    examples=["nexus settings", "NEXUS_PORT=9000 nexus settings --json"],
)
@click.option(
    "--markdown", is_flag=True, help="As the page docs/reference/settings.md, without present values."
)
@as_json
def list_settings(markdown: bool, as_json: bool) -> None:
    """List every setting: its meaning, default and present value. Secrets are not shown."""
    if markdown:
        click.echo(page(), nl=False)
        return
    present = settings()
    if as_json:
        answer([
            {
                "name": variable(one),
                "meaning": meaning(one),
                "default": default(one),
                "value": value(one, present),
                "secret": one.metadata["secret"],
            }
            for one in fields(Settings)
        ])  # fmt: skip
        return
    for one in fields(Settings):
        click.secho(f"{variable(one)} = {value(one, present) or '(not set)'}", bold=True)
        click.echo(click.wrap_text(meaning(one), 96, "    ", "    ") + "\n")


def meaning(one: "Attribute[Any]") -> str:
    return str(one.metadata["meaning"])


def default(one: "Attribute[Any]") -> str | None:
    """The default in words where it depends on the machine."""
    if shown := one.metadata["shown"]:
        return str(shown)
    return None if one.default is None else _text(one.default)


def value(one: "Attribute[Any]", present: Settings) -> str | None:
    """The present value; of a secret, only that there is one."""
    stated = getattr(present, one.name)
    if stated is None:
        return None
    return "(set, not shown)" if one.metadata["secret"] else _text(stated)


def _text(stated: object) -> str:
    return str(stated).lower() if isinstance(stated, bool) else str(stated)


def page() -> str:
    """The reference page."""
    lines = [
        "# Settings",
        "",
        "Environment variables. One that starts with `NEXUS_` and is not in this list stops every command.",
        "`nexus settings` shows the present values. This page is made by `nexus settings --markdown`.",
        "",
        "| Variable | Default | Meaning |",
        "|---|---|---|",
    ]
    for one in fields(Settings):
        shown = default(one)
        needed = "none; needed in production" if one.metadata["required"] else "none"
        stated = (shown if one.metadata["shown"] else f"`{shown}`") if shown is not None else needed
        lines.append(f"| `{variable(one)}` | {stated} | {meaning(one)} |")
    lines += [
        "| `NEXUS_PG_BIN` | the bundled one | Folder of the PostgreSQL that `nexus up` and the tests start. |",
        "",
        "Traces are switched on, and told where to go, by OpenTelemetry's own variables, above all",
        "`OTEL_EXPORTER_OTLP_ENDPOINT`: [how](../howto/monitor.md#traces).",
        "",
    ]
    return "\n".join(lines)
