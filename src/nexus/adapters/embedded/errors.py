"""Why a bundled server is not there."""

from pathlib import Path
from typing import Any

from attrs import frozen


class CannotStart(Exception):
    """A bundled server could not be started; the message says why and what to do."""


@frozen
class AlreadyRunning(CannotStart):
    """Somebody else runs on this folder; *facts* is what they noted: pid, port, address."""

    folder: Path
    facts: dict[str, Any]

    def __str__(self) -> str:
        known = ", ".join(f"{name} {value}" for name, value in self.facts.items() if name != "child")
        return f"{self.folder} is already in use ({known or 'by a process that is just starting'})"


@frozen
class ServerDied(Exception):
    """A bundled server ended although nobody asked it to."""

    name: str
    status: int
    last_words: str

    def __str__(self) -> str:
        return f"{self.name} ended by itself (status {self.status}):\n{self.last_words}"
