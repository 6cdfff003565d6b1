"""From a commit to its handler through a real broker."""

import socket
from collections.abc import Callable
from time import monotonic, sleep
from uuid import uuid4

import psycopg
import pytest
import redis

from nexus.adapters.embedded.valkey import EmbeddedValkey
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.domain.kernel.ids import EventId
from nexus.entrypoints.wiring import Nexus
from nexus.entrypoints.worker.broker import open_broker, sender
from nexus.entrypoints.worker.relay import Relay
from nexus.entrypoints.worker.run import working
from tests.support.booking import Desk
from tests.support.town import Family, Town

Committed = Callable[[], EventId]


def within(seconds: float, holds: Callable[[], object]) -> bool:
    """Whether it came true before so many seconds had passed."""
    end = monotonic() + seconds
    while not holds():
        if monotonic() > end:
            return False
        sleep(0.02)
    return True


@pytest.fixture
def address(valkey_server: EmbeddedValkey) -> str:
    """Where the broker is, with nothing in it."""
    wipe(valkey_server.redis_url)
    return valkey_server.redis_url


def wipe(address: str) -> None:
    """The broker loses everything."""
    with redis.Redis.from_url(address) as connection:
        connection.flushall()


def unhandled(owner: psycopg.Connection) -> int:
    row = owner.execute("SELECT count(*) FROM outbox WHERE handled_at IS NULL").fetchone()
    assert row is not None
    return int(row[0])


def book(town: Town, begin: PostgresBegin) -> Family:
    family, session = town.family(), town.session()
    Desk(begin).book(session, tuple(family.children), parent=family.parent, company=town.company)
    return family


def test_a_committed_event_is_handled_within_two_seconds(
    town: Town, nexus: Nexus, begin: PostgresBegin, address: str
):
    with working(nexus, address, threads=2):
        family = book(town, begin)
        assert within(20, lambda: nexus.list_notifications(reader=family.parent))
        assert within(20, lambda: not unhandled(town.owner))


def test_events_survive_a_broker_that_lost_everything(
    town: Town, nexus: Nexus, begin: PostgresBegin, address: str
):
    family = book(town, begin)
    lost = open_broker(address)
    assert Relay(begin, sender(lost))() == 1
    lost.close()
    wipe(address)
    with working(nexus, address, threads=2):
        sleep(0.5)
        assert nexus.list_notifications(reader=family.parent) == ()
        town.owner.execute("UPDATE outbox SET sent_at = sent_at - interval '21 seconds'")
        assert within(20, lambda: nexus.list_notifications(reader=family.parent))
    assert town.one("SELECT attempts FROM outbox") == 2


def test_a_broker_wiped_while_workers_run_does_not_stop_them(
    town: Town, nexus: Nexus, begin: PostgresBegin, address: str
):
    with working(nexus, address, threads=2):
        first = book(town, begin)
        assert within(20, lambda: nexus.list_notifications(reader=first.parent))
        wipe(address)
        second = book(town, begin)
        assert within(5, lambda: nexus.list_notifications(reader=second.parent))


def test_an_event_that_arrives_twice_is_told_once(
    town: Town, nexus: Nexus, begin: PostgresBegin, address: str
):
    family = book(town, begin)
    event = EventId(town.one("SELECT id FROM outbox"))
    again = open_broker(address)
    for _ in range(5):
        sender(again)(event)
    again.close()
    with working(nexus, address, threads=4):
        assert within(20, lambda: not unhandled(town.owner))
        sleep(0.3)
    assert len(nexus.list_notifications(reader=family.parent)) == 1


def test_one_event_that_fails_holds_up_no_other(
    town: Town,
    nexus: Nexus,
    begin: PostgresBegin,
    address: str,
    committed: Committed,
):
    poisoned = committed()
    town.owner.execute("UPDATE outbox SET type = 'SomethingNewer'")
    family = book(town, begin)
    with working(nexus, address, threads=1):
        assert within(20, lambda: nexus.list_notifications(reader=family.parent))
        assert within(20, lambda: town.one("SELECT last_error FROM outbox WHERE id = %s", poisoned))
    assert town.one("SELECT handled_at FROM outbox WHERE id = %s", poisoned) is None


def test_workers_stop_with_nothing_half_done(nexus: Nexus, address: str, committed: Committed, town: Town):
    with working(nexus, address, threads=2):
        for _ in range(30):
            committed()
    before = unhandled(town.owner)
    sleep(0.3)
    assert unhandled(town.owner) == before


def test_a_broker_that_is_closed_leaves_no_connection(address: str):
    with redis.Redis.from_url(address) as beside:
        before = len(beside.client_list())
        broker = open_broker(address)
        sender(broker)(EventId(uuid4()))
        assert len(beside.client_list()) > before
        broker.close()
        deadline = monotonic() + 5
        while len(beside.client_list()) > before and monotonic() < deadline:
            sleep(0.01)
        assert len(beside.client_list()) == before


def test_a_broker_that_does_not_answer_counts_as_away(
    begin: PostgresBegin, committed: Committed, owner: psycopg.Connection
):
    committed()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = open_broker(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", patience=0.1)
        started = monotonic()
        with pytest.raises(redis.RedisError):
            Relay(begin, sender(mute))()
        assert monotonic() - started < 10
        mute.close()
    assert owner.execute("SELECT sent_at, attempts FROM outbox").fetchone() == (None, 0)
