"""`nexus up` with real processes: it answers, says where it is, and leaves nothing behind."""

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cli.processes import Up, alive, eventually, nexus
from nexus.entrypoints.commands.terminal import Fault
from nexus.entrypoints.commands.up import _port
from nexus.entrypoints.settings import Settings

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One installation for all tests: creating its data is most of a first start."""
    path = Path(tempfile.mkdtemp(prefix="nexus-test-", dir="/var/tmp"))
    path.chmod(0o755)
    yield path / "var"
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    """One that runs for all tests which leave it running."""
    running = Up.start(folder)
    yield running
    if running.process.poll() is None:
        running.end()


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_it_answers(up, folder):
    assert is_ready(up.address)
    page = httpx.get(up.address).text
    assert "development" in page
    assert "demo.example" not in page, "there is no demo world"
    assert (folder / "secret.key").stat().st_mode & 0o777 == 0o600


def test_a_second_start_says_what_runs_and_where(up, folder):
    for arguments in (["up"], ["up", "--reset"]):
        refused = nexus(*arguments, data_dir=str(folder))
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1
        for fact in (str(folder), up.address, f"pid {up.process.pid}"):
            assert fact in refused.stderr
    assert is_ready(up.address)


def test_commands_find_the_running_installation(up, folder):
    """The clock that a command moves is the one that web, worker and scheduler go by."""
    checked = nexus("verify", "--json", data_dir=str(folder))
    assert (checked.returncode, checked.stderr) == (0, "")
    moved = nexus("clock", "advance", "49h", data_dir=str(folder))
    assert "2 days, 1:00:00 ahead" in moved.stdout, moved.stderr
    assert nexus("clock", "show", data_dir=str(folder), env="production").returncode == 2
    assert nexus("clock", "reset", data_dir=str(folder)).returncode == 0


def test_a_part_that_dies_is_started_again(up):
    before = {part: up.part(part) for part in ("serve", "worker", "scheduler")}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: is_ready(up.address))

    def are_back() -> bool:
        try:
            return all(up.part(part) != pid for part, pid in before.items())
        except ValueError:
            return False

    assert eventually(are_back)


def test_kill_9_leaves_nothing_nor_does_ctrl_c_and_each_start_recovers(up, folder):
    family = up.family()
    up.process.kill()
    up.process.wait()
    up.process.stdout.close()
    assert eventually(lambda: alive(family) == []), alive(family)
    again = Up.start(folder)
    assert is_ready(again.address)
    family = again.family()
    assert len(family) > len(("valkey", "postgres", "web", "scheduler", "worker"))
    assert again.end(signal.SIGINT) == 0
    assert alive(family) == []


def test_when_a_server_dies_all_end_with_the_reason(folder):
    up = Up.start(folder)
    family = up.family()
    os.kill(next(pid for pid, (_, line) in family.items() if "valkey-server" in line), signal.SIGKILL)
    said = up.process.stdout.read()
    up.process.stdout.close()
    assert up.process.wait(60) == 1
    assert "Valkey ended by itself" in said
    assert "Traceback" not in said
    assert alive(family) == []


def test_without_a_running_one_a_command_starts_the_servers_for_itself(folder):
    shown = nexus("clock", "show", "--json", data_dir=str(folder))
    assert shown.returncode == 0, shown.stderr
    assert "PostgreSQL ready" in shown.stderr


def test_a_taken_port_is_passed_over_unless_it_was_asked_for(folder, monkeypatch):
    monkeypatch.delenv("NEXUS_PORT", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert _port(None, Settings(port=port)) > port
        with pytest.raises(Fault, match=f"port {port} is taken"):
            _port(port, Settings())
        refused = nexus("up", "--no-demo", data_dir=str(folder), port=str(port))
    assert refused.returncode == 1
    assert f"port {port} is taken" in refused.stderr


def test_reset_forgets_everything(folder):
    done = nexus("up", "--reset", data_dir=str(folder))
    assert done.returncode == 0, done.stderr
    assert not folder.exists()
    nothing = nexus("verify", data_dir=str(folder))
    assert nothing.returncode == 2
    assert "nothing is installed" in nothing.stderr
    assert not folder.exists()
