"""Which handlers run in the event loop itself, and that nothing there makes everybody wait."""

import asyncio
from functools import partial
from socket import getaddrinfo
from typing import Any

import pytest

from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.fibers import begin_fiber, fiber
from nexus.entrypoints.http.policies import routes_of
from tests.support.blocking import Blocking
from tests.support.front import Front
from tests.support.office import Office


def test_what_blocks_in_a_fiber_is_noticed_and_elsewhere_it_may(blocking: Blocking):
    async def scene() -> None:
        begin_fiber(partial(getaddrinfo, "127.0.0.1", 80))

    getaddrinfo("127.0.0.1", 80)
    assert blocking.seen() == []
    asyncio.run(scene())
    [noticed] = blocking.seen()
    assert noticed.startswith("socket.getaddrinfo")


@pytest.fixture
def in_the_loop(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each unit of work: whether the loop itself carried it out."""
    noted: list[bool] = []
    unit, reading = PostgresBegin._unit, PostgresBegin._reading

    def note(method: Any) -> Any:
        def noting(*args: Any) -> Any:
            noted.append(fiber() is not None)
            return method(*args)

        return noting

    monkeypatch.setattr(PostgresBegin, "_unit", note(unit))
    monkeypatch.setattr(PostgresBegin, "_reading", note(reading))
    return noted


def test_what_families_do_most_runs_in_the_loop(front: Front, in_the_loop: list[bool]):
    family, session = front.town.family(), front.town.session()
    assert front.book(family, session).status_code == 201
    for path in ("/bookings", "/me/credits", "/activities"):
        assert front.get(front.parent(family), path).status_code == 200
    assert len(in_the_loop) >= 4
    assert all(in_the_loop)


def test_what_administrators_do_has_a_thread(office: Office, in_the_loop: list[bool]):
    assert office.get(office.admin, "/admin/venues").status_code == 200
    recognition, *answer = in_the_loop
    assert recognition
    assert answer
    assert not any(answer)


def test_what_hashes_a_password_or_reads_a_whole_file_is_never_light(front: Front):
    heavy = ("/auth", "/password", "/second-factor", "/imports", "/sign-ins")
    found = [
        handler for path, _, handler in routes_of(front.client.app) if any(part in path for part in heavy)
    ]
    assert found
    assert not any("light" in handler.opt for handler in found)
