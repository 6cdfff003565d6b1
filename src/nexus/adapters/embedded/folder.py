"""A server's folder: where it may be, who holds it, what is remembered from last time."""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from nexus.adapters.embedded.errors import AlreadyRunning, CannotStart
from nexus.adapters.embedded.process import Account, birthday

PREDECESSOR_PATIENCE: Final = 60.0
"""Seconds that a server whose supervisor was killed may take to finish its own shutdown."""

KEPT: Final = ("port", "password")
"""What one holder leaves to the next."""


def reachable(path: Path) -> bool:
    """Whether somebody without rights can get to *path*."""
    return all(parent.stat().st_mode & 0o001 for parent in path.absolute().parents if parent.exists())


def home_for(wanted: Path) -> Path:
    """
    *wanted*, or its stand-in below /var/tmp.

    The stand-in is needed only for root in a private tree (a clone in /root):
    the servers run without root's rights and could not get in. It is always
    the same one for the same *wanted*.
    """
    wanted = wanted.absolute()
    if os.geteuid() != 0 or reachable(wanted / "any"):
        return wanted
    return Path("/var/tmp") / f"nexus-{hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]}"  # noqa: S108


class Folder:
    """
    One server's folder, held by one supervisor at a time.

    The hold is a lock of the kernel, so that it ends with the process, however
    it ends. Port and password survive for the next holder; other notes do not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: dict[str, Any] = {}
        self._lock: int | None = None

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def state(self) -> Path:
        return self.path / "state.json"

    def claim(self) -> None:
        """
        Hold the folder.

        AlreadyRunning when somebody else does. Waits for a server that a killed
        supervisor left in the middle of its own shutdown.
        """
        self.path.mkdir(mode=0o755, parents=True, exist_ok=True)
        if os.geteuid() == 0 and self.path.stat().st_uid not in {0, Account.for_data(self.data).uid}:
            raise CannotStart(f"{self.path} belongs to another user: refusing to run there as root")
        try:
            lock = os.open(self.state, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except PermissionError as error:
            raise CannotStart(
                f"{self.path} belongs to another user: start as that user, or choose a folder"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise AlreadyRunning(
                self.path, {k: v for k, v in self._read().items() if k != "password"}
            ) from None
        self._lock, self.facts = lock, self._read()
        self._await_predecessor()
        self.facts = {name: self.facts[name] for name in KEPT if name in self.facts}
        self.note(pid=os.getpid())

    def _await_predecessor(self) -> None:
        pid, born = self.facts.get("child") or (0, "")
        deadline = time.monotonic() + PREDECESSOR_PATIENCE
        while pid and birthday(pid) == born:
            if time.monotonic() > deadline:
                self.release()
                raise CannotStart(
                    f"process {pid} of an earlier start still uses {self.path} and does not end"
                )
            time.sleep(0.02)

    def _read(self) -> dict[str, Any]:
        with suppress(ValueError, OSError):
            facts = json.loads(self.state.read_text(encoding="utf-8"))
            return facts if isinstance(facts, dict) else {}
        return {}

    def note(self, **facts: object) -> None:
        """Remember *facts*: for whoever is refused meanwhile, and for the next start. None forgets."""
        if self._lock is None:
            raise CannotStart(f"{self.path} is not held")
        self.facts = {name: value for name, value in (self.facts | facts).items() if value is not None}
        # In place: a rename would leave the lock on a file without a name.
        text = json.dumps(self.facts).encode()
        os.pwrite(self._lock, text, 0)
        os.ftruncate(self._lock, len(text))

    def password(self) -> str:
        """This folder's password, made on first use; readable by us only."""
        if "password" not in self.facts:
            self.note(password=secrets.token_urlsafe(24))
        return str(self.facts["password"])

    def release(self) -> None:
        """Let go. Port and password stay noted."""
        if self._lock is not None:
            self.facts = {name: self.facts[name] for name in KEPT if name in self.facts}
            self.note()
            os.close(self._lock)
            self._lock = None

    def erase(self) -> None:
        """Remove the folder and everything in it. AlreadyRunning while somebody holds it."""
        if self.path.exists():
            self.claim()
            shutil.rmtree(self.path)
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None
