"""What an operator says about the edge is understood, or the start is refused."""

from ipaddress import ip_network

import pytest

from nexus.entrypoints.http.proxies import ProxyHeaders
from nexus.entrypoints.settings import SettingError, Settings


def test_proxies_origins_and_limits_are_read():
    stated = Settings.of(
        {
            "NEXUS_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1,2001:db8::/48",
            "NEXUS_PROXY_HEADERS": "forwarded",
            "NEXUS_CORS_ORIGINS": "https://app.example, http://localhost:5173",
            "NEXUS_RATE_LIMIT_PER_ADDRESS": "0",
        }
    )
    assert stated.trusted_proxies == tuple(map(ip_network, ("10.0.0.0/8", "192.0.2.1/32", "2001:db8::/48")))
    assert stated.proxy_headers is ProxyHeaders.FORWARDED
    assert stated.cors_origins == {"https://app.example", "http://localhost:5173"}
    assert (stated.rate_limit_per_address, stated.rate_limit_per_account) == (0, 600)


def test_by_default_no_proxy_is_believed_and_no_site_let_in():
    assert (Settings().trusted_proxies, Settings().cors_origins) == ((), frozenset())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "proxy.internal"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,"),
        ("PROXY_HEADERS", "x-real-ip"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://app.example/"),
        ("RATE_LIMIT_PER_ACCOUNT", "-1"),
        ("RATE_LIMIT_PER_ADDRESS", "many"),
        ("BODY_SECONDS", "0"),
        ("ANSWER_SECONDS", "0"),
    ],
)
def test_what_makes_no_sense_is_refused(name, text):
    with pytest.raises(SettingError, match=f"NEXUS_{name}"):
        Settings.of({f"NEXUS_{name}": text})
