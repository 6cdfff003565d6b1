"""No address of a closed network passes, in whatever form it is written."""

import socket
import ssl
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nexus.adapters.outgoing import Destination, ForbiddenDestination, OutgoingClient, UnusableUrl, is_public

CLOSED = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
]  # fmt: skip
CLOSED_V6 = [
    "::/128", "::1/128", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:2::/48", "2001:10::/28",
    "2001:20::/28", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fd00:ec2::254/128",
    "fe80::/10", "fec0::/10", "ff00::/8",
]  # fmt: skip

closed = st.sampled_from(CLOSED).flatmap(lambda text: st.ip_addresses(network=text))
closed_v6 = st.sampled_from(CLOSED_V6).flatmap(lambda text: st.ip_addresses(network=text))


def wrapped(address: IPv4Address) -> list[IPv6Address]:
    """The same address inside IPv6 ones."""
    number = int(address)
    return [
        IPv6Address(number),  # compatible
        IPv6Address(0xFFFF << 32 | number),  # mapped
        IPv6Address(0xFFFF << 48 | number),  # translated
        IPv6Address(0x64FF9B << 96 | number),  # NAT64
        IPv6Address(0x64FF9B0001 << 80 | number),  # NAT64, local
        IPv6Address(0x2002 << 112 | number << 80 | 1),  # 6to4
        IPv6Address(0x20010000 << 96 | number << 64 | 0xFFFFFFFF),  # Teredo, as its server
        IPv6Address(0x20010000 << 96 | number ^ 0xFFFFFFFF),  # Teredo, as its client
        IPv6Address(0xFE80 << 112 | 0x5EFE << 32 | number),  # ISATAP
    ]


def written(address: IPv4Address) -> list[str]:
    """The forms in which C libraries and browsers would understand it."""
    number = int(address)
    a, b, c, d = address.packed
    return [
        str(address),
        f"{address}.",
        str(number),
        hex(number),
        f"0{number:o}",
        f"{a}.{b}.{c << 8 | d}",
        f"{a}.{b << 16 | c << 8 | d}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a:03}.{b:03}.{c:03}.{d:03}",
        str(address).replace(".", "。"),
        str(address).translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}),
        *(f"[{inside}]" for inside in wrapped(address)),
        *(f"[{inside.exploded}]" for inside in wrapped(address)),
        f"[::ffff:{address}]",
        f"[::{address}]",
    ]


TRUST = ssl.create_default_context()  # reading the machine's store takes a while


def refuse(host: str) -> None:
    client = OutgoingClient(tls=TRUST, resolve=lambda name, _port: pytest.fail(f"{name} was looked up"))
    with pytest.raises((ForbiddenDestination, UnusableUrl)), client.ask("GET", f"https://{host}/"):
        pass


@given(closed)
@example(IPv4Address("169.254.169.254"))
@example(IPv4Address("255.255.255.255"))
def test_no_closed_address_passes_in_any_form(address):
    assert not is_public(address)
    assert not any(map(is_public, wrapped(address)))
    for form in written(address):
        refuse(form)


@given(closed_v6)
def test_no_closed_ipv6_address_passes(address):
    assert not is_public(address)
    refuse(f"[{address}]")
    refuse(f"[{address.exploded.upper()}]")


@given(closed | closed_v6, st.booleans())
def test_no_name_leads_to_a_closed_address(address, wrap):
    found = wrapped(address)[3] if wrap and address.version == 4 else address
    client = OutgoingClient(tls=TRUST, resolve=lambda _host, _port: ["8.8.8.8", str(found)])
    with pytest.raises(ForbiddenDestination), client.ask("GET", "https://hook.example/"):
        pass


@given(st.ip_addresses(v=4) | st.ip_addresses(network="2000::/3"))
def test_what_python_calls_private_is_not_public(address):
    """Its list is not ours, and changed; where it says no, we never say yes."""
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_link_local:
        assert not is_public(address)


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.32.0.0", "2606:4700::1111",
             "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)  # fmt: skip
def test_the_rest_is_public(text):
    assert is_public(ip_address(text))


@pytest.mark.parametrize("network", CLOSED)
def test_just_outside_a_closed_network_is_public_again(network):
    """Unless the neighbour is closed too: the edges are where they should be."""
    around = [IPv4Network(one) for one in (*CLOSED, "192.88.99.0/24")]
    ends = IPv4Network(network)
    for neighbour in (int(ends.network_address) - 1, int(ends.broadcast_address) + 1):
        if 0 <= neighbour < 1 << 32:
            address = IPv4Address(neighbour)
            assert is_public(address) != any(address in one for one in around)


def test_a_zone_is_never_public():
    assert not is_public(IPv6Address("2606:4700::1111%eth0"))


def test_c_would_have_understood_what_we_refuse():
    """A control: these forms do reach this machine through the C library."""
    for form in ("2130706433", "0x7f000001", "017700000001", "127.1", "0177.0.0.1"):
        assert socket.getaddrinfo(form, 443)[0][4][0] == "127.0.0.1"
        with pytest.raises(UnusableUrl):
            Destination.of(f"https://{form}/")
