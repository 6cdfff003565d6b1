"""
The tutorial, executed: each request is sent, each answer compared, in the order of the page.

A request is a block ``http`` that begins with a method; the block ``http`` behind
it that begins with ``HTTP/1.1`` is what it must answer. Of a JSON answer only
what is shown is compared: members may be left out, ``"..."`` stands for anything,
and ``"$NAME"`` remembers a value, which later blocks then use. A block ``sh`` with
``nexus clock advance`` moves the clock.
"""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from attrs import define, field
from litestar.testing import TestClient
from psycopg_pool import ConnectionPool

from nexus.adapters.passwords.argon2 import Argon2Passwords
from nexus.adapters.postgres.begin import PostgresBegin
from nexus.adapters.postgres.invariants import verify
from nexus.adapters.system.chance import new_id
from nexus.application.identity.create_user import CreateUser, NewUser
from nexus.application.kernel.actor import Actor
from nexus.application.kernel.jobs import Job
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import EventId
from nexus.entrypoints.demo.accounts import EASY_SIGN_IN
from nexus.entrypoints.http.api import build
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring import Nexus
from tests.support.front import Setting
from tests.support.recorded import assert_recorded
from tests.support.town import NOON

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"

BLOCK = re.compile(r"^```(http|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@define
class Story:
    """What the page has told so far."""

    client: TestClient[Any]
    nexus: Nexus
    clock: Setting
    owner: psycopg.Connection
    known: dict[str, str] = field(factory=dict)
    answer: httpx.Response | None = None

    def told(self, text: str) -> str:
        """The text with what was remembered in its place."""
        return re.sub(r"\$([A-Z][A-Z_]*)", lambda name: self.known[name[1]], text)

    def ask(self, block: str) -> None:
        head, _, body = self.told(block).partition("\n\n")
        first, *lines = head.splitlines()
        method, target = first.split()
        headers = dict(line.split(": ", 1) for line in lines)
        self.client.cookies.clear()
        if body.strip():
            headers.setdefault("Content-Type", "application/json")
        self.answer = self.client.request(method, target, headers=headers, content=body.strip() or None)
        assert_recorded(self.client.app, self.owner, method, target, self.answer)
        self.work()

    def compare(self, block: str) -> None:
        assert self.answer is not None, "an answer without a request"
        head, _, body = block.partition("\n\n")
        status, *lines = head.splitlines()
        assert int(status.split()[1]) == self.answer.status_code, self.answer.text
        for name, value in (line.split(": ", 1) for line in lines):
            assert self.answer.headers[name] == value
        if body.strip():
            self.same(json.loads(body), self.answer.json(), "body")

    def same(self, shown: Any, got: Any, path: str) -> None:
        match shown:
            case "...":
                pass
            case str() if shown.startswith("$"):
                assert self.known.setdefault(shown[1:], str(got)) == str(got), path
            case dict():
                for name, value in shown.items():
                    assert name in got, f"{path}.{name} is missing in {got}"
                    self.same(value, got[name], f"{path}.{name}")
            case list():
                assert len(shown) == len(got), f"{path} has other items: {got}"
                for position, (one, other) in enumerate(zip(shown, got, strict=True)):
                    self.same(one, other, f"{path}[{position}]")
            case _:
                assert shown == got, f"{path}: {shown!r} is shown, {got!r} was answered"

    def run(self, block: str) -> None:
        for amount, unit in re.findall(r"nexus clock advance (\d+)([hmd])", block):
            name = {"h": "hours", "m": "minutes", "d": "days"}[unit]
            self.clock.at += timedelta(**{name: int(amount)})
            for job in Job:
                getattr(self.nexus, job.value)()
            self.work()

    def work(self) -> None:
        """What the worker does beside it."""
        while waiting := self.owner.execute(
            "SELECT id FROM outbox WHERE handled_at IS NULL ORDER BY position"
        ).fetchall():
            for (event,) in waiting:
                self.nexus.handle_event(EventId(event))


@pytest.fixture
def story(begin: PostgresBegin, pool: ConnectionPool, owner: psycopg.Connection) -> Iterator[Story]:
    """A new installation at noon of Monday 2 March 2026, with its first administrator and the demo's settings."""
    clock = Setting(NOON)
    ada = CreateUser(begin, clock, new_id, Argon2Passwords())(
        NewUser(
            email="admin@nexus.example",
            role=Role.PLATFORM_ADMIN,
            first_name="Ada",
            last_name="Min",
            password="correct horse battery staple",
        )
    )
    nexus = Nexus(pool, now=clock, secret_key=bytes(32))
    nexus.change_settings(EASY_SIGN_IN, actor=Actor(ada.id, ada.role))
    with TestClient(build(nexus, Settings(pool_size=4)), raise_server_exceptions=False) as client:
        yield Story(client, nexus, clock, owner)


def test_the_tutorial_tells_the_truth(story: Story, owner: psycopg.Connection) -> None:
    page = TUTORIAL.read_text(encoding="utf-8")
    blocks = BLOCK.findall(page)
    assert len(blocks) > 30, "the page lost its blocks"
    for kind, block in blocks:
        line = page[: page.index(block)].count("\n") + 1
        try:
            if kind == "sh":
                story.run(block)
            elif block.startswith("HTTP/"):
                story.compare(block)
            else:
                story.ask(block)
        except (AssertionError, KeyError) as fault:
            raise AssertionError(f"{TUTORIAL.name}:{line}: {fault}") from fault
    at, last_offer = story.clock.at, timedelta(hours=1)
    assert [found for found in verify(owner, at=at, last_offer=last_offer) if not found.holds] == []
