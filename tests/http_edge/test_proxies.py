"""Whom a request comes from: what declared proxies say, and nobody else."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus.entrypoints.http.proxies import Origin, Proxies, ProxyHeaders

LAN = tuple(map(ip_network, ("10.0.0.0/8", "2001:db8:ffff::/48")))
PROXIES = Proxies(LAN)
FORWARDED = Proxies(LAN, ProxyHeaders.FORWARDED)
PROXY, CLIENT, EVIL = "10.0.0.1", "203.0.113.7", "198.51.100.66"


def said(*values, name="x-forwarded-for"):
    return [(name.encode(), value.encode("latin-1")) for value in values]


@pytest.mark.parametrize("peer", [CLIENT, "2001:db8::1", "11.0.0.1"])
@pytest.mark.parametrize("name", ["x-forwarded-for", "forwarded", "x-real-ip", "x-forwarded-host"])
@pytest.mark.parametrize("proxies", [Proxies(), PROXIES, FORWARDED])
def test_nobody_else_is_believed(proxies, peer, name):
    stated = said(EVIL, name=name) + said("https", name="x-forwarded-proto")
    assert proxies.origin(peer, stated) == Origin(peer)


def test_by_default_nobody_is_a_proxy():
    assert Proxies().origin(PROXY, said(CLIENT)) == Origin(PROXY)


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ([CLIENT], CLIENT),
        ([f"{EVIL}, {CLIENT}"], CLIENT),
        ([EVIL, CLIENT], CLIENT),
        ([f"{EVIL}, {CLIENT}, 10.1.2.3"], CLIENT),
        ([f"{EVIL},{CLIENT},10.1.2.3 , 2001:db8:ffff::5"], CLIENT),
        (["10.9.9.9, 10.1.2.3"], "10.9.9.9"),
        ([f"{CLIENT}:51234"], CLIENT),
        (["[2001:db8::7]:443"], "2001:db8::7"),
        (["2001:db8::7"], "2001:db8::7"),
        ([f"::ffff:{CLIENT}"], CLIENT),
        ([f"::ffff:{CLIENT}, ::ffff:10.1.2.3"], CLIENT),
        (["2001:0DB8:0:0::7"], "2001:db8::7"),
        ([], PROXY),
        ([""], PROXY),
        ([f"{CLIENT},"], PROXY),
        (["unknown"], PROXY),
        ([f"{CLIENT}, garbage"], PROXY),
        ([f"{CLIENT}, 10.1.2.3, _hidden"], PROXY),
        (["256.1.1.1"], PROXY),
        (["0x7f.1"], PROXY),
        (["3405803783"], PROXY),
        (["203.0.113.07"], PROXY),
        (["[203.0.113.7"], PROXY),
        (["\xff\xfe"], PROXY),
        ([",".join([EVIL] * 5000 + [CLIENT])], CLIENT),
        ([",".join(["10.0.0.9"] * 5000)], "10.0.0.9"),
    ],
)
def test_headers_are_read_from_the_right(lines, address):
    assert PROXIES.origin(PROXY, said(*lines)).address == address


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ([f"for={CLIENT}"], CLIENT),
        ([f"For={EVIL}, for={CLIENT};proto=https;by=10.0.0.1"], CLIENT),
        ([f"for={EVIL}", f'for="{CLIENT}:4711"; proto=https'], CLIENT),
        (['for="[2001:db8:cafe::17]:4711"'], "2001:db8:cafe::17"),
        ([f"for={CLIENT}, for=10.1.2.3"], CLIENT),
        ([f'for="{EVIL}, for={CLIENT}'], CLIENT),
        ([f'for="\\", for={CLIENT}'], CLIENT),
        (["for=unknown"], PROXY),
        (["for=_secret"], PROXY),
        ([f"for={CLIENT};for={EVIL}"], PROXY),
        ([f"{CLIENT}"], PROXY),
        ([f'for="{CLIENT}'], PROXY),
        ([], PROXY),
    ],
)
def test_the_standard_header_is_read_where_it_is_the_declared_one(lines, address):
    assert FORWARDED.origin(PROXY, said(*lines, name="forwarded")).address == address


def test_only_the_declared_kind_of_header_is_read():
    """A proxy that writes the one passes the other on as a client wrote it."""
    both = said(CLIENT) + said(f"for={EVIL}", name="forwarded")
    assert PROXIES.origin(PROXY, both).address == CLIENT
    assert FORWARDED.origin(PROXY, both).address == EVIL


@pytest.mark.parametrize(
    ("proto", "host", "scheme", "name"),
    [
        ("https", "pass.example", "https", "pass.example"),
        ("http, HTTPS", "evil.example, pass.example:8443", "https", "pass.example:8443"),
        ("https, gopher", "pass.example, ev/il", None, None),
        ("", "", None, None),
        ("https", "[2001:db8::1]:80", "https", "[2001:db8::1]:80"),
        ("https", "a@b", "https", None),
    ],
)
def test_scheme_and_host_are_the_nearest_proxys_words(proto, host, scheme, name):
    headers = said(CLIENT) + said(proto, name="x-forwarded-proto") + said(host, name="x-forwarded-host")
    assert PROXIES.origin(PROXY, headers) == Origin(CLIENT, scheme, name)


def test_the_standard_header_says_scheme_and_host():
    stated = said(f'for={CLIENT};proto=https;host="pass.example:443"', name="forwarded")
    assert FORWARDED.origin(PROXY, stated) == Origin(CLIENT, "https", "pass.example:443")


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        (None, None),
        ("testclient", None),
        ("", None),
        ("::ffff:203.0.113.7", CLIENT),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:10.0.0.1", EVIL),
    ],
)
def test_whoever_connects_is_known_by_the_address_alone(peer, address):
    assert PROXIES.origin(peer, said(EVIL)).address == address


INK = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40)
PIECES = st.sampled_from([EVIL, "10.0.0.5", "::1", "for=", "for=10.0.0.5", '"', "\\", ",", ";", " ", "["])
PREFIX = st.one_of(INK, st.lists(st.one_of(PIECES, INK), max_size=8).map("".join))


@given(st.lists(PREFIX, max_size=3), st.sampled_from([CLIENT, "2001:db8::7"]), st.booleans())
def test_nothing_that_a_client_writes_changes_who_it_is(prefixes, client, is_far):
    """Whatever stood in the headers before: a proxy adds its client, on a line of its own or on the last one."""
    tail = ["10.1.2.3"] if is_far else []
    added = [client, *tail]
    elements = [f'for="[{one}]"' if ":" in one else f"for={one}" for one in added]
    for proxies, name, words in ((PROXIES, "x-forwarded-for", added), (FORWARDED, "forwarded", elements)):
        own_line = said(*prefixes, ",".join(words), name=name)
        same_line = said(*prefixes[:-1], ",".join([*prefixes[-1:], *words]), name=name)
        assert proxies.origin(PROXY, own_line).address == client
        assert proxies.origin(PROXY, same_line).address == client
