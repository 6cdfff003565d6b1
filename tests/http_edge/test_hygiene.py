"""What a client may ask and how often, and what answers say to browsers, caches and other sites."""

from datetime import timedelta
from ipaddress import ip_network
from threading import Event
from time import monotonic, perf_counter

import pytest
import structlog
from litestar import get, post
from litestar.testing import TestClient

from http_edge.conftest import PARENT
from http_edge.test_problems import problem
from http_edge.test_wire import GOOD
from http_edge.toy import toy
from nexus.adapters.memory.limiter import MemoryLimiter
from nexus.adapters.memory.tally import Tally
from nexus.application.kernel.caller import NobodyWaits, caller
from nexus.application.kernel.limits import Allowance, Limit
from nexus.entrypoints.http.context import announce
from nexus.entrypoints.http.cors import Cors, origin
from nexus.entrypoints.http.policies import Policy, allow
from nexus.entrypoints.http.proxies import Proxies
from nexus.entrypoints.http.rates import MINUTE, Rates
from tests.support.front import seen_from

FRIEND = "https://app.example"


class Hand:
    time = 0

    def __call__(self):
        return self.time


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
def limited(hand):
    rates = Rates(Tally(MemoryLimiter(hand), hand), Limit(3, MINUTE), Limit(5, MINUTE))
    proxies = Proxies((ip_network("10.0.0.0/8"),))
    app = toy(rates=rates, proxies=proxies, metrics=True)
    with TestClient(app, raise_server_exceptions=False) as client, seen_from(app, "10.0.0.1"):
        yield client


def rate(answer):
    return [int(answer.headers[f"ratelimit-{name}"]) for name in ("limit", "remaining", "reset")]


def of(address, path="/whoami"):
    return path, {"x-forwarded-for": address}


def test_an_address_has_its_rate(limited, hand):
    path, headers = of("203.0.113.7")
    assert [rate(limited.get(path, headers=headers)) for _ in range(3)] == [
        [3, 2, 60],
        [3, 1, 60],
        [3, 0, 60],
    ]
    hand.time = 20_500_000
    refused = limited.get(path, headers=headers)
    assert problem(refused, 429, "too-many-requests")["retry_after"] == 40
    assert refused.headers["retry-after"] == "40"
    assert rate(refused) == [3, 0, 40]
    assert refused.headers["ratelimit-policy"] == "3;w=60"
    hand.time = 60_000_000
    assert limited.get(path, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("other", "shares"),
    [
        ("203.0.113.8", False),
        ("::ffff:203.0.113.7", True),
        ("198.51.100.1, 203.0.113.7", True),
        ("203.0.113.7, 10.2.3.4", True),
    ],
)
def test_whose_rate_it_is(limited, other, shares):
    for _ in range(3):
        path, headers = of("203.0.113.7")
        limited.get(path, headers=headers)
    path, headers = of(other)
    assert limited.get(path, headers=headers).status_code == (429 if shares else 200)


def test_a_network_of_version_6_is_one_subscriber(limited):
    for number in range(3):
        path, headers = of(f"2001:db8::{number}:1")
        assert limited.get(path, headers=headers).status_code == 200
    assert limited.get("/whoami", headers={"x-forwarded-for": "2001:db8::ffff"}).status_code == 429
    assert limited.get("/whoami", headers={"x-forwarded-for": "2001:db8:0:1::1"}).status_code == 200


def test_an_account_has_its_own_rate_wherever_it_is(limited):
    for number in range(5):
        path, headers = of(f"203.0.113.{number}")
        assert rate(limited.get(path, headers=headers | PARENT))[:2] == [5, 4 - number]
    assert limited.get("/whoami", headers=PARENT).status_code == 429
    assert limited.get("/whoami", headers={"authorization": "Bearer hr_admin"}).status_code == 200
    assert limited.get("/whoami").status_code == 200


def test_tokens_that_are_nobodys_are_tried_at_the_rate_of_the_address(limited):
    tried = [limited.get("/for/FAMILY", headers={"authorization": f"Bearer {n}"}) for n in range(4)]
    assert [answer.status_code for answer in tried] == [401, 401, 401, 429]
    assert limited.get("/for/FAMILY", headers=PARENT).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/metrics", "/schema/openapi.json", "/docs/static/start.js"])
def test_what_is_not_counted_says_nothing_of_rates(limited, path):
    for _ in range(5):
        answer = limited.get(path)
        assert answer.status_code == 200
        assert "ratelimit-limit" not in answer.headers


def test_without_limits_nothing_is_said(client):
    assert "ratelimit-limit" not in client.get("/whoami").headers


def test_the_tightest_of_several_limits_is_told():
    """Whoever counts further things announces what they leave, also from a thread."""

    @get("/counted", sync_to_thread=True, opt=allow(Policy.PUBLIC))
    def counted() -> None:
        for left in (7, 2):
            announce(
                Allowance(
                    limit=Limit(9, timedelta(days=1)), remaining=left, resets_after=MINUTE, retry_after=None
                )
            )

    rates = Rates(Tally(MemoryLimiter()), Limit(100, MINUTE), None)
    with TestClient(toy(counted, rates=rates)) as client, seen_from(client.app, "203.0.113.7"):
        answer = client.get("/counted")
    assert rate(answer) == [9, 2, 60]
    assert answer.headers["ratelimit-policy"] == "100;w=60, 9;w=86400, 9;w=86400"


def test_head_is_get_without_its_body(client):
    for path, headers in (("/docs", {}), ("/api/v1/paintings", PARENT), ("/nowhere", {}), ("/for/HR", {})):
        got, headed = client.get(path, headers=headers), client.head(path, headers=headers)
        assert headed.content == b""
        assert headed.status_code == got.status_code
        changing = {"x-request-id", "date"}
        kept = {name: value for name, value in got.headers.items() if name not in changing}
        assert {name: value for name, value in headed.headers.items() if name not in changing} == kept | (
            {"content-length": headed.headers["content-length"]}
        )
    assert client.options("/api/v1/paintings").headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_head_is_logged_as_what_it_is(client):
    with structlog.testing.capture_logs() as logs:
        client.head("/docs")
    assert [line["method"] for line in logs] == ["HEAD"]


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "GETT"])
def test_other_methods_are_refused(client, method):
    answer = client.request(method, "/api/v1/paintings", headers=PARENT | {"cookie": "a=b"})
    problem(answer, 405, "method-not-allowed")


def test_nothing_is_kept_by_caches_unless_it_says_so(client):
    for path in ("/api/v1/paintings", "/whoami", "/nowhere", "/docs"):
        assert client.get(path, headers=PARENT).headers.get_list("cache-control") == ["no-store"]
    assert client.get("/docs/static/start.js").headers.get_list("cache-control") == ["public, max-age=3600"]


def test_pages_run_nothing_inline(client):
    policy = client.get("/docs").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy


def test_behind_a_proxy_that_ends_tls_browsers_stay_there():
    proxies = Proxies((ip_network("10.0.0.1"),))
    stated = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
    with TestClient(toy(proxies=proxies)) as client:
        for peer, said in (("10.0.0.1", True), ("10.0.0.2", False)):
            with seen_from(client.app, peer):
                found = client.get("/docs", headers=stated).headers
            assert ("strict-transport-security" in found) is said


def test_the_host_that_a_proxy_names_is_the_one_that_browsers_see():
    proxies = Proxies((ip_network("10.0.0.1"),))
    browser = {"cookie": "nexus_session=parent", "origin": "https://pass.example"}
    stated = {"x-forwarded-proto": "https", "x-forwarded-host": "pass.example"}
    with TestClient(toy(proxies=proxies)) as client:
        for peer, status in (("10.0.0.1", 201), ("10.0.0.2", 403)):
            with seen_from(client.app, peer):
                assert (
                    client.post("/api/v1/paintings", json=GOOD, headers=browser | stated).status_code
                    == status
                )
        with seen_from(client.app, "10.0.0.1"):
            http = browser | {"origin": "http://pass.example"}
            assert client.post("/api/v1/paintings", json=GOOD, headers=http | stated).status_code == 403


@pytest.fixture(scope="module")
def shared_with_a_friend():
    with TestClient(toy(cors=Cors(frozenset({FRIEND})))) as client:
        yield client


ASKING = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}


@pytest.mark.parametrize("path", ["/api/v1/paintings", "/for/HR", "/nowhere"])
def test_other_sites_are_closed_out(client, shared_with_a_friend, path):
    for asked in (client, shared_with_a_friend):
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": f"{FRIEND}.evil.example"},
            {"origin": "null"},
        ):
            for answer in (asked.options(path, headers=headers | ASKING), asked.get(path, headers=headers)):
                assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_named_site_may_use_a_token_but_never_a_cookie(shared_with_a_friend):
    asked = shared_with_a_friend.options("/api/v1/paintings", headers=ASKING | {"origin": FRIEND})
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == FRIEND
    assert "idempotency-key" in asked.headers["access-control-allow-headers"]
    answer = shared_with_a_friend.post("/api/v1/paintings", json=GOOD, headers=PARENT | {"origin": FRIEND})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (201, FRIEND)
    assert answer.headers["vary"] == "Origin"
    cookie = {"cookie": "nexus_session=parent", "origin": FRIEND}
    refused = shared_with_a_friend.post("/api/v1/paintings", json=GOOD, headers=cookie)
    problem(refused, 403, "cross-site-request")
    for one in (asked, answer, refused):
        assert "access-control-allow-credentials" not in one.headers
        assert one.headers["access-control-allow-origin"] != "*"


@pytest.mark.parametrize(
    "text", ["*", "null", "https://*.example", "app.example", "https://app.example/", "ftp://app.example", ""]
)
def test_only_exact_origins_can_be_named(text):
    with pytest.raises(ValueError, match="must be origins"):
        origin(text)


def test_a_name_that_means_nothing_is_refused(client):
    answer = client.get("/api/v1/paintings?color=red&limit=5&actor=1&x%5B%5D=1", headers=PARENT)
    faults = problem(answer, 400, "invalid-parameters")["errors"]
    assert [fault["path"] for fault in faults] == ["query.actor", "query.color", 'query["x[]"]']
    assert client.get("/docs?utm_source=mail").status_code == 200


def test_the_document_says_that_unknown_names_are_refused(client):
    stated = client.get("/schema/openapi.json").json()["paths"]["/api/v1/paintings"]
    assert "400" in stated["get"]["responses"]
    for operation in stated.values():
        assert (
            "RateLimit-Remaining"
            in next(v for k, v in operation["responses"].items() if k[0] == "2")["headers"]
        )
        assert operation["responses"]["429"]["headers"].keys() == {"Retry-After"}
        assert {"414", "504"} <= operation["responses"].keys()


def test_an_address_that_is_too_long_is_refused(client):
    assert client.get("/nowhere?" + "a" * 7900).status_code == 404
    problem(client.get("/nowhere?" + "a" * 8001), 414, "address-too-long")


def test_an_answer_that_takes_too_long_is_given_up():
    done, go_on, kept = Event(), Event(), []

    @post("/slow", sync_to_thread=True, opt=allow(Policy.PUBLIC))
    def slow() -> None:
        go_on.wait(10)
        until = caller.get().gives_up_at
        kept.append(until is not None and monotonic() < until)
        done.set()

    @post("/late", sync_to_thread=True, opt=allow(Policy.PUBLIC))
    def late() -> None:
        raise NobodyWaits

    with TestClient(toy(slow, late, answer_within=0.3), raise_server_exceptions=False) as client:
        began = perf_counter()
        answer = client.post("/slow")
        assert 0.2 < perf_counter() - began < 5
        assert problem(answer, 504, "took-too-long")["request_id"] == answer.headers["x-request-id"]
        go_on.set()
        assert done.wait(5)
        problem(client.post("/late"), 504, "took-too-long")
        assert client.post("/echo", json=GOOD).status_code == 200
    assert kept == [False], "what was given up must not be kept"
