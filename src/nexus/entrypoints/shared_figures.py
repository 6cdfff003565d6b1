"""
One set of figures for all the processes that answer at one port.

A scrape reaches any of them, and must not speak for that one alone. Each keeps its
figures in files of a folder that they share, under a number which is its own while it
lives. Whoever takes the number of one that ended counts on from there: a sum over all
numbers never goes back, and there are no more files than processes at a time.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import Final

from attrs import define
from prometheus_client import values
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus_client itself finds the folder."""

_PREFIX: Final = "nexus-metrics-"


@contextmanager
def sharing(where: Path | None = None) -> Iterator[Path]:
    """
    In the process that starts the others: they share their figures while the block lasts.

    In memory where the system has a place for that: figures need not outlive the
    processes, and writing them must not wait for a disk.
    """
    base = where or next(filter(_is_usable, (Path("/dev/shm"), Path(tempfile.gettempdir()))))  # noqa: S108 - by intent
    _forget_abandoned(base)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=base) as name, _held(Path(name)):
        os.environ[FOLDER] = name
        try:
            yield Path(name)
        finally:
            os.environ.pop(FOLDER, None)


def _is_usable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _forget_abandoned(base: Path) -> None:
    """Remove what a server left that was killed: nobody holds it any more."""
    for folder in base.glob(f"{_PREFIX}*"):
        with suppress(OSError), _held(folder) as is_nobodys:
            if is_nobodys:
                rmtree(folder)


@contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Whether the block has it to itself; the kernel gives it back whatever ends us and what we started."""
    handle = os.open(path, os.O_RDONLY)
    try:
        yield _takes(handle)
    finally:
        os.close(handle)


def _takes(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@define
class _Membership:
    folder: Path | None = None


_here: Final = _Membership()


def join() -> int:
    """
    From now on this process shares its figures, if it was started to; its number among the others.

    Before it makes any figure: prometheus_client decides then where one is kept.
    """
    stated = os.environ.get(FOLDER)
    if stated is None:
        return 0
    _here.folder = Path(stated)
    number = _take_number(_here.folder)
    values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]
    return number


def _take_number(folder: Path) -> int:
    for number in count():
        handle = os.open(folder / f"{number}.held", os.O_RDWR | os.O_CREAT, 0o600)
        if _takes(handle):
            return number  # and the handle stays open for as long as the process lives
        os.close(handle)
    raise AssertionError


class Shared(Collector):
    """The figures of all who share with this process; a gauge of one that ended is left out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = sorted(path for path in self._folder.glob("*.db") if path.stat().st_size)
        told = [path for path in files if not path.name.startswith("gauge") or self._lives(path)]
        merged: Iterable[Metric] = MultiProcessCollector.merge(  # type: ignore[no-untyped-call]
            [str(path) for path in told], accumulate=True
        )
        return merged

    def _lives(self, file: Path) -> bool:
        """Whether the process with this file's number does: it holds the number."""
        with _held(self._folder / f"{file.stem.rpartition('_')[2]}.held") as is_free:
            return not is_free


def shared() -> Shared | None:
    """What this process shares in; None when it is alone."""
    return None if _here.folder is None else Shared(_here.folder)
