"""Committed events reach the broker at least once, oldest first."""

from collections.abc import Callable
from threading import Event, Thread
from uuid import UUID

import psycopg
import pytest

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.domain.kernel.ids import EventId
from nexus.entrypoints.worker.relay import BATCH, Relay

Committed = Callable[[], EventId]


def marks(owner: psycopg.Connection) -> list[tuple[UUID, bool, int, bool]]:
    """Each event with whether it was sent, how often, and whether it was parked."""
    return owner.execute(
        "SELECT id, sent_at IS NOT NULL, attempts, parked_at IS NOT NULL FROM outbox ORDER BY position"
    ).fetchall()


def age(owner: psycopg.Connection, seconds: float) -> None:
    """As if so much time had passed since events were sent."""
    owner.execute("UPDATE outbox SET sent_at = sent_at - make_interval(secs => %s)", [seconds])


def test_every_event_is_sent_once(begin: PostgresBegin, committed: Committed):
    events = {committed() for _ in range(3)}
    sent: list[EventId] = []
    relay = Relay(begin, sent.append)
    assert (relay(), relay()) == (3, 0)
    assert set(sent) == events


def test_events_are_taken_oldest_first_batch_by_batch(begin: PostgresBegin, committed: Committed):
    events = [committed() for _ in range(BATCH + 3)]
    first: list[EventId] = []
    second: list[EventId] = []
    assert Relay(begin, first.append)() == BATCH
    assert Relay(begin, second.append)() == 3
    assert first == events[:BATCH]
    assert second == events[BATCH:]


def test_a_send_that_fails_marks_nothing(
    begin: PostgresBegin, owner: psycopg.Connection, committed: Committed
):
    first, second = committed(), committed()

    def fail_at_second(event: EventId) -> None:
        if event == second:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        Relay(begin, fail_at_second)()
    assert marks(owner) == [(first, False, 0, False), (second, False, 0, False)]
    sent: list[EventId] = []
    assert Relay(begin, sent.append)() == 2


def test_what_was_sent_in_vain_is_sent_again_ever_later(
    begin: PostgresBegin, owner: psycopg.Connection, committed: Committed
):
    committed()
    relay = Relay(begin, lambda _: None)
    assert relay() == 1
    for attempt in range(1, 4):
        wait = 20 * 2 ** (attempt - 1) - 5
        age(owner, wait - 5)
        assert relay() == 0
        age(owner, 6)
        assert relay() == 1
    assert marks(owner)[0][2] == 4


def test_after_twelve_attempts_an_event_is_parked(
    begin: PostgresBegin, owner: psycopg.Connection, committed: Committed
):
    event = committed()
    sent: list[EventId] = []
    relay = Relay(begin, sent.append)
    for _ in range(20):
        relay()
        age(owner, 20 * 2**11 + 1)
    assert sent == [event] * 12
    assert marks(owner) == [(event, True, 13, True)]


def test_a_handled_event_is_not_sent(begin: PostgresBegin, owner: psycopg.Connection, committed: Committed):
    committed()
    owner.execute("UPDATE outbox SET handled_at = now()")
    assert Relay(begin, lambda _: None)() == 0


def test_relays_share_the_work(begin: PostgresBegin, committed: Committed):
    committed()
    inside, leave = Event(), Event()

    def slow(_event: EventId) -> None:
        inside.set()
        assert leave.wait(10)

    slow_relay = Thread(target=Relay(begin, slow))
    slow_relay.start()
    assert inside.wait(10)
    later = committed()
    sent: list[EventId] = []
    assert Relay(begin, sent.append)() == 1
    assert sent == [later]
    leave.set()
    slow_relay.join()


def test_an_outage_is_waited_out(begin: PostgresBegin, committed: Committed):
    event, stop, arrived = committed(), Event(), Event()
    failures = [ConnectionError()]

    def send(found: EventId) -> None:
        if failures:
            raise failures.pop()
        assert found == event
        arrived.set()

    running = Thread(target=Relay(begin, send).run, args=(stop,))
    running.start()
    assert arrived.wait(5)
    stop.set()
    running.join(5)
    assert not running.is_alive()
