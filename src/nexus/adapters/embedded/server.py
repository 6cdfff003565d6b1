"""What PostgreSQL and Valkey have in common: the life of one bundled server."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self

from nexus.adapters.embedded.errors import CannotStart, ServerDied
from nexus.adapters.embedded.folder import Folder, home_for, reachable
from nexus.adapters.embedded.process import Account, birthday, free_port, is_free, start, stop, tail

OnEvent = Callable[[str], object]
"""Told what happens, one line at a time, for people."""

READY_WITHIN: Final = 120.0
"""Seconds; recovery after a crash counts in."""

MAX_LOG: Final = 8_000_000


class EmbeddedServer(ABC):
    """
    One bundled server on one folder, as a context: ready inside, gone outside.

    Inside, it answers on 127.0.0.1 only, behind a password of its own, on the
    port of last time if that is still free. It runs without root's rights. If
    we are killed, the kernel tells it to shut down, and the next start waits
    for that and recovers. A second start on the folder is refused with
    AlreadyRunning. Without *data_dir* it lives in a temporary folder that
    disappears with it.
    """

    name: ClassVar[str]
    stopping: ClassVar[tuple[tuple[signal.Signals, float], ...]]
    """The signals that ask it to stop, mildest first, each with its seconds of patience."""

    def __init__(
        self, data_dir: Path | None = None, *, durable: bool = True, on_event: OnEvent = str
    ) -> None:
        self.durable = durable
        self.on_event = on_event
        self._temporary = data_dir is None
        self._folder = Folder(home_for(data_dir) if data_dir else _temporary_folder())
        self._process: subprocess.Popen[bytes] | None = None
        self.account = Account.for_data(self._folder.data)
        self.port = 0

    @property
    def data_dir(self) -> Path:
        """Where it really lives."""
        return self._folder.path

    @property
    def log(self) -> Path:
        return self._folder.log

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @abstractmethod
    def prepare(self) -> None:
        """Make the data, on the first start."""

    @abstractmethod
    def command(self) -> list[str | Path]:
        """What to run, in the foreground, on *port*."""

    def standard_input(self) -> bytes:
        """What to tell it that other users must not see in the list of processes."""
        return b""

    @abstractmethod
    def answers(self) -> bool:
        """Whether this very server, and no other, takes commands now."""

    def __enter__(self) -> Self:
        self._folder.claim()
        try:
            if self.log.exists() and self.log.stat().st_size > MAX_LOG:
                self.log.unlink()
            self.prepare()
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        began = time.monotonic()
        self.port = int(self._folder.facts.get("port", 0))
        while True:
            if not self.port or not is_free(self.port):
                self.port = free_port()
            self._process = start(
                self.command(),
                account=self.account,
                log=self.log,
                environment={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
                when_we_die=self.stopping[0][0],
            )
            self._folder.note(port=self.port, child=[self._process.pid, birthday(self._process.pid)])
            if self._process.stdin:
                with suppress(BrokenPipeError):  # it is dead already, and says why in its log
                    self._process.stdin.write(self.standard_input())
                with suppress(BrokenPipeError):
                    self._process.stdin.close()
            while self._process.poll() is None:
                if self.answers():
                    self.on_event(
                        f"{self.name} ready on 127.0.0.1:{self.port} ({time.monotonic() - began:.1f} s)"
                    )
                    return
                if time.monotonic() - began > READY_WITHIN:
                    raise CannotStart(
                        f"{self.name} is not ready after {READY_WITHIN:.0f} s:\n{tail(self.log)}"
                    )
                time.sleep(0.01)
            if not self.may_try_again(tail(self.log)) or time.monotonic() - began > READY_WITHIN / 4:
                raise CannotStart(f"{self.name} does not start; {self.log} ends with\n{tail(self.log)}")
            time.sleep(0.2)

    def may_try_again(self, last_words: str) -> bool:
        """Whether it failed for a reason that passes: somebody took the port just before it did."""
        return "Address already in use" in last_words

    def check(self) -> None:
        """Return while it lives; ServerDied when it ended by itself. Cheap: call it as often as you like."""
        if self._process and (status := self._process.poll()) is not None:
            raise ServerDied(self.name, status, tail(self.log))

    def close(self) -> None:
        """Stop it in an orderly way and let go of the folder. Does nothing the second time."""
        if self._process:
            stop(self._process, *self.stopping)
            self._process = None
        self._folder.release()
        if self._temporary:
            shutil.rmtree(self._folder.path, ignore_errors=True)


def _temporary_folder() -> Path:
    """A new folder that a server without rights can get to."""
    usual = Path(tempfile.gettempdir())
    folder = Path(tempfile.mkdtemp(prefix="nexus-", dir=usual if reachable(usual / "any") else "/var/tmp"))  # noqa: S108
    folder.chmod(0o755)
    return folder
