"""Everything that `nexus up` needs beside itself, on one folder."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from nexus.adapters.embedded.folder import Folder, home_for
from nexus.adapters.embedded.postgres import EmbeddedPostgres
from nexus.adapters.embedded.server import OnEvent
from nexus.adapters.embedded.valkey import EmbeddedValkey


class EmbeddedServers:
    """
    PostgreSQL and Valkey on one folder: both ready inside, both gone outside.

    Each keeps its own promises (see EmbeddedServer). The folder is held as a
    whole: a second start is refused with AlreadyRunning, whose facts are our
    pid and whatever was given to `note`.
    """

    def __init__(self, data_dir: Path, *, on_event: OnEvent = str) -> None:
        self.on_event = on_event
        self._wanted = data_dir.absolute()
        self._folder = Folder(home_for(data_dir))
        self._stack = ExitStack()
        self.postgres = EmbeddedPostgres(self.data_dir / "postgres", on_event=on_event)
        self.valkey = EmbeddedValkey(self.data_dir / "valkey", on_event=on_event)

    @property
    def data_dir(self) -> Path:
        """Where the data really is: in the folder asked for, or in its stand-in (see home_for)."""
        return self._folder.path

    @property
    def database_url(self) -> str:
        return self.postgres.database_url

    @property
    def redis_url(self) -> str:
        return self.valkey.redis_url

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._folder.claim()
            stack.callback(self._folder.release)
            if self.data_dir != self._wanted:
                self.on_event(
                    f"Data lives in {self.data_dir}: the servers run without root's rights "
                    f"and could not get into {self._wanted}"
                )
            stack.enter_context(self.valkey)
            stack.enter_context(self.postgres)
            self.note(postgres=self.postgres.port, valkey=self.valkey.port)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def note(self, **facts: object) -> None:
        """Tell whoever is refused meanwhile, for instance ``address="http://..."``."""
        self._folder.note(**facts)

    def check(self) -> None:
        """Return while both live; ServerDied when one ended by itself."""
        self.postgres.check()
        self.valkey.check()

    def erase(self) -> None:
        """Forget all data. AlreadyRunning while somebody uses it."""
        self._folder.erase()
