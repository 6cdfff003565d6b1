"""How a simulated year goes: what is tried how often, and how late the jobs are."""

from typing import Final

from attrs import frozen


@frozen
class Habits:
    """How a simulated year goes: how many sessions at once, how late the jobs are."""

    open_sessions: int = 3
    sweeps: float = 0.04
    """The chance that a step is a sweep; what is overdue meanwhile is late."""
    turnovers: float = 0.03
    """The chance that seats change hands, one by one, behind a group that waits."""
    punctual: bool = False
    """Whether the sweeper comes within a minute of every edge (the liveness mode)."""


WEIGHTS: Final = {
    "book": 22,
    "race": 5,
    "collide": 1.5,
    "join": 16,
    "accept": 10,
    "cancel": 13,
    "decline": 3,
    "leave": 2,
    "confirm": 4,
    "reject": 1,
    "take_away": 1,
    "mark": 2,
    "change": 3,
    "call_off": 0.25,
    "complete": 1,
    "allocate": 1,
    "expire": 1,
    "warn": 0.5,
    "adjust": 1.5,
    "consent": 1.5,
    "intrude": 0.5,
    "relay": 4,
    "deliver": 10,
    "wipe": 0.05,
}
