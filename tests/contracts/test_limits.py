"""Limits hold exactly, on Redis and in memory, and do not fall when Redis does."""

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from time import perf_counter

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis

from nexus.adapters.embedded.valkey import EmbeddedValkey
from nexus.adapters.memory.limiter import MemoryLimiter
from nexus.adapters.memory.tally import Tally
from nexus.adapters.redis.limiter import RedisLimiter
from nexus.application.kernel.limits import Limit

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
THREE = Limit(3, MINUTE)


class Hand:
    """A clock that is set by hand, in microseconds."""

    def __init__(self):
        self.time = 1_772_452_800_000_000

    def __call__(self):
        return self.time

    def go(self, by):
        self.time += by // timedelta(microseconds=1)


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
def redis(valkey_server):
    with Redis.from_url(valkey_server.redis_url) as client:
        client.flushdb()
        yield client


@pytest.fixture(params=["redis", "memory"])
def limiter(request, hand):
    if request.param == "memory":
        return MemoryLimiter(hand)
    return RedisLimiter(request.getfixturevalue("redis"), MemoryLimiter(hand), 1, now=hand)


def test_the_amount_is_granted_and_not_once_more(limiter):
    left = [limiter.take(("a", THREE)) for _ in range(5)]
    assert [allowance.is_granted for allowance in left] == [True, True, True, False, False]
    assert [allowance.remaining for allowance in left] == [2, 1, 0, 0, 0]
    assert {allowance.limit for allowance in left} == {THREE}


def test_the_wait_is_told_exactly(limiter, hand):
    """One instant before its end a refusal still stands, at its end the next time is granted."""
    for _ in range(3):
        limiter.take(("a", THREE))
        hand.go(10 * SECOND)
    refused = limiter.take(("a", THREE))
    assert refused.retry_after == 30 * SECOND
    assert refused.resets_after == 50 * SECOND
    hand.go(30 * SECOND - timedelta(microseconds=1))
    assert limiter.take(("a", THREE)).retry_after == timedelta(microseconds=1)
    hand.go(timedelta(microseconds=1))
    granted = limiter.take(("a", THREE))
    assert (granted.is_granted, granted.remaining, granted.resets_after) == (True, 0, MINUTE)


def test_everything_is_there_again_when_it_was_said_to_be(limiter, hand):
    limiter.take(("a", THREE))
    hand.go(SECOND)
    limiter.take(("a", THREE))
    hand.go(limiter.take(("a", THREE)).resets_after)
    assert limiter.take(("a", THREE)).remaining == 2


def test_several_names_are_taken_together_or_not_at_all(limiter):
    one = Limit(1, timedelta(hours=1))
    assert limiter.take(("a", THREE), ("b", one)).remaining == 0
    for _ in range(3):
        refused = limiter.take(("a", THREE), ("b", one))
        assert (refused.limit, refused.is_granted, refused.retry_after) == (one, False, timedelta(hours=1))
    assert limiter.take(("a", THREE)).remaining == 1


def test_of_two_refusals_the_longer_wait_is_told(limiter):
    short, long = Limit(1, SECOND * 30), Limit(1, MINUTE)
    limiter.take(("a", long), ("b", short))
    assert limiter.take(("a", long), ("b", short)).retry_after == MINUTE


def test_several_times_are_taken_together_or_not_at_all(limiter, hand):
    five = Limit(5, MINUTE)
    assert limiter.take(("a", five), times=3).remaining == 2
    hand.go(10 * SECOND)
    refused = limiter.take(("a", five), times=4)
    assert (refused.remaining, refused.retry_after) == (0, 50 * SECOND)
    assert limiter.take(("a", five), times=2).remaining == 0
    assert limiter.take(("a", five), times=5).retry_after == MINUTE


def test_names_do_not_share(limiter):
    for name in ("a", "b", "a:b", ""):
        assert limiter.take((name, THREE)).remaining == 2


def test_what_is_forgotten_is_whole_again(limiter):
    for name in ("a", "b", "c"):
        limiter.take((name, THREE))
    limiter.forget("a", "b", "unknown")
    assert [limiter.take((name, THREE)).remaining for name in ("a", "b", "c")] == [2, 2, 1]


def test_a_lowered_limit_holds_at_once(limiter, hand):
    for _ in range(3):
        limiter.take(("a", THREE))
        hand.go(SECOND)
    lowered = limiter.take(("a", Limit(1, MINUTE)))
    assert (lowered.is_granted, lowered.remaining) == (False, 0)
    assert lowered.retry_after == MINUTE - SECOND, "until the newest has passed"


@pytest.mark.parametrize("amount", [0, -1])
def test_a_limit_lets_something_through(amount):
    with pytest.raises(ValueError, match="must be >= 1"):
        Limit(amount, MINUTE)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(1, 2)), min_size=1, max_size=25),
)
def test_no_window_holds_more_than_its_amount(valkey_server, few, more, steps):
    """Both stores answer alike, refuse only when the window is full, and never let it overflow."""
    hand = Hand()
    narrow, wide = Limit(few, 3 * SECOND), Limit(more, 5 * SECOND)
    with Redis.from_url(valkey_server.redis_url) as client:
        client.flushdb()
        limiters = [RedisLimiter(client, MemoryLimiter(hand), 1, now=hand), MemoryLimiter(hand)]
        taken = {"n": [], "w": []}
        for pause, both, wished in steps:
            times = min(wished, few, more)
            hand.go(pause * SECOND)
            wanted = [("n", narrow), ("w", wide)] if both else [("n", narrow)]
            first, second = (limiter.take(*wanted, times=times) for limiter in limiters)
            assert first == second
            free = [
                limit.amount
                - sum(hand() - at < limit.window / timedelta(microseconds=1) for at in taken[name])
                for name, limit in wanted
            ]
            assert first.is_granted == all(number >= times for number in free)
            if first.is_granted:
                assert first.remaining == min(free) - times
                for name, _ in wanted:
                    taken[name] += [hand()] * times


@pytest.mark.parametrize("store", ["redis", "memory"])
def test_of_32_at_once_exactly_the_amount_get_through(store, request):
    if store == "memory":
        limiters = [MemoryLimiter()]
    else:
        request.getfixturevalue("redis")
        url = request.getfixturevalue("valkey_server").redis_url
        limiters = [RedisLimiter.at(url, fallback=Refusing(), patience=5) for _ in range(2)]
    ready = Barrier(32)

    def run(number):
        ready.wait()
        limiter = limiters[number % len(limiters)]
        return [limiter.take(("race", Limit(100, timedelta(hours=1)))).is_granted for _ in range(5)]

    with ThreadPoolExecutor(32) as threads:
        granted = Counter(outcome for outcomes in threads.map(run, range(32)) for outcome in outcomes)
    assert granted == {True: 100, False: 60}
    for limiter in limiters:
        getattr(limiter, "close", lambda: None)()


class Refusing:
    """A fallback that must not be asked."""

    def take(self, *_):
        raise AssertionError("Redis was there")

    forget = take


def test_memory_is_bounded(hand):
    limiter = MemoryLimiter(hand, most_names=10)
    for number in range(100):
        limiter.take((f"n{number}", THREE))
        limiter.take(("kept", THREE))
    assert not limiter.take(("kept", THREE)).is_granted, "what is used stays"
    assert limiter.take(("n0", THREE)).remaining == 2


def test_redis_forgets_what_has_passed(redis):
    limiter = RedisLimiter(redis, Refusing(), 1)
    limiter.take(("short", Limit(5, timedelta(seconds=2))))
    (key,) = redis.keys("*")
    assert 0 < redis.pttl(key) <= 2000


def test_the_servers_time_counts(redis):
    """Processes whose clocks differ share one time."""
    before, _ = redis.time()
    RedisLimiter(redis, Refusing(), 1).take(("a", THREE))
    (at,) = redis.lrange("nexus:limit:a", 0, -1)
    assert before <= int(at) / 1_000_000 <= before + 60


def test_a_clock_set_back_lets_nobody_through(redis, hand):
    limiter = RedisLimiter(redis, Refusing(), 1, now=hand)
    for _ in range(3):
        limiter.take(("a", THREE))
    hand.go(-timedelta(days=1))
    assert limiter.take(("a", THREE)).retry_after == MINUTE


@pytest.fixture
def own_valkey():
    """One that may be hurt."""
    with EmbeddedValkey(durable=False) as server:
        yield server


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_redis_that_goes_away_opens_no_gate_and_holds_nobody_up(own_valkey, how):
    """In the middle of a rush it dies, or answers no longer: each process counts on for itself."""
    limiter = RedisLimiter.at(own_valkey.redis_url, fallback=MemoryLimiter(), patience=0.3)
    waits = []

    def run(number):
        granted = 0
        for turn in range(100):
            if number == 0 and turn == 20:
                os.kill(own_valkey.pid, how)
            began = perf_counter()
            granted += limiter.take(("rush", Limit(200, timedelta(hours=1)))).is_granted
            waits.append(perf_counter() - began)
        return granted

    with structlog.testing.capture_logs() as logged, ThreadPoolExecutor(8) as threads:
        granted = sum(threads.map(run, range(8)))
    os.kill(own_valkey.pid, signal.SIGCONT)
    assert len(waits) == 800
    assert 200 <= granted <= 400, "at most the amount from Redis and the amount from this process"
    assert max(waits) < 2
    assert [line["event"] for line in logged] == ["limiter away"]
    limiter.close()


def test_redis_is_used_again_as_soon_as_it_is_back(own_valkey):
    limiter = RedisLimiter.at(own_valkey.redis_url, fallback=MemoryLimiter(), patience=0.3, pause=0)
    assert limiter.take(("a", THREE)).remaining == 2
    os.kill(own_valkey.pid, signal.SIGSTOP)
    with structlog.testing.capture_logs() as logged:
        assert [limiter.take(("a", THREE)).remaining for _ in range(3)] == [2, 1, 0]
        limiter.forget("a")
        os.kill(own_valkey.pid, signal.SIGCONT)
        # What was asked while it stood still, and given up on, may have been counted.
        assert limiter.take(("b", THREE)).remaining == 2
    assert [line["event"] for line in logged] == ["limiter away", "limiter back"]
    limiter.close()


def test_a_missing_redis_is_asked_once_a_pause(monkeypatch):
    limiter = RedisLimiter.at("redis://127.0.0.1:1/0", fallback=MemoryLimiter(), pause=60)
    asked = []
    monkeypatch.setattr(limiter._client, "delete", lambda *_: asked.append(1))
    assert [limiter.take(("a", THREE)).is_granted for _ in range(4)] == [True, True, True, False]
    limiter.forget("a")
    assert limiter.take(("a", THREE)).remaining == 2, "forgotten here too"
    assert not asked


class Counted:
    """A limiter that says how often it was asked."""

    def __init__(self, limiter):
        self.limiter, self.asked = limiter, 0

    def take(self, *wanted, times=1):
        self.asked += 1
        return self.limiter.take(*wanted, times=times)


def counted(tally, limit, name="a"):
    return tally.count(name, limit) or tally.report(name, limit)


@pytest.mark.parametrize("amount", [1, 3, 49, 50, 100, 101, 600])
def test_one_process_tallies_exactly(hand, amount):
    shared = Counted(MemoryLimiter(hand))
    tally, limit = Tally(shared, hand), Limit(amount, MINUTE)
    left = [counted(tally, limit) for _ in range(amount + 5)]
    assert [allowance.is_granted for allowance in left] == [True] * amount + [False] * 5
    assert [allowance.remaining for allowance in left] == [*range(amount - 1, -1, -1), 0, 0, 0, 0, 0]
    assert {allowance.retry_after for allowance in left[amount:]} == {MINUTE}
    assert shared.asked <= 53, "fifty parts, and what it takes to be sure of the last one"
    hand.go(MINUTE - timedelta(microseconds=1))
    assert counted(tally, limit).retry_after == timedelta(microseconds=1)
    hand.go(timedelta(microseconds=1))
    assert counted(tally, limit).is_granted


def test_whoever_does_little_costs_no_round_trip(hand):
    shared = Counted(MemoryLimiter(hand))
    tally = Tally(shared, hand)
    for _ in range(100):
        for _ in range(11):
            assert counted(tally, Limit(600, MINUTE)).is_granted
        hand.go(MINUTE)
    assert shared.asked == 0


def test_several_processes_overshoot_by_a_part_each_at_most(hand):
    shared, limit = MemoryLimiter(hand), Limit(600, MINUTE)
    tallies = [Tally(shared, hand) for _ in range(4)]
    granted = sum(counted(tallies[turn % 4], limit).is_granted for turn in range(2000))
    assert 600 <= granted <= 600 + 4 * 12


def test_a_tally_is_bounded(hand):
    tally = Tally(MemoryLimiter(hand), hand, most_names=10)
    for number in range(1000):
        counted(tally, Limit(600, MINUTE), name=f"n{number}")
    assert len(tally._counts) == 10


def test_a_tally_keeps_nothing_of_those_who_have_not_come_for_a_window(hand):
    tally = Tally(MemoryLimiter(hand), hand)
    for number in range(300):
        counted(tally, Limit(600, MINUTE), name=f"n{number}")
        hand.go(MINUTE / 10)
    assert len(tally._counts) == 10


def test_threads_do_not_lose_a_time():
    tally, limit = Tally(MemoryLimiter()), Limit(1000, timedelta(hours=1))
    with ThreadPoolExecutor(16) as threads:
        granted = Counter(threads.map(lambda _: counted(tally, limit).is_granted, range(3000), chunksize=50))
    assert 1000 <= granted[True] <= 1000 + 16 * 20
