"""The product as real processes: `nexus up` on a folder, and what is left of it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from attrs import define

from nexus.adapters.embedded.process import birthday

SOURCE = Path(__file__).parents[2] / "src"


def environment(**variables: str) -> dict[str, str]:
    """Ours, with these NEXUS_ variables and no others."""
    clean = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("NEXUS_") or name == "NEXUS_PG_BIN"
    }
    named = {f"NEXUS_{name.upper()}": text for name, text in variables.items()}
    return clean | {"PYTHONPATH": str(SOURCE)} | named


def nexus(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "nexus", *arguments],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def eventually(condition, *, within: float = 30.0) -> bool:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def descendants(pid: int) -> dict[int, tuple[str, str]]:
    """Everybody below a process: pid, birthday and command line."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (born := birthday(int(entry.name))):
            try:
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            parents[int(entry.name)] = (int(after_name[1]), born, line)
    found: dict[int, tuple[str, str]] = {}
    level = {pid}
    while level:
        level = {child for child, (parent, _, _) in parents.items() if parent in level}
        found |= {child: parents[child][1:] for child in level}
    return found


def alive(processes: dict[int, tuple[str, str]]) -> list[str]:
    return [line for pid, (born, line) in processes.items() if birthday(pid) == born]


@define
class Up:
    """A running `nexus up`."""

    process: "subprocess.Popen[str]"
    address: str

    @classmethod
    def start(cls, folder: Path, *arguments: str) -> "Up":
        process = subprocess.Popen(
            [sys.executable, "-m", "nexus", "up", "--no-demo", *arguments],
            env=environment(data_dir=str(folder)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = ""
        for line in process.stdout:
            said += line
            if found := re.search(r"is running at (\S+)", line):
                return cls(process, found[1])
        raise AssertionError(f"it did not start:\n{said}")

    def family(self) -> dict[int, tuple[str, str]]:
        return descendants(self.process.pid)

    def part(self, name: str) -> int:
        """The pid of web (``serve``), ``worker`` or ``scheduler``."""
        return min(pid for pid, (_, line) in self.family().items() if f"-m nexus {name}" in line)

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        status = self.process.wait(60)
        self.process.stdout.close()
        return status
