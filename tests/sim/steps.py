"""
The step language: who tries what, and when.

Everybody and everything has a number, given at the start or by the step that plans
a session, and every instant is absolute. So any step can be left out and the others
still mean what they meant: a failing run can be shrunk, and told.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import frozen

MICRO: Final = timedelta(microseconds=1)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


@frozen
class Step:
    """
    One attempt of one actor; ``verb`` names a method of :class:`tests.sim.hands.Hands`.

    ``dies``: the process is killed just before it would commit for that time (1: the
    first); 0: it lives.
    """

    at: datetime
    verb: str
    args: tuple[Any, ...] = ()
    dies: int = 0


RACES: Final = {"race": "book", "collide": "cancel"}
"""Verbs in whose midst somebody else does something (named by the fourth argument), and what they end in."""

WORDS: Final = {
    "plan": "a venue plans session {0}: {1} seats at {2} credits, {3}",
    "book": "family {0} books session {1} for {2}",
    "race": "family {0} reads session {1} for {2}; meanwhile: {3}; then it books on what it read",
    "collide": "family {0} reads its place in session {1} (child {2}); meanwhile: {3}; "
    "then it cancels what it read",
    "cancel": "family {0} cancels session {1} for child {2} (whole group: {3})",
    "join": "family {0} joins the line of session {1} for {2}",
    "accept": "family {0} accepts its offer in session {1} (child {2})",
    "decline": "family {0} declines its offer in session {1} (child {2})",
    "leave": "family {0} leaves the line of session {1} (child {2})",
    "confirm": "the venue confirms family {0}, session {1}, child {2}",
    "reject": "the venue rejects family {0}, session {1}, child {2}",
    "take_away": "the venue takes the place of family {0}, session {1}, child {2}",
    "mark": "the venue marks family {0}, session {1}, child {2} (present: {3})",
    "change": "the venue changes session {0}: {1}",
    "call_off": "the venue calls session {0} off",
    "sweep": "the sweeper runs",
    "complete": "the job that completes bookings runs",
    "allocate": "the job that allocates credits runs",
    "expire": "the job that expires credits runs",
    "warn": "the job that warns of expiry runs",
    "adjust": "an administrator adjusts the credits of family {0} by {1}",
    "consent": "family {0} decides on booking for child {1} (given: {2})",
    "intrude": "family {0} tries to cancel the place of family {1}, session {2}, child {3}",
    "relay": "the relay sends what is committed (again: {0}, dies before it notes that: {1})",
    "deliver": "messages arrive, from number {0} of those on their way (and stay to arrive again: {1})",
    "wipe": "the broker forgets everything",
}


def in_words(step: Step) -> str:
    """A step as a line of a story."""
    death = f" - and the process dies before commit {step.dies}" if step.dies else ""
    return f"{step.at:%Y-%m-%d %H:%M:%S.%f}  {_sentence(step.verb, step.args)}{death}"


def _sentence(verb: str, args: tuple[Any, ...]) -> str:
    if verb in RACES:
        args = (*args[:3], _sentence(*args[3:]))
    return WORDS[verb].format(*map(_named, args))


def _named(value: Any) -> str:
    if isinstance(value, tuple):
        return "children " + " and ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_named(each)}" for name, each in value.items())
    return str(value)


def as_code(steps: Iterable[Step]) -> str:
    """Steps as Python that makes them again, for a regression test."""
    return "[\n" + "".join(f"    {step!r},\n" for step in steps) + "]"
