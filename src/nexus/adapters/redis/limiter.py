"""Limits that hold for all processes together."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Lock
from time import monotonic
from typing import Any, Final, TypeVar

import structlog
from attrs import define, field
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from nexus.application.kernel.limits import Allowance, Limit, Limiter, tightest

Answer = TypeVar("Answer")

PREFIX: Final = "nexus:limit:"

TAKE: Final = """
local now = tonumber(ARGV[1])
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end
local times = tonumber(ARGV[2])
local granted = true
local answer = {}
for i, key in ipairs(KEYS) do
    local amount, window = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
    local newest = tonumber(redis.call('LINDEX', key, -1) or 0)
    if newest > now then
        now = newest
    end
    local oldest = redis.call('LINDEX', key, 0)
    while oldest and tonumber(oldest) + window <= now do
        redis.call('LPOP', key)
        oldest = redis.call('LINDEX', key, 0)
    end
    local used = redis.call('LLEN', key)
    local over = used + times - amount
    if over > 0 then
        granted = false
        local freeing = tonumber(redis.call('LINDEX', key, over - 1))
        answer[i] = {0, newest + window - now, freeing + window - now}
    else
        answer[i] = {amount - used, used > 0 and newest + window - now or 0, -1}
    end
end
if granted then
    for i, key in ipairs(KEYS) do
        local window = tonumber(ARGV[2 * i + 2])
        local at = string.format('%.0f', now)
        for _ = 1, times do
            redis.call('RPUSH', key, at)
        end
        redis.call('PEXPIRE', key, math.ceil(window / 1000))
        answer[i] = {answer[i][1] - times, window, -1}
    end
end
return answer
"""
"""
Every time taken is remembered until its window has passed, so that no window
however it is laid holds more than the amount. Time is the server's, in
microseconds, and never runs backwards under a name.
"""

_log = structlog.get_logger("nexus.limits")


@define
class RedisLimiter:
    """
    Counts in Redis, in one round trip, whatever the number of names.

    A Redis that fails or does not answer at once is away: *fallback* decides, and
    Redis is tried again by one caller after each *pause*. Nobody waits for longer than it
    takes to notice; the log says once that it is away, and once that it is back.
    One name always goes with the same window.
    """

    _client: "Redis"
    _fallback: Limiter
    _pause: float
    _now: Callable[[], int] | None = None
    """Microseconds, for tests; the server's time if not given."""
    _away_until: float | None = field(default=None, init=False)
    _turn: Lock = field(factory=Lock, init=False)
    _script: Any = field(init=False)
    fallbacks: int = field(default=0, init=False)
    """How often the fallback decided."""

    def __attrs_post_init__(self) -> None:
        self._script = self._client.register_script(TAKE)

    @classmethod
    def at(cls, url: str, *, fallback: Limiter, patience: float = 0.1, pause: float = 1.0) -> "RedisLimiter":
        """
        A limiter at this URL.

        Parameters:
            patience: Seconds after which it does not wait for an answer any more.
            pause: Seconds in which a Redis that is away is not asked again.
        """
        client = Redis.from_url(
            url,
            socket_connect_timeout=patience,
            socket_timeout=patience,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
        )
        return cls(client, fallback, pause)

    def close(self) -> None:
        self._client.close()

    def take(self, *wanted: tuple[str, Limit], times: int = 1) -> Allowance:
        answer = self._ask(lambda: self._take(wanted, times))
        if answer is None:
            self.fallbacks += 1
            return self._fallback.take(*wanted, times=times)
        return tightest(
            Allowance(
                limit=limit,
                remaining=remaining,
                resets_after=timedelta(microseconds=resets),
                retry_after=None if retry < 0 else timedelta(microseconds=retry),
            )
            for (_, limit), (remaining, resets, retry) in zip(wanted, answer, strict=True)
        )

    def forget(self, *names: str) -> None:
        self._fallback.forget(*names)
        self._ask(lambda: self._client.delete(*(PREFIX + name for name in names)))

    def _take(self, wanted: Sequence[tuple[str, Limit]], times: int) -> list[tuple[int, int, int]]:
        arguments: list[int | str] = [self._now() if self._now else "", times]
        for _, limit in wanted:
            arguments += [limit.amount, limit.window // timedelta(microseconds=1)]
        answer: list[tuple[int, int, int]] = self._script(
            keys=[PREFIX + name for name, _ in wanted], args=arguments
        )
        return answer

    def _ask(self, question: Callable[[], Answer]) -> Answer | None:
        """The answer, or ``None`` while Redis is away."""
        probing = self._away_until is not None
        if probing and not self._may_probe():
            return None
        try:
            answer = question()
        except (RedisError, OSError) as error:
            if self._is_news(away=True):
                _log.warning("limiter away", error=type(error).__name__)
            return None
        # An answer to what was asked before it went away says nothing.
        if probing and self._is_news(away=False):
            _log.warning("limiter back")
        return answer

    def _may_probe(self) -> bool:
        with self._turn:
            now = monotonic()
            if self._away_until and now < self._away_until:
                return False
            self._away_until = now + self._pause
            return True

    def _is_news(self, *, away: bool) -> bool:
        with self._turn:
            was_away = self._away_until is not None
            self._away_until = monotonic() + self._pause if away else None
            return away != was_away
