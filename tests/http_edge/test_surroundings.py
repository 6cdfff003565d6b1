"""What surrounds every answer."""

import pytest
import structlog
from litestar.testing import TestClient

from http_edge.conftest import PARENT
from http_edge.toy import toy

ADDRESSES = ["/nowhere", "/docs", "/broken/x", "/broken/x?a=%00", "/api/v1/paintings", "/problems"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_carries_the_security_headers_once(client, address):
    headers = client.get(address).headers
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert headers.get_list("referrer-policy") == ["no-referrer"]
    (policy,) = headers.get_list("content-security-policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "strict-transport-security" not in headers


def test_behind_tls_browsers_are_told_to_stay_there():
    with TestClient(toy(https=True)) as client:
        assert "strict-transport-security" in client.get("/problems").headers


@pytest.mark.parametrize(
    ("stated", "kept"), [("abcdef-123456", True), ("short", False), ("a" * 65, False), ("ab cd <x> y", False)]
)
def test_a_sane_request_id_is_kept_and_another_replaced(client, stated, kept):
    answer = client.get("/nowhere", headers={"x-request-id": stated})
    assert (answer.headers["x-request-id"] == stated) is kept
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_two_requests_have_two_ids(client):
    assert client.get("/docs").headers["x-request-id"] != client.get("/docs").headers["x-request-id"]


def test_the_log_has_one_line_per_answer_without_anything_personal(client):
    with structlog.testing.capture_logs() as logs:
        client.get("/api/v1/paintings/00000000-0000-0000-0000-000000000009", headers=PARENT)
    (line,) = logs
    assert line.pop("milliseconds") >= 0
    assert line.pop("request_id")
    assert line == {
        "event": "answered",
        "log_level": "info",
        "method": "GET",
        "route": "/api/v1/paintings/{painting_id}",
        "status": 404,
    }


def test_figures_are_by_template_not_by_address(client):
    client.get("/api/v1/paintings/00000000-0000-0000-0000-000000000001", headers=PARENT)
    client.get("/nowhere-1")
    text = client.get("/metrics").text
    wanted = (
        'nexus_http_requests_total{method="GET",route="/api/v1/paintings/{painting_id}",status="200"} 1.0'
    )
    assert wanted in text
    assert 'route="unmatched",status="404"} 1.0' in text
    assert "nowhere" not in text


def test_without_the_setting_there_are_no_figures():
    with TestClient(toy()) as client:
        assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize("address", ["/metrics/", "//metrics", "/metrics//", "/metrics%2F", "/%2Fmetrics"])
def test_metrics_have_one_address_so_that_a_proxy_can_keep_it_inside(client, address):
    """What is routed to the same place otherwise would pass a rule that names the address."""
    assert client.get(address).status_code == 404
    assert client.get("/metrics").status_code == 200
