"""Events that could not be handled are seen, and handled once somebody says so."""

from collections.abc import Callable
from uuid import uuid4

import psycopg
import pytest

from nexus.domain.kernel.errors import NoSuchThing
from nexus.domain.kernel.ids import EventId
from nexus.entrypoints.wiring import Nexus

Committed = Callable[[], EventId]


def park(owner: psycopg.Connection, event: EventId, error: str | None = "ValueError: no") -> None:
    owner.execute(
        "UPDATE outbox SET parked_at = now(), attempts = 13, sent_at = now(), last_error = %s WHERE id = %s",
        [error, event],
    )


def test_parked_events_are_shown_before_failing_ones_and_nothing_else_is(
    nexus: Nexus, owner: psycopg.Connection, committed: Committed
):
    failing, parked, fresh, handled = committed(), committed(), committed(), committed()
    owner.execute("UPDATE outbox SET attempts = 2, last_error = 'KeyError: x' WHERE id = %s", [failing])
    park(owner, parked)
    park(owner, handled)
    owner.execute("UPDATE outbox SET handled_at = now() WHERE id = %s", [handled])
    found = nexus.list_troubled_events()
    assert [event.id for event in found] == [parked, failing]
    assert fresh not in {event.id for event in found}
    assert (found[0].type, found[0].attempts, found[0].last_error) == (
        "ConsentChanged",
        13,
        "ValueError: no",
    )


def test_a_retried_event_is_sent_again_and_handled(
    nexus: Nexus, owner: psycopg.Connection, committed: Committed
):
    event, other = committed(), committed()
    park(owner, event)
    park(owner, other)
    assert nexus.retry_parked_events(event) == [event]
    with nexus.begin() as work:
        assert work.inbox.claim_unsent(limit=10) == (event,)
    assert nexus.handle_event(event)
    assert [left.id for left in nexus.list_troubled_events()] == [other]
    assert nexus.retry_parked_events() == [other]


def test_only_a_parked_event_can_be_retried(nexus: Nexus, owner: psycopg.Connection, committed: Committed):
    waiting = committed()
    for unknown in (waiting, EventId(uuid4())):
        with pytest.raises(NoSuchThing):
            nexus.retry_parked_events(unknown)
    assert nexus.retry_parked_events() == []


def test_retrying_is_recorded(nexus: Nexus, owner: psycopg.Connection, committed: Committed):
    event = committed()
    park(owner, event)
    nexus.retry_parked_events(event)
    recorded = owner.execute(
        "SELECT count(*) FROM audit_logs WHERE action_type = 'system.event_retried' AND entity_id = %s",
        [event],
    ).fetchone()
    assert recorded == (1,)
