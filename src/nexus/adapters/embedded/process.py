"""Child processes that never outlive us, whatever kills us."""

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from secrets import randbelow
from typing import Any, Final

from attrs import frozen

from nexus.adapters.embedded.errors import CannotStart

PR_SET_PDEATHSIG: Final = 1
LOOPBACK: Final = "127.0.0.1"

_libc = ctypes.CDLL(None)


@frozen
class Account:
    """Whom a server runs as: ourselves, or somebody without rights when we are root."""

    uid: int
    gid: int

    @classmethod
    def for_data(cls, data: Path) -> "Account":
        """Whoever owns *data* already, so that root and its owner can take turns; else ``nobody``."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        if data.exists() and data.stat().st_uid != 0:
            return cls(data.stat().st_uid, data.stat().st_gid)
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    @property
    def is_someone_else(self) -> bool:
        return self.uid != os.geteuid()

    def own(self, *paths: Path) -> None:
        """Hand *paths* over."""
        for path in paths if self.is_someone_else else ():
            os.chown(path, self.uid, self.gid)

    def popen_arguments(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": ()} if self.is_someone_else else {}


def start(
    command: Sequence[str | Path],
    *,
    account: Account,
    log: Path,
    environment: Mapping[str, str],
    when_we_die: signal.Signals,
) -> subprocess.Popen[bytes]:
    """
    Start *command* so that the kernel sends it *when_we_die* even if we are killed with -9.

    It gets its own session, so that a Ctrl-C meant for us does not reach it
    before we have finished with it. Only from the main thread: the kernel
    watches the thread that forked, not the process.
    """
    if threading.current_thread() is not threading.main_thread():
        raise CannotStart("servers live as long as the thread that starts them: use the main thread")
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - a fixed command, found by us
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd="/",
            start_new_session=True,
            # Runs after the change of user, which would clear the signal.
            preexec_fn=_tied_to(os.getpid(), when_we_die),  # noqa: PLW1509 - one thread, see above
            **account.popen_arguments(),
        )


def _tied_to(parent: int, when_we_die: signal.Signals) -> Callable[[], None]:
    def tie() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, int(when_we_die), 0, 0, 0)
        if os.getppid() != parent:  # we died before the line above
            os._exit(1)

    return tie


def tie_to_parent(how: signal.Signals) -> None:
    """Have the kernel send us *how* when the process that started us dies; from our main thread."""
    _libc.prctl(PR_SET_PDEATHSIG, int(how), 0, 0, 0)


def stop(process: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> None:
    """Ask with each signal in turn, each with its seconds of patience, then kill. Returns when it is gone."""
    for how, patience in steps:
        if process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    process.wait()


def birthday(pid: int) -> str | None:
    """
    What tells a process from a later one with the same *pid*.

    None when it is gone, or dead and only waiting for its parent to notice.
    """
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def is_free(port: int) -> bool:
    """Whether nobody listens on *port* now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port nobody uses, below the range from which the kernel picks ports of outgoing connections."""
    while not is_free(port := 15_000 + randbelow(17_000)):
        pass
    return port


def tail(log: Path, lines: int = 12) -> str:
    """The last *lines* of a log."""
    return (
        "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        if log.exists()
        else ""
    )


if sys.platform != "linux":  # pragma: no cover
    raise ImportError("the bundled servers run on Linux only; set NEXUS_DATABASE_URL and NEXUS_REDIS_URL")
