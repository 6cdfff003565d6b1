"""Events are handled once in effect, whatever happens on the way."""

from collections.abc import Callable
from threading import Barrier, Event, Thread
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.application.kernel.inbox import HandleEvent
from nexus.application.kernel.jobs import Job, JobDue
from nexus.domain.compliance.events import ConsentChanged
from nexus.domain.kernel.ids import EventId
from tests.support.town import NOON

Committed = Callable[[], EventId]


def nothing(_work: Any, _event: Any) -> None:
    pass


def state(owner: psycopg.Connection, event: EventId) -> tuple[bool, str | None]:
    """Whether it was handled, and the last error."""
    row = owner.execute(
        "SELECT handled_at IS NOT NULL, last_error FROM outbox WHERE id = %s", [event]
    ).fetchone()
    assert row is not None
    return row


def test_the_reaction_and_its_mark_are_one_step(
    begin: PostgresBegin, owner: psycopg.Connection, committed: Committed
):
    seen: list[Any] = []
    handle = HandleEvent(begin, lambda _, event: seen.append(event), {})
    event = committed()
    assert (handle(event), handle(event)) == (True, False)
    [found] = seen
    assert isinstance(found, ConsentChanged)
    assert (found.id, found.at) == (event, NOON)
    assert state(owner, event) == (True, None)


def test_an_event_that_does_not_exist_is_nothing_to_do(begin: PostgresBegin):
    assert HandleEvent(begin, nothing, {})(EventId(uuid4())) is False


def test_a_failing_reaction_leaves_no_half_effect_and_its_error(
    begin: PostgresBegin, owner: psycopg.Connection, committed: Committed
):
    def fail(work: Any, event: Any) -> None:
        work.outbox.add(
            ConsentChanged(
                id=EventId(uuid4()), at=NOON, parent=event.parent, child=event.child, given=(), withdrawn=()
            )
        )
        raise RuntimeError("no paper")

    event = committed()
    with pytest.raises(RuntimeError, match="paper"):
        HandleEvent(begin, fail, {})(event)
    assert owner.execute("SELECT id FROM outbox").fetchall() == [(event,)]
    handled, error = state(owner, event)
    assert not handled
    assert error is not None
    assert error.startswith("RuntimeError\nRuntimeError\n")
    assert "test_handling.py" in error
    assert "paper" not in error, "what an error says may be personal"
    assert HandleEvent(begin, nothing, {})(event)
    assert state(owner, event) == (True, None)


def test_an_error_that_the_database_reports_is_recorded_too(
    begin: PostgresBegin, owner: psycopg.Connection, committed: Committed
):
    event = committed()
    with pytest.raises(psycopg.errors.UndefinedTable):
        HandleEvent(begin, lambda work, _: work.connection.execute("SELECT * FROM nowhere"), {})(event)
    assert (state(owner, event)[1] or "").startswith("psycopg.errors.UndefinedTable 42P01\n")


def test_an_event_of_another_version_is_kept(
    begin: PostgresBegin, owner: psycopg.Connection, committed: Committed
):
    event = committed()
    owner.execute("UPDATE outbox SET type = 'SomethingNewer'")
    with pytest.raises(KeyError):
        HandleEvent(begin, nothing, {})(event)
    handled, error = state(owner, event)
    assert not handled
    assert (error or "").startswith("KeyError\n")


def test_two_workers_at_once_react_once(begin: PostgresBegin, committed: Committed):
    event, entered, leave = committed(), Event(), Event()
    reactions = []

    def react(_work: Any, _event: Any) -> None:
        reactions.append(1)
        entered.set()
        assert leave.wait(10)

    handle = HandleEvent(begin, react, {})
    first = Thread(target=handle, args=(event,))
    first.start()
    assert entered.wait(10)
    assert handle(event) is False
    leave.set()
    first.join()
    assert handle(event) is False
    assert reactions == [1]


def test_a_message_that_is_faster_than_its_relay_is_not_passed_over(
    begin: PostgresBegin, committed: Committed
):
    """It is sent before the relay commits; passed over, it would wait until it counts as lost."""
    event, handled = committed(), []
    handle = HandleEvent(begin, lambda _work, _event: None, {})
    with begin() as work:
        assert work.inbox.claim_unsent(limit=1) == (event,)
        worker = Thread(target=lambda: handled.append(handle(event)))
        worker.start()
        worker.join(0.3)
    worker.join()
    assert handled == [True]


def test_many_workers_react_to_each_event_once(begin: PostgresBegin, committed: Committed):
    events = [committed() for _ in range(20)]
    seen: list[EventId] = []
    handle = HandleEvent(begin, lambda _, event: seen.append(event.id), {})
    barrier = Barrier(4)

    def work() -> None:
        barrier.wait()
        for event in events:
            handle(event)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == sorted(events)


def due(begin: PostgresBegin, job: str) -> EventId:
    event = EventId(uuid4())
    with begin() as work:
        work.outbox.add(JobDue(id=event, at=NOON, job=job))
    return event


def test_a_due_job_is_marked_when_it_has_ended(begin: PostgresBegin, owner: psycopg.Connection):
    marks = []
    event = due(begin, "tidy_up")
    handle = HandleEvent(begin, nothing, {Job.TIDY_UP: lambda: marks.append(state(owner, event)[0])})
    assert (handle(event), handle(event)) == (True, False)
    assert marks == [False]
    assert state(owner, event) == (True, None)


def test_a_job_that_fails_runs_again_and_keeps_what_it_had_committed(
    begin: PostgresBegin, owner: psycopg.Connection, committed: Committed
):
    event = due(begin, "tidy_up")

    def fail() -> None:
        committed()
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        HandleEvent(begin, nothing, {Job.TIDY_UP: fail})(event)
    handled, error = state(owner, event)
    assert not handled
    assert (error or "").startswith("RuntimeError\n")
    assert owner.execute("SELECT count(*) FROM outbox").fetchone() == (2,)
    assert HandleEvent(begin, nothing, {Job.TIDY_UP: lambda: None})(event)


def test_a_job_of_another_version_is_kept_and_named(begin: PostgresBegin, owner: psycopg.Connection):
    event = due(begin, "make_coffee")
    with pytest.raises(ValueError, match="make_coffee"):
        HandleEvent(begin, nothing, {})(event)
    assert state(owner, event)[0] is False


def test_a_late_failure_does_not_blame_an_event_that_was_handled_meanwhile(
    begin: PostgresBegin, owner: psycopg.Connection
):
    event = due(begin, "tidy_up")

    def fail() -> None:
        assert HandleEvent(begin, nothing, {Job.TIDY_UP: lambda: None})(event)
        raise RuntimeError("too late")

    with pytest.raises(RuntimeError):
        HandleEvent(begin, nothing, {Job.TIDY_UP: fail})(event)
    assert state(owner, event) == (True, None)
