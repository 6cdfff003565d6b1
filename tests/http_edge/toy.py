"""A small application on the edge, with one of everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from attrs import define, evolve, field, frozen, validators
from litestar import Controller, Litestar, Response, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody, SkipValidation

from nexus.application.kernel.actor import Actor
from nexus.application.kernel.commands import Fingerprint, IdempotencyKeyReused, Reply
from nexus.domain.identity.credentials import TooManyAttempts
from nexus.domain.identity.people import Role
from nexus.domain.kernel.errors import Conflict, InvalidValue, NoSuchThing, Unauthenticated
from nexus.domain.kernel.ids import BookingId, ChildId, UserId
from nexus.domain.kernel.money import Money
from nexus.entrypoints.http.app import EdgeSettings, edge
from nexus.entrypoints.http.etag import IfMatch, etag
from nexus.entrypoints.http.idempotency import Attempt, Once
from nexus.entrypoints.http.openapi import problem_responses
from nexus.entrypoints.http.pagination import CursorText, Keyset, Limit, Page
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.rates import Rates
from nexus.entrypoints.http.scalars import Int4
from nexus.entrypoints.http.unset import UNSET, Unset, given


class Colour(StrEnum):
    """What can be chosen."""

    RED = "red"
    BLUE = "blue"


@frozen
class OutOfPaint(Conflict):
    """There is no paint of this colour left."""

    colour: Colour
    left: int
    since: datetime
    booking: BookingId
    status: str


@frozen
class TokenExpired(Unauthenticated):
    """The brush does not know you any more."""


class Away(Exception):
    """The toy's database cannot be reached."""


@frozen
class Line:
    """How much of what."""

    quantity: Int4 = field(validator=[validators.ge(1), validators.le(5)])
    note: str | None = field(default=None, validator=validators.optional(validators.max_len(20)))


@frozen
class Even:
    """A number that its own constructor checks."""

    value: int

    def __attrs_post_init__(self) -> None:
        if self.value % 2:
            raise InvalidValue("value", "must be even")


@frozen
class Order:
    """Something to paint."""

    id: BookingId
    at: datetime
    day: date
    time: time
    colour: Colour
    lines: list[Line] = field(validator=validators.min_len(1))
    even: Even | None = None
    tags: tuple[str, ...] = ()
    counts: dict[str, int] = field(factory=dict)
    children: list[ChildId] = field(factory=list)
    price: Money | None = None
    share: float = 1.0
    gift: bool = False
    size: str = field(
        default="m",
        validator=validators.in_(["s", "m", "l"]),
        metadata={"description": "How big.", "examples": ["s"]},
    )
    code: str = field(default="AB", validator=validators.matches_re("[A-Z]{2}"))


@frozen
class Change:
    """What is to be different."""

    name: str | Unset = UNSET
    note: str | Unset | None = UNSET


@frozen
class PaintingView:
    """A painting, as its owner sees it."""

    id: BookingId
    name: str
    at: datetime
    opens: time
    colour: Colour
    price: Money
    version: int
    note: str | None = None
    secret: str | Unset = UNSET


FIRST = PaintingView(
    id=BookingId(UUID(int=1)),
    name="Night",
    at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    opens=time(9, 30),
    colour=Colour.BLUE,
    price=Money(1250),
    version=3,
)


@define
class Memory:
    """The twin of the command store and of a unit of work with savepoints."""

    replies: dict[tuple[UserId, str], Reply | None] = field(factory=dict)
    claims: dict[tuple[UserId, str], bytes] = field(factory=dict)
    painted: int = 0
    depth: int = 0

    @property
    def commands(self) -> "Memory":
        return self

    def claim(self, actor: UserId, key: str, fingerprint: Fingerprint) -> Reply | None:
        if (found := self.replies.get((actor, key))) is not None:
            if self.claims[actor, key] != fingerprint:
                raise IdempotencyKeyReused
            return found
        self.replies[actor, key], self.claims[actor, key] = None, fingerprint
        return None

    def store(self, actor: UserId, key: str, reply: Reply) -> None:
        self.replies[actor, key] = reply

    @contextmanager
    def begin(self) -> Iterator["Memory"]:
        before = dict(self.replies), self.painted
        try:
            yield self
        except BaseException:
            self.replies, self.painted = before
            raise


BY_NAME = Keyset("name", str, UUID)


class PaintingController(Controller):
    """Paintings."""

    path = "/api/v1/paintings"
    opt = allow(Policy.FAMILY)
    tags: ClassVar = ["Paintings"]

    @get("/", sync_to_thread=True)
    def browse(
        self, colour: FromQuery[Colour | None] = None, limit: Limit = 20, cursor: CursorText = None
    ) -> Page[PaintingView]:
        """All paintings, by name."""
        after = BY_NAME.after(cursor)
        rows = [evolve(FIRST, name=f"n{i:03}", id=BookingId(UUID(int=i))) for i in range(45)]
        found = [r for r in rows if after is None or (r.name, r.id) > after]
        return BY_NAME.page(found[: limit + 1], limit, lambda r: (r.name, r.id), lambda r: r)

    @get("/{painting_id:uuid}", sync_to_thread=True, responses=problem_responses(NoSuchThing))
    def show(self, painting_id: FromPath[BookingId]) -> Response[PaintingView]:
        """One painting."""
        if painting_id != FIRST.id:
            raise NoSuchThing("painting")
        return Response(FIRST, headers=etag(FIRST.version))

    @patch("/{painting_id:uuid}", sync_to_thread=True)
    def change(
        self,
        painting_id: FromPath[BookingId],
        data: JSONBody[Change],
        if_match: NamedDependency[SkipValidation[IfMatch]],
    ) -> PaintingView:
        """Change what was said."""
        if_match.check(FIRST.version)
        return evolve(FIRST, id=painting_id, **given(name=data.name, note=data.note))

    @post("/", sync_to_thread=True, responses=problem_responses(OutOfPaint))
    def paint(
        self,
        data: JSONBody[Order],
        actor: NamedDependency[SkipValidation[Actor]],
        attempt: NamedDependency[SkipValidation[Attempt]],
        memory: NamedDependency[SkipValidation[Memory]],
    ) -> Response[PaintingView]:
        """Have something painted."""

        def run() -> PaintingView:
            memory.painted += 1
            if data.size == "l":
                raise OutOfPaint(data.colour, 0, data.at, data.id, "empty")
            if data.size == "s" and data.gift:
                raise TokenExpired
            return evolve(FIRST, id=data.id, name=f"No. {memory.painted}")

        return Once(memory.begin, actor.user)(attempt.key, attempt.fingerprint, 201, run)


@post("/echo", sync_to_thread=True, opt=allow(Policy.PUBLIC), status_code=200)
def echo(data: JSONBody[Order]) -> Order:
    """What was understood."""
    return data


@get("/numbers", sync_to_thread=True, opt=allow(Policy.PUBLIC))
def numbers(
    whole: FromQuery[int] = 0,
    near: FromQuery[list[float] | None] = None,
    at: FromQuery[datetime | None] = None,
) -> dict[str, str]:
    """What was understood of a query."""
    return {"whole": str(whole), "near": str(near), "at": str(at)}


@get("/broken/{how:str}", sync_to_thread=True, opt=allow(Policy.PUBLIC))
def broken(how: FromPath[str], age: FromQuery[int] = 0) -> None:
    """Fails."""
    if how == "away":
        raise Away("password=hunter2")
    if how == "often":
        raise TooManyAttempts(7)
    raise RuntimeError("secret internals")


def policy_route(policy: Policy) -> Any:
    @get(f"/for/{policy.name}", sync_to_thread=True, opt=allow(policy), operation_id=f"for{policy.name}")
    def handler() -> dict[str, str]:
        return {"policy": policy.name}

    return handler


@get("/whoami", sync_to_thread=True, opt=allow(Policy.PUBLIC, recognise=True))
def whoami(visitor: NamedDependency[SkipValidation[Actor | None]]) -> dict[str, str | None]:
    return {"role": visitor.role if visitor else None}


USERS = {role.value: Actor(UserId(UUID(int=n)), role) for n, role in enumerate(Role)}


def toy(*more: Any, memory: Memory | None = None, rates: Rates | None = None, **settings: Any) -> Litestar:
    """The application; a token is a role's name."""
    kept = memory or Memory()
    return edge(
        [PaintingController, echo, numbers, broken, whoami, *map(policy_route, Policy), *more],
        authenticate=USERS.get,
        unavailable={Away: lambda _: 7},
        dependencies={"memory": Provide(lambda: kept, sync_to_thread=False)},
        rates=rates,
        settings=EdgeSettings(calls=4, **settings),
    )
