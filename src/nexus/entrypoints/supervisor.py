"""Web, worker and scheduler as child processes that are started again when they end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import define, field, frozen

import nexus
from nexus.entrypoints.installation import Account, start, stop

LONGEST_PAUSE: Final = 30.0
SETTLED_AFTER: Final = 60.0
"""Seconds: who lived that long starts again at once, and the pauses begin anew."""
PATIENCE: Final = 20.0
MAX_LOG: Final = 8_000_000


@frozen
class Part:
    """A command of ours that runs as a process of its own."""

    name: str
    arguments: tuple[str, ...]


@define
class _Child:
    part: Part
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    pause: float = 0.0
    again_at: float = 0.0


@define
class Supervisor:
    """
    Keeps the parts running: one that ends is started again, after a pause that grows.

    The kernel ends them with us, whatever kills us. Only from the main thread.
    """

    folder: Path
    environment: Mapping[str, str]
    say: Callable[[str], object]
    _children: list[_Child] = field(factory=list)

    def start(self, parts: Sequence[Part]) -> None:
        for part in parts:
            child = _Child(part)
            self._children.append(child)
            self._start(child)

    def log_of(self, part: str) -> Path:
        return self.folder / f"{part}.log"

    def _start(self, child: _Child) -> None:
        log = self.log_of(child.part.name)
        if log.exists() and log.stat().st_size > MAX_LOG:
            log.unlink()
        child.process = start(
            [sys.executable, "-m", "nexus", *child.part.arguments],
            account=Account(os.geteuid(), os.getegid()),
            log=log,
            environment=_environment(self.environment),
            when_we_die=signal.SIGTERM,
        )
        child.began = time.monotonic()

    def check(self) -> None:
        """Start again what has ended, once its pause is over. Cheap: call it often."""
        now = time.monotonic()
        for child in self._children:
            if child.process is not None and (status := child.process.poll()) is not None:
                child.process = None
                settled = now - child.began > SETTLED_AFTER
                child.pause = 0.5 if settled else min(max(1.0, child.pause * 2), LONGEST_PAUSE)
                child.again_at = now + child.pause
                name = child.part.name
                self.say(
                    f"{name} ended (status {status}) and starts again in {child.pause:.0f} s; "
                    f"its reason is in {self.log_of(name)}"
                )
            if child.process is None and now >= child.again_at:
                self._start(child)

    def stop(self) -> None:
        """End the first one, then the others; each may finish what it has in hand."""
        first, others = self._children[:1], self._children[1:]
        for children in (first, others):
            running = [child.process for child in children if child.process is not None]
            for process in running:
                process.terminate()
            for process in running:
                stop(process, (signal.SIGTERM, PATIENCE))
        self._children.clear()


def _environment(stated: Mapping[str, str]) -> dict[str, str]:
    """What a child inherits, able to find this very package from any folder."""
    source = str(Path(str(nexus.__file__)).resolve().parents[1])
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("NEXUS_")}
    return inherited | {"PYTHONPATH": source, "PYTHONUNBUFFERED": "1"} | dict(stated)
