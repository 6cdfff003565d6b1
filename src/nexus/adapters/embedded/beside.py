"""Whoever comes to a folder from outside: is it running, where, and what keeps its secrets."""

import base64
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from nexus.adapters.embedded.errors import AlreadyRunning, CannotStart
from nexus.adapters.embedded.folder import home_for
from nexus.adapters.embedded.postgres import DATABASE, USER
from nexus.adapters.embedded.process import LOOPBACK

STARTS_WITHIN: Final = 60.0
"""Seconds that somebody else's start may take until we give up waiting for it."""


@frozen
class RunningServers:
    """Servers that another process supervises."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    address: str | None


def running_servers(refused: AlreadyRunning, *, patience: float = STARTS_WITHIN) -> RunningServers:
    """
    The servers of whoever holds the folder that we were refused.

    Waits until they are ready. Raises CannotStart when they are not, or are
    another user's.
    """
    folder = refused.folder
    deadline = time.monotonic() + patience
    while "postgres" not in (facts := _facts(folder)):
        if time.monotonic() > deadline:
            raise CannotStart(f"{folder} is being started by another process; try again when it is ready")
        time.sleep(0.1)
    database, broker = (_facts(folder / server)["password"] for server in ("postgres", "valkey"))
    return RunningServers(
        database_url=f"postgresql://{USER}:{database}@{LOOPBACK}:{facts['postgres']}/{DATABASE}",
        redis_url=f"redis://:{broker}@{LOOPBACK}:{facts['valkey']}/0",
        address=facts.get("address"),
    )


def _facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except PermissionError as error:
        raise CannotStart(f"{folder} belongs to another user") from error
    except ValueError:  # it is being written
        return {}
    return facts if isinstance(facts, dict) else {}


def holds_data(data_dir: Path) -> bool:
    """Whether servers have ever run on the folder."""
    return (home_for(data_dir) / "postgres" / "data").exists()


def secret_key(data_dir: Path) -> str:
    """
    The installation's secret key in base64, made on first use.

    Kept beside the data, readable by us only: whoever loses the one loses the other.
    """
    path = home_for(data_dir) / "secret.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"secret.{os.getpid()}.new")
    if not path.exists():
        unfinished.touch(mode=0o600)
        unfinished.write_text(base64.b64encode(secrets.token_bytes(32)).decode(), encoding="ascii")
        try:
            os.link(unfinished, path)  # whole, and only if nobody was quicker
        except FileExistsError:
            pass
        finally:
            unfinished.unlink()
    try:
        return path.read_text(encoding="ascii").strip()
    except PermissionError as error:
        raise CannotStart(f"{path} belongs to another user") from error
