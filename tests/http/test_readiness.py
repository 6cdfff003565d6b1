"""Whether a process can serve, told quickly whatever hangs."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from psycopg_pool import ConnectionPool

from nexus.adapters.embedded.postgres import EmbeddedPostgres
from nexus.adapters.embedded.process import free_port
from nexus.adapters.embedded.valkey import EmbeddedValkey
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.migrate import migrate
from nexus.adapters.redis.queue import RedisQueue
from nexus.adapters.system.lately import Lately
from nexus.application.kernel.jobs import JobDue
from nexus.application.platform.condition import LATE, Database, Queue, Status, judge
from nexus.domain.kernel.ids import EventId
from nexus.entrypoints.http.api import build
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring import Nexus, open_nexus
from nexus.entrypoints.worker.broker import open_broker, sender
from tests.support.front import Setting
from tests.support.town import NOON

GOOD = Database()
HELD = Queue(waiting=0, dead=0)
BOUND = 2.0


@pytest.fixture
def committed(begin: PostgresBegin) -> Callable[[], EventId]:
    """Commits an event and names it."""

    def commit() -> EventId:
        event = EventId(uuid4())
        with begin() as work:
            work.outbox.add(JobDue(id=event, at=NOON, job="tidy_up"))
        return event

    return commit


def family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(each for child in children for each in family(int(child)))]


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A server that keeps its connections and says nothing."""
    pids = family(pid)
    for each in pids:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in reversed(pids):
            os.kill(each, signal.SIGCONT)


def sign_in(client: TestClient) -> None:
    """A request that needs the database."""
    client.post(
        "/api/v1/auth/sign-in", json={"email": "nobody@example.com", "password": "picnic by the lake"}
    )


def timed(client: TestClient, path: str) -> tuple[httpx.Response, float]:
    begun = monotonic()
    answer = client.get(path)
    return answer, monotonic() - begun


def the_app(pool: ConnectionPool, broker: object = None) -> TestClient:
    nexus = Nexus(pool, now=Setting(), secret_key=bytes(32), broker=broker)
    return TestClient(build(nexus, Settings(pool_size=2)))


def test_health_and_readiness_are_told_in_time_while_the_database_hangs_and_everything_waits_for_it():
    with EmbeddedPostgres(durable=False) as server:
        migrate(server.database_url)
        stated = Settings(database_url=server.database_url, secret_key=bytes(32), pool_size=2)
        with open_nexus(stated) as nexus, TestClient(build(nexus, stated)) as client:
            assert client.get("/readyz").json()["status"] == "ready"
            with stopped(server.pid):
                # More than there are threads: whoever needs one of them waits.
                waiting = [Thread(target=sign_in, args=(client,)) for _ in range(4)]
                for each in waiting:
                    each.start()
                alive, took = timed(client, "/healthz")
                assert (alive.status_code, took < 0.5) == (200, True)
                for _ in range(2):
                    answer, took = timed(client, "/readyz")
                    assert answer.status_code == 503
                    assert answer.json()["reason"] == "the database does not answer"
                    assert took < BOUND
            for each in waiting:
                each.join(20)
            deadline = monotonic() + 10
            while (answer := client.get("/readyz")).status_code != 200 and monotonic() < deadline:
                pass
            assert answer.json()["status"] == "ready"


def test_a_process_whose_connections_are_all_in_use_is_ready(begin: PostgresBegin, database_url: str):
    stated = Settings(database_url=database_url, secret_key=bytes(32), pool_size=1)
    with open_nexus(stated) as nexus, TestClient(build(nexus, stated)) as client:
        with nexus.pool.connection():
            answer, took = timed(client, "/readyz")
            assert (answer.status_code, answer.json()["status"], took < BOUND) == (200, "ready", True)
            waiting = Thread(target=sign_in, args=(client,))
            waiting.start()
            while not nexus.pool.get_stats()["requests_waiting"]:
                pass
            assert client.get("/readyz").json()["parts"]["database"] == {
                "status": "degraded",
                "reason": "requests wait for a connection to the database",
            }
        waiting.join(10)


def test_without_the_broker_it_is_ready_and_says_what_waits(begin: PostgresBegin, pool: ConnectionPool):
    away = RedisQueue.at(f"redis://127.0.0.1:{free_port()}/0")
    with the_app(pool, away) as client:
        answer = client.get("/readyz")
    away.close()
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["parts"]["broker"] == {
        "status": "degraded",
        "reason": "the broker does not answer: bookings work, and what follows from them waits",
    }


def test_a_broker_that_hangs_delays_nothing():
    with EmbeddedValkey(durable=False) as server:
        queue = RedisQueue.at(server.redis_url)
        assert queue.look() == HELD
        with stopped(server.pid):
            begun = monotonic()
            assert queue.look() is None
            assert monotonic() - begun < 1
        queue.close()


def test_the_broker_s_queue_is_counted(valkey_server: EmbeddedValkey):
    broker = open_broker(valkey_server.redis_url)
    broker.client.flushdb()  # what others' tests left dead, too
    queue = RedisQueue.at(valkey_server.redis_url)
    try:
        send = sender(broker)
        for number in range(3):
            send(EventId(UUID(int=number)))
        assert queue.look() == Queue(waiting=3, dead=0)
    finally:
        broker.flush_all()
        broker.close()
        queue.close()


def test_how_long_the_oldest_event_waits_is_told(
    begin: PostgresBegin, owner: psycopg.Connection, pool: ConnectionPool, committed: Callable[[], EventId]
):
    owner.execute("UPDATE outbox SET sent_at = occurred_at WHERE id = %s", [committed()])
    second = committed()
    clock = Setting()
    nexus = Nexus(pool, now=clock, secret_key=bytes(32))
    with TestClient(build(nexus, Settings(pool_size=2))) as client:
        for waited, status in ((LATE, "ready"), (LATE + timedelta(seconds=1), "degraded")):
            clock.at = NOON + waited
            answer = client.get("/readyz")
            assert (answer.status_code, answer.json()["status"]) == (200, status)
            assert answer.json()["parts"]["outbox"]["oldest_unsent_seconds"] == waited.total_seconds()
        owner.execute("UPDATE outbox SET sent_at = occurred_at WHERE id = %s", [second])
        assert client.get("/readyz").json()["parts"]["outbox"]["oldest_unsent_seconds"] == 0


@given(
    answers=st.booleans(),
    missing=st.integers(0, 1),
    fault=st.sampled_from([None, "the database refuses"]),
    this_month=st.booleans(),
    next_month=st.booleans(),
    unsent=st.sampled_from([None, LATE, 2 * LATE]),
    crowded=st.booleans(),
    queue=st.sampled_from([None, HELD]),
)
def test_only_what_makes_every_command_fail_takes_a_process_out_of_service(  # noqa: PLR0917
    answers, missing, fault, this_month, next_month, unsent, crowded, queue
):
    seen = evolve(
        GOOD,
        missing_migrations=missing,
        fault=fault,
        has_this_month=this_month,
        has_next_month=next_month,
        oldest_unsent=unsent,
        is_crowded=crowded,
    )
    condition = judge(seen if answers else None, queue)
    fails = not answers or bool(missing) or fault is not None or not this_month
    assert (condition.status is Status.NOT_READY) == fails
    assert (condition.missing is not None) == fails
    whole = next_month and unsent != 2 * LATE and not crowded and queue is not None
    assert (condition.status is Status.READY) == (not fails and whole)


def test_one_looks_while_many_ask():
    looks, go_on = [], Event()

    def look() -> str:
        looks.append(None)
        go_on.wait(10)
        return "seen"

    lately = Lately(look, patience=0.05)
    assert [lately() for _ in range(3)] == [None, None, None]
    go_on.set()
    while lately() != "seen":
        pass
    assert 1 <= len(looks) <= 2


def test_what_was_seen_is_kept_for_as_long_as_was_said():
    seen = iter(range(10))
    kept, anew = Lately(lambda: next(seen), fresh_for=60), Lately(lambda: next(seen))
    assert [kept(), kept()] == [0, 0]
    assert [anew(), anew()] == [1, 2]


def test_a_look_that_fails_shows_nothing():
    assert Lately(lambda: 1 / 0)() is None
