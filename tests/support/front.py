"""The product behind its HTTP interface, over a real database, with a clock that a test sets."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import httpx
from attrs import define, field
from jsonschema import Draft202012Validator, FormatChecker
from litestar import Litestar
from litestar.testing import TestClient

from nexus.application.kernel.actor import Actor
from nexus.domain.identity.people import Role
from nexus.domain.kernel.ids import CompanyId, EventId, SessionId, UserId, VenueId
from nexus.entrypoints.http.api import build
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring import Nexus
from tests.support.passwords import QUICK
from tests.support.recorded import assert_recorded
from tests.support.town import NOON, Family, Town

V1 = "/api/v1"


@define
class People:
    """Who is signed in, by token: signing in itself is another suite's matter."""

    signed_in: dict[str, Actor] = field(factory=dict)

    def __call__(self, token: str, /) -> Actor | None:
        return self.signed_in.get(token)

    def token(
        self, user: UUID, role: Role, *, company: CompanyId | None = None, venue: VenueId | None = None
    ) -> str:
        token = f"{role}-{user}"
        self.signed_in[token] = Actor(UserId(user), role, company, venue, token)
        return token


@define
class Setting:
    """The present, as every use case reads it."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at


def booking_app(nexus: Nexus, people: People) -> Litestar:
    """The whole application, except that nobody needs a password."""
    recognising = Nexus(nexus.pool, now=nexus.now, secret_key=bytes(range(32)), passwords=QUICK)
    recognising.authenticate = people
    return build(recognising, Settings(pool_size=4))


@define
class Door:
    """The running application, with what a test moves behind it."""

    client: TestClient[Any]
    nexus: Nexus
    clock: Setting
    people: People


@define
class Front(Door):
    """A town, and somebody who sends requests to it and compares each answer with the API document."""

    town: Town

    def send(
        self, who: str | None, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        """A request of somebody; header names are written with underscores."""
        stated = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            stated["authorization"] = f"Bearer {who}"
        json = {} if body is None else {"json": body}
        answer = self.client.request(method, V1 + path, headers=stated, **json)
        assert_documented(self.client, method, V1 + path, answer)
        assert_recorded(self.client.app, self.town.owner, method, V1 + path, answer)
        return answer

    def get(self, who: str | None, path: str, **headers: str) -> httpx.Response:
        return self.send(who, "GET", path, **headers)

    def post(self, who: str | None, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.send(who, "POST", path, body, **headers)

    def parent(self, family: Family, *, role: Role = Role.PARENT) -> str:
        return self.people.token(family.parent, role, company=self.town.company)

    def venue(self, venue: VenueId | None = None) -> str:
        """The one who runs a venue, by default the town's."""
        user = uuid4()
        self.town._insert(
            "users",
            id=user,
            email=f"{user}@venue.example",
            role="venue_admin",
            first_name="Val",
            last_name="Oh",
            venue_id=self.town.venue,
            timezone="America/Chicago",
            joined_at=self.town.now,
        )
        return self.people.token(user, Role.VENUE_ADMIN, venue=venue or self.town.venue)

    def book(self, family: Family, session: SessionId, **headers: str) -> httpx.Response:
        return self.post(self.parent(family), "/bookings", wanted(session, family), **headers)

    def booked(self, family: Family, session: SessionId) -> str:
        """The id of a booking that worked."""
        answer = self.book(family, session)
        assert answer.status_code == 201, answer.text
        found: str = answer.json()["bookings"][0]["id"]
        return found

    def waiting(self, family: Family, session: SessionId) -> str:
        """The id of an entry in the queue."""
        body = {"child_ids": [str(child) for child in family.children]}
        answer = self.post(self.parent(family), f"/sessions/{session}/waitlist", body)
        assert answer.status_code == 201, answer.text
        found: str = answer.json()["id"]
        return found

    def credits(self, family: Family) -> int:
        found: int = self.town.one(
            "SELECT credits_available FROM user_credit_balances WHERE user_id = %s", family.parent
        )
        return found

    def later(self, **passed: float) -> None:
        self.clock.at += timedelta(**passed)

    def handle_events(self) -> None:
        """What workers do: handle every event that was committed, in order."""
        for (event,) in self.town.owner.execute(
            "SELECT id FROM outbox WHERE handled_at IS NULL ORDER BY position"
        ).fetchall():
            assert self.nexus.handle_event(EventId(event))


@contextmanager
def seen_from(app: Litestar, address: str) -> Iterator[None]:
    """Requests inside the block come from this address."""
    inner: Any = app.asgi_handler

    async def moved(scope: Any, receive: Any, send: Any) -> None:
        await inner(
            {**scope, "client": (address, 50_000)} if scope["type"] == "http" else scope, receive, send
        )

    app.asgi_handler = moved
    try:
        yield
    finally:
        app.asgi_handler = inner


def wanted(session: SessionId, family: Family, **more: Any) -> dict[str, Any]:
    """A body that asks for places for all children of a family."""
    return {"session_id": str(session), "child_ids": [str(child) for child in family.children], **more}


@cache
def document(client: TestClient[Any]) -> dict[str, Any]:
    """The API document, with a pattern for each path."""
    stated: dict[str, Any] = client.get("/schema/openapi.json").json()
    patterns = {path: re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)) for path in stated["paths"]}
    return stated | {"patterns": patterns}


def assert_documented(client: TestClient[Any], method: str, path: str, answer: httpx.Response) -> None:
    """The answer is one that the API document announces: its status, its problem, its shape."""
    stated = document(client)
    bare = path.partition("?")[0]
    matching = (name for name, pattern in stated["patterns"].items() if re.fullmatch(pattern, bare))
    found = bare if bare in stated["paths"] else next(matching)
    responses = stated["paths"][found][method.lower()]["responses"]
    assert str(answer.status_code) in responses, f"{method} {path} answers {answer.status_code}, undocumented"
    [(media_type, content)] = responses[str(answer.status_code)]["content"].items()
    assert answer.headers["content-type"] == media_type
    schema = content["schema"] | {"components": stated["components"]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(answer.json())


def assert_problem(answer: httpx.Response, status: int, slug: str, **figures: Any) -> None:
    """The answer is that problem document, with these figures among its members."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), (
        answer.text
    )
    said = answer.json()
    assert said["type"] == f"/problems/{slug}"
    assert {name: said.get(name) for name in figures} == figures
