"""``nexus clock``."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

import click

from nexus.entrypoints.commands.terminal import Commands, Taught, answer, as_json, opened
from nexus.entrypoints.settings import Environment, SettingError, Settings

if TYPE_CHECKING:
    from nexus.entrypoints.installation import TimeMachine

UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
FARTHEST: Final = timedelta(days=3660)


class Duration(click.ParamType[timedelta]):
    """90m, 49h, 3d, 2w, and sums of them: 1d12h."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        text = str(value)
        parts = re.findall(r"(\d{1,6})([mhdw])", text)
        if not parts or "".join(number + unit for number, unit in parts) != text:
            self.fail(f"{text!r} is not a duration; write 90m, 49h, 3d, 2w or 1d12h", param, ctx)
        total = sum((timedelta(**{UNITS[unit]: int(number)}) for number, unit in parts), timedelta(0))
        if not timedelta(0) < total <= FARTHEST:
            self.fail("must be more than nothing and at most ten years", param, ctx)
        return total


@click.group(cls=Commands, short_help="Move the clock, in development only.")
def clock() -> None:
    """
    The time machine of a development installation.

    Web, worker and scheduler share the clock, so one can watch offers expire
    and months end. It exists only where NEXUS_ENV=development.
    """
    stated = Settings.of(os.environ)
    is_given = bool(stated.database_url or os.environ.get("NEXUS_ENV"))
    if is_given and stated.env is not Environment.DEVELOPMENT:
        raise SettingError("the clock can be moved where NEXUS_ENV=development only")


@contextmanager
def time_machine() -> Iterator["TimeMachine"]:
    from nexus.entrypoints.installation import TimeMachine

    with opened() as (nexus, _):
        yield TimeMachine.of(nexus)


@clock.command(cls=Taught, examples=["nexus clock show"])
@as_json
def show(as_json: bool) -> None:
    """Say what time it is in the installation."""
    with time_machine() as machine:
        _tell(machine, as_json=as_json)


@clock.command(cls=Taught, examples=["nexus clock advance 49h", "nexus clock advance 1d12h --json"])
@click.argument("by", type=Duration())
@as_json
def advance(by: timedelta, as_json: bool) -> None:
    """Move the clock ahead, for everybody and until it is reset: by 90m, 49h, 3d, 2w, 1d12h."""
    with time_machine() as machine:
        machine.advance(by)
        _tell(machine, as_json=as_json)


@clock.command(cls=Taught, examples=["nexus clock reset"])
@as_json
def reset(as_json: bool) -> None:
    """
    Show the real time again.

    What happened in the future stays: bookings made then lie ahead of the clock.
    """
    with time_machine() as machine:
        machine.reset()
        _tell(machine, as_json=as_json)


def _tell(machine: "TimeMachine", *, as_json: bool) -> None:
    now, ahead = machine.show()
    if as_json:
        answer({"now": now.astimezone(UTC).isoformat(), "ahead_seconds": int(ahead.total_seconds())})
        return
    shown = f"{now:%A, %Y-%m-%d %H:%M:%S} UTC"
    click.echo(f"{shown}, {ahead} ahead of the real time" if ahead else f"{shown}, the real time")
