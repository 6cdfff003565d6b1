"""Clients: people who book, and do not give up until they are answered."""

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from attrs import define, field, frozen
from benchmarks.dataset import BOOKING, CHILD, SESSION, USER, awaited_booking, free_place, id_of, token_of

from tests.drills.judging import Answered
from tests.drills.town import ADMIN, SIZE, Town

AGAIN: Final = frozenset({500, 502, 503, 504})
"""After these a client tries again."""


@frozen
class Heard:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes


@define
class Asking:
    """Asks one question at a time, each on a connection of its own."""

    port: int

    def __call__(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        body: Any = None,
        key: str | None = None,
        patience: float = 35.0,
    ) -> Heard:
        """
        The answer.

        Raises:
            OSError: There was none.
        """
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
            answer = connection.getresponse()
            return Heard(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
        except (TimeoutError, http.client.HTTPException) as error:
            raise ConnectionError(type(error).__name__) from error
        finally:
            connection.close()


@frozen(kw_only=True)
class Command:
    """Something that a client wants done once."""

    name: str
    path: str
    token: str
    body: Any

    def send(self, asking: Asking, *, key: bool, patience: float = 35.0) -> Heard:
        return asking(
            "POST",
            self.path,
            token=self.token,
            body=self.body,
            key=self.name if key else None,
            patience=patience,
        )


def booking(number: int) -> Command:
    """A place that nobody has, for a family; each number another."""
    family, session = free_place(number, SIZE)
    return Command(
        name=f"booking-{number}",
        path="/api/v1/bookings",
        token=token_of(USER, family),
        body={"session_id": str(id_of(SESSION, session)), "child_ids": [str(id_of(CHILD, family))]},
    )


def cancellation(number: int) -> Command:
    """The end of a booking for whose place somebody waits; each number another."""
    family, booked = awaited_booking(number, SIZE)
    return Command(
        name=f"cancel-{number}",
        path=f"/api/v1/bookings/{id_of(BOOKING, booked)}/cancel",
        token=token_of(USER, family),
        body={"reason": "other"},
    )


def correction(number: int) -> Command:
    """A credit for a family, by the platform's administrator: given twice, it would be two."""
    return Command(
        name=f"correction-{number}",
        path="/api/v1/admin/credits/adjust",
        token=ADMIN,
        body={
            "user_id": str(id_of(USER, number % SIZE.families)),
            "amount": 1,
            "reason": f"correction-{number}",
        },
    )


def bookings(first: int = 0) -> Iterator[Command]:
    return map(booking, itertools.count(first))


def corrections(first: int = 0) -> Iterator[Command]:
    return map(correction, itertools.count(first))


def both() -> Iterator[Command]:
    """By turns."""
    for number in itertools.count():
        yield booking(number)
        yield correction(number)


_BOOKED: Final = """
    SELECT child_id, session_id, count(*) FROM bookings
     WHERE status NOT LIKE 'cancelled%' AND booked_at > now() - interval '1 hour' GROUP BY 1, 2
"""
_CORRECTED: Final = "SELECT reason, count(*) FROM credit_ledger WHERE reason LIKE 'correction-%' GROUP BY 1"


def effects(town: Town, commands: Iterable[Command]) -> dict[str, int]:
    """How often each command took effect, as the database has it."""
    booked = {(str(child), str(session)): many for child, session, many in town.query(_BOOKED)}
    corrected = dict(town.query(_CORRECTED))
    found = {}
    for each in commands:
        if each.name in corrected:
            found[each.name] = corrected[each.name]
        elif "child_ids" in each.body:
            found[each.name] = booked.get((each.body["child_ids"][0], each.body["session_id"]), 0)
    return found


@define
class Crowd:
    """Writers in threads: each takes the next command and repeats it until it is answered."""

    asking: Asking
    commands: Iterator[Command]
    key: bool = True
    patience: float = 35.0
    asked: list[Command] = field(factory=list)
    answers: list[Answered] = field(factory=list)
    spans: list[float] = field(factory=list)
    """Beginning and end of each request that was served."""
    statuses: dict[int, int] = field(factory=dict)
    tries: int = 0
    _lock: threading.Lock = field(factory=threading.Lock)
    _ended: threading.Event = field(factory=threading.Event)

    @contextmanager
    def at_work(self, writers: int = 8) -> "Iterator[Crowd]":
        """While the block lasts; at its end each finishes the command that it has in hand."""
        threads = [threading.Thread(target=self._write, daemon=True) for _ in range(writers)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            for thread in threads:
                thread.join(60)

    def _write(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                command = next(self.commands)
                self.asked.append(command)
            self._until_answered(command)

    def _until_answered(self, command: Command) -> None:
        give_up_at = None
        while give_up_at is None or time.monotonic() < give_up_at:
            begun = time.monotonic()
            status, body = 0, b""
            try:
                heard = command.send(self.asking, key=self.key, patience=self.patience)
                status, body = heard.status, heard.body
            except OSError:
                pass
            with self._lock:
                self.tries += 1
                self.statuses[status] = self.statuses.get(status, 0) + 1
                if status and status not in AGAIN:
                    self.spans += [begun, time.monotonic()]
                    self.answers.append(Answered(name=command.name, status=status, body=body))
                    return
            if self._ended.is_set() and give_up_at is None:
                give_up_at = time.monotonic() + 20
            time.sleep(0.02 if status else 0.15)

    def replay(self, *, most: int) -> list[Answered]:
        """The first so many acknowledged commands once more, with their keys."""
        return self.replay_at(self.asking, most=most)

    def replay_at(self, asking: Asking, *, most: int) -> list[Answered]:
        """The same at another address; what is not available is asked for again."""
        named = {each.name: each for each in self.asked}
        done = [each for each in self.answers if each.is_done][:most]
        again = []
        for each in done:
            heard = named[each.name].send(asking, key=True)
            while heard.status == 503:
                heard = named[each.name].send(asking, key=True)
            again.append(Answered(name=each.name, status=heard.status, body=heard.body))
        return again


def pause_until(condition: Callable[[], bool], *, within: float) -> float | None:
    """How many seconds it took to come true; None when it did not."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > within:
            return None
        time.sleep(0.05)
    return time.monotonic() - begun
