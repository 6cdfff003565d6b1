"""
The other side of HTTP, in a process of its own: keep-alive connections that ask as fast as they are answered.

Reads what to ask from standard input and writes what came of it to standard output,
both JSON. It costs as little as it can, because it shares the machine with the server.
"""

import asyncio
import json
import sys
from collections import Counter, deque
from time import perf_counter
from typing import Any

import uvloop


class _Connection(asyncio.Protocol):
    """Asks the next question as soon as the last one is answered."""

    def __init__(
        self, questions: "deque[bytes]", deadline: float, ended: "asyncio.Future[None]", *, again: bool
    ) -> None:
        self._questions = questions
        self._again = again
        self._deadline = deadline
        self._ended = ended
        self._buffer = b""
        self._asked_at = 0.0
        self.seconds: list[float] = []
        self.statuses: Counter[int] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._ask()

    def _ask(self) -> None:
        if not self._questions or perf_counter() > self._deadline:
            self._transport.close()
            return
        self._asked_at = perf_counter()
        question = self._questions.popleft()
        self._transport.write(question)
        if self._again:
            self._questions.append(question)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(body) < length:
            return
        self.seconds.append(perf_counter() - self._asked_at)
        self.statuses[int(head[9:12])] += 1
        self._buffer = b""
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(None) if exc is None else self._ended.set_exception(exc)


async def _ask_all(wanted: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    questions = deque(bytes(question, "latin-1") for question in wanted["questions"])
    begun = perf_counter()
    made: list[_Connection] = []
    ends = []
    for _ in range(wanted["clients"]):
        ended: asyncio.Future[None] = loop.create_future()
        connection = _Connection(questions, begun + (wanted["seconds"] or 600), ended, again=wanted["again"])
        await loop.create_connection(lambda: connection, "127.0.0.1", wanted["port"])  # noqa: B023 - made at once
        made.append(connection)
        ends.append(ended)
    await asyncio.gather(*ends)
    taken = perf_counter() - begun
    seconds = sorted(each for connection in made for each in connection.seconds)
    statuses = sum((connection.statuses for connection in made), Counter[int]())
    return {
        "rate": len(seconds) / taken,
        "seconds": taken,
        "p50": seconds[len(seconds) // 2] * 1000 if seconds else 0,
        "p99": seconds[len(seconds) * 99 // 100] * 1000 if seconds else 0,
        "statuses": {str(status): many for status, many in statuses.items()},
        "unasked": len(questions),
    }


if __name__ == "__main__":
    json.dump(uvloop.run(_ask_all(json.load(sys.stdin))), sys.stdout)
