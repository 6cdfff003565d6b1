"""Whichever process a scrape reaches, it is told of all, and no counter goes back when one of them ends."""

import base64
import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families as families

from nexus.adapters.embedded.process import free_port
from nexus.entrypoints.shared_figures import FOLDER, Shared, join, shared, sharing
from tests.cli.processes import eventually

KEY = base64.b64encode(bytes(range(32))).decode()
COUNTED = 'asked_total{route="/healthz"}'
ASKED = 'nexus_http_requests_total{method="GET",route="/healthz",status="200"}'


def of(text):
    """Every sample by its name and labels."""
    found = {}
    for family in families(text):
        for sample in family.samples:
            stated = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{stated}}}" if stated else sample.name] = sample.value
    return found


@contextmanager
def counting():
    """One of several processes: what it says of itself, and how to have it count."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.counting"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def count(times):
        process.stdin.write(f"{times}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "done\n"

    def kill():
        process.kill()
        process.wait()

    try:
        yield process, count, kill
    finally:
        kill()
        process.stdin.close()
        process.stdout.close()


def number(process):
    return int(process.stdout.readline().split()[0])


@pytest.fixture
def folder(tmp_path):
    with sharing(tmp_path) as folder:
        yield folder


def told(folder):
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Shared(folder))
    return of(generate_latest(registry).decode())


def test_a_scrape_tells_of_all_and_whoever_follows_one_that_ended_counts_on(folder):
    with ExitStack() as stack:
        (first, count_first, kill_first), (second, count_second, _) = [
            stack.enter_context(counting()) for _ in range(2)
        ]
        numbers = number(first), number(second)
        assert set(numbers) == {0, 1}
        count_first(3)
        count_second(4)
        seen = told(folder)
        assert seen[COUNTED] == 7
        assert seen['asked_seconds_count{route="/healthz"}'] == 7
        assert seen['asked_seconds_bucket{le="0.005",route="/healthz"}'] == 7
        sizes = {seen[f'nexus_pool_connections{{process="{n}"}}'] for n in (0, 1)}
        assert sizes == {3, 4}
        kill_first()
        seen = told(folder)
        assert seen[COUNTED] == 7, "what it counted happened"
        refused = [f'nexus_pool_refused_total{{process="{n}"}}' for n in numbers]
        assert [seen[name] for name in refused] == [3, 4]
        assert f'nexus_pool_connections{{process="{numbers[0]}"}}' not in seen, "its connections are gone"
        follower, count_follower, _ = stack.enter_context(counting())
        assert number(follower) == numbers[0]
        assert told(folder)[COUNTED] == 7, "nothing is counted twice either"
        count_follower(2)
        seen = told(folder)
        assert seen[COUNTED] == 9
        assert [seen[name] for name in refused] == [5, 4]
        assert len(list(folder.glob("counter_*.db"))) == 2, "no more files than processes"


def test_what_a_killed_server_left_is_removed_by_the_next_one(tmp_path):
    left = tmp_path / "nexus-metrics-left"
    left.mkdir()
    (left / "counter_0.db").write_bytes(b"x")
    with sharing(tmp_path) as ours:
        assert not left.exists()
        with sharing(tmp_path) as another:
            assert ours.exists(), "somebody still lives there"
            assert another != ours
    assert list(tmp_path.iterdir()) == []
    assert FOLDER not in os.environ


def test_who_was_not_started_to_share_is_alone():
    assert join() == 0
    assert shared() is None


@contextmanager
def serving(log: Path, **variables):
    port = free_port()
    stated = {f"NEXUS_{name.upper()}": text for name, text in variables.items()}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "nexus", "serve", "--port", str(port), "--workers", "2"],
            env=os.environ | stated,
            stdout=output,
            stderr=output,
        )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def holders(folder: Path):
    """Who has which number."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            for handle in (entry / "fd").glob("*"):
                try:
                    to = handle.readlink()
                except OSError:
                    continue
                if to.parent == folder and to.suffix == ".held":
                    found[int(to.stem)] = int(entry.name)
    return found


def folder_of(pid):
    for handle in Path(f"/proc/{pid}/fd").glob("*"):
        if handle.readlink().name.startswith("nexus-metrics-"):
            return handle.readlink()
    return None


def answers(address, path="/healthz"):
    """By a connection of its own, so that any process may get it."""
    try:
        return httpx.get(address + path).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
@pytest.mark.postgres
def test_two_web_processes_speak_as_one_and_never_unlearn(database_url, tmp_path):
    """The product as it is served: each scrape tells of every request, also of those that a killed process answered."""
    common = {"database_url": database_url, "secret_key": KEY, "metrics": "true", "pool_size": "2"}
    with serving(tmp_path / "log", **common) as (process, address):
        given = 0

        def ask(times):
            return sum(answers(address) for _ in range(times))

        def scrape():
            return of(httpx.get(f"{address}/metrics").text)

        def alone():
            """What each process counted by itself."""
            pattern = rb'"/healthz", "status": "200"'
            return [path for path in folder.glob("counter_*.db") if re.search(pattern, path.read_bytes())]

        assert eventually(lambda: answers(address, "/readyz"))
        folder = folder_of(process.pid)
        assert eventually(lambda: len(holders(folder)) == 2)
        while len(alone()) < 2:
            given += ask(20)
            assert given < 5_000, "one process gets everything"
        for _ in range(6):
            assert scrape()[ASKED] == given
        both = {f'nexus_pool_connections_max{{process="{n}"}}' for n in (0, 1)}
        assert eventually(lambda: both <= scrape().keys())
        before = holders(folder)
        os.kill(before[0], signal.SIGKILL)
        assert eventually(lambda: holders(folder).get(0) not in {None, before[0]}), "it is started again"
        assert scrape()[ASKED] == given
        while ask(40) < 40:
            pass  # the first ones may come while it still starts
        first = scrape()[ASKED]
        assert first >= given + 40
        ask(40)
        assert {scrape()[ASKED] for _ in range(6)} == {first + 40}
        assert len(list(folder.glob("counter_*.db"))) == 2
    assert not folder.exists()
