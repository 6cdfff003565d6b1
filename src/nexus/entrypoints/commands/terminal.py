"""What commands share: finding the installation, answers for people and for scripts, faults in one line."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from nexus.entrypoints.settings import SettingError, Settings

if TYPE_CHECKING:
    from nexus.entrypoints.wiring import Nexus

as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for scripts.")


class Fault(click.ClickException):
    """An expected fault: one line on standard error, and exit status 1."""

    def show(self, file: Any = None) -> None:
        click.echo(f"nexus: {self.format_message()}", file=file, err=True)


class WrongSetting(Fault):
    """What the environment says cannot be meant: exit status 2, as for wrong arguments."""

    exit_code = 2


class Commands(click.Group):
    """Commands in the order in which they were added; what can be expected to go wrong is one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SettingError as fault:
            raise WrongSetting(str(fault)) from fault
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from nexus.entrypoints.installation import explain

            said = explain(error)
            if said is None:
                raise
            raise Fault(said) from error


class Taught(click.Command):
    """A command whose help ends with examples."""

    def __init__(self, *arguments: Any, examples: Sequence[str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{' ' * formatter.current_indent}{example}\n")


def say(message: str) -> None:
    """Tell people what happens; standard output stays for the answer."""
    click.echo(message, err=True)


def answer(value: Any) -> None:
    """The answer for a script."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def settings() -> Settings:
    """The settings in our environment."""
    return Settings.of(os.environ)


@contextmanager
def opened(*, create: bool = False) -> Iterator["tuple[Nexus, Settings]"]:
    """
    The product over the installation that the environment names.

    Without NEXUS_DATABASE_URL, outside production, that is the one of `nexus up`.
    """
    from nexus.entrypoints.installation import installed
    from nexus.entrypoints.wiring import open_nexus

    with installed(os.environ, create=create, say=say) as found, open_nexus(found.settings) as nexus:
        yield nexus, found.settings


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """
    Shows how much is done, of how much, on standard error from the first time it is told.

    A bar where somebody watches, else one line.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
    task = bar.add_task(what, total=None)

    def told(done: int, total: int) -> None:
        if bar.disable and not bar.tasks[task].completed:
            say(f"{what} ...")
        bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield told
    finally:
        bar.stop()
