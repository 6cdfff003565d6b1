"""Addresses on the network, whose they are, and the networks that something may come from."""

from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from nexus.domain.kernel.errors import InvalidValue

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_MAPPED_BITS = 96
"""In ``::ffff:a.b.c.d`` the IPv4 address begins after so many bits."""


def network(text: str) -> Network:
    """
    The network that *text* names in CIDR notation; a lone address is a network of one.

    A network of IPv4-mapped addresses is the IPv4 network that they stand for.

    Raises:
        InvalidValue: It is none, or has bits set beyond its length: probably a mistyped one.
    """
    try:
        found = ip_network(text.strip() if "%" not in text else "")
    except ValueError:
        reason = "must be networks such as 203.0.113.0/24 or 2001:db8::/32, without bits beyond the length"
        raise InvalidValue("allowed_networks", reason) from None
    mapped = found.network_address.ipv4_mapped if isinstance(found, IPv6Network) else None
    if mapped is not None and found.prefixlen >= _MAPPED_BITS:
        return IPv4Network((mapped, found.prefixlen - _MAPPED_BITS))
    return found


@lru_cache(4096)
def address(text: str | None) -> Address | None:
    """The address that *text* is, an IPv4-mapped one as IPv4; ``None`` if it is none."""
    try:
        found = ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


@lru_cache(4096)
def subscriber(text: str | None) -> str | None:
    """
    What one subscriber has: an IPv4 address, or a /64 of IPv6.

    ``None`` where that is not known, as behind a Unix socket.
    """
    found = address(text)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found), 64), strict=False))
    return str(found) if found else None
