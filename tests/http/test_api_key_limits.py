"""How often an API key may ask, and what is noted of it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest

from nexus.adapters.memory.limiter import MemoryLimiter
from nexus.adapters.redis.limiter import RedisLimiter
from nexus.adapters.system.key_uses import CountedUses
from nexus.application.platform.presented_api_key import AdmitKey
from nexus.domain.identity.people import Role
from nexus.entrypoints.http.api import build
from nexus.entrypoints.settings import Settings
from tests.support.front import V1, assert_problem
from tests.support.makers import Makers, employees

ID = "0190163d-8694-739b-aea5-966c26f8ad91"


def test_beyond_its_limit_a_key_waits(makers: Makers):
    office = makers.office
    key = makers.make(Role.HR_ADMIN, rate_limit_per_minute=2)["token"]
    other = makers.make(Role.HR_ADMIN, rate_limit_per_minute=2)["token"]
    left = [employees(office, key).headers["ratelimit-remaining"] for _ in range(2)]
    assert left == ["1", "0"]
    answer = employees(office, key)
    assert (answer.headers["ratelimit-limit"], answer.headers["ratelimit-remaining"]) == ("2", "0")
    assert_problem(answer, 429, "too-many-requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert employees(office, other).status_code == 200


@pytest.mark.parametrize(
    ("made", "path", "status", "asker"),
    [
        ({"allowed_networks": ["203.0.113.0/24"]}, f"{V1}/hr/employees", 403, "192.0.2.77"),
        ({}, f"{V1}/children", 403, "192.0.2.78"),
        ({}, "/problems", 200, "192.0.2.79"),
    ],
)
def test_what_a_key_may_not_do_is_counted_for_the_address_that_asks(
    makers: Makers, made, path, status, asker
):
    """Refusals are written into a log that nobody shortens: whoever holds a key must not fill it."""
    office, key = makers.office, makers.make(Role.HR_ADMIN, **made)["token"]
    app = build(office.nexus, Settings(pool_size=4, rate_limit_per_address=3))

    async def ask_five_times() -> list[int]:
        transport = httpx.ASGITransport(app, client=(asker, 40_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://nexus.example") as client:
            headers = {"authorization": f"Bearer {key}"}
            return [(await client.get(path, headers=headers)).status_code for _ in range(5)]

    def entries() -> int:
        refused = "SELECT count(*) FROM audit_logs WHERE action_type = 'security.access_refused'"
        return office.owner.execute(refused).fetchone()[0]

    before = entries()
    assert asyncio.run(ask_five_times()) == [status] * 3 + [429] * 2
    assert entries() - before == (3 if status == 403 else 0)


def test_what_a_scope_forbids_takes_nothing_from_the_limit(makers: Makers):
    key = makers.make(Role.HR_ADMIN, ["read:employees"], rate_limit_per_minute=1)["token"]
    assert makers.office.get(key, "/activities").status_code == 403
    assert employees(makers.office, key).status_code == 200


@pytest.mark.parametrize(("minute", "day"), [(30, 10_000), (6_000, 30)])
def test_twenty_at_once_get_exactly_what_is_left(makers: Makers, valkey_server, minute, day):
    nexus = makers.office.nexus
    made = makers.make(Role.HR_ADMIN, rate_limit_per_minute=minute, rate_limit_per_day=day)
    shown = nexus.recognise_key(made["token"])
    uses, ready = CountedUses(), Barrier(20)
    limiters = [
        RedisLimiter.at(valkey_server.redis_url, fallback=MemoryLimiter(), patience=5) for _ in range(4)
    ]
    doors = [AdmitKey(limiter, uses, nexus.now) for limiter in limiters]

    def knock(number):
        ready.wait()
        return [doors[number % 4](shown, address=None).is_granted for _ in range(3)]

    with ThreadPoolExecutor(20) as threads:
        granted = [one for several in threads.map(knock, range(20)) for one in several]
    for limiter in limiters:
        limiter.close()
    assert (len(granted), sum(granted)) == (60, 30)
    assert uses.take()[shown.key.id].times == 30


def test_use_is_written_when_the_process_says_so(makers: Makers):
    office, made = makers.office, makers.make(Role.HR_ADMIN)
    own = f"/me/api-keys/{made['key']['id']}"
    for _ in range(3):
        employees(office, made["token"])
    assert office.get(makers.tokens[Role.HR_ADMIN], own).json()["total_requests"] == 0
    office.nexus.write_key_uses()
    seen = office.get(makers.tokens[Role.HR_ADMIN], own).json()
    assert (seen["total_requests"], seen["last_used_at"]) == (3, "2026-03-02T12:00:00Z")
