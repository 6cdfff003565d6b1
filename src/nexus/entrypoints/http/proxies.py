"""
Who a request comes from, as far as declared proxies can be believed.

Whoever connects to us is known. What a header says about somebody farther away is
true only if the one who wrote it is trusted: each proxy adds, on the right, whom it
was asked by. So headers are read from the right, and only for as long as the one
who speaks is a declared proxy; what a client wrote itself stands to the left of that.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from attrs import frozen

from nexus.domain.kernel import networks
from nexus.domain.kernel.errors import InvalidValue
from nexus.domain.kernel.networks import Address, Network, address

Headers = Sequence[tuple[bytes, bytes]]


class ProxyHeaders(StrEnum):
    """Which headers the proxies write; the others are a client's own words."""

    X_FORWARDED = "x-forwarded"
    """``X-Forwarded-For``, ``-Proto`` and ``-Host``."""
    FORWARDED = "forwarded"
    """``Forwarded`` (RFC 7239)."""


@frozen
class Origin:
    """Where a request comes from, and what was asked there; ``None`` is unknown."""

    address: str | None
    scheme: str | None = None
    host: str | None = None


@frozen
class Proxies:
    """The proxies that are believed, and in which words they speak."""

    networks: tuple[Network, ...] = ()
    headers: ProxyHeaders = ProxyHeaders.X_FORWARDED

    def origin(self, peer: str | None, headers: Headers) -> Origin:
        """Where the request that *peer* hands over comes from."""
        near = address(peer)
        if near is None or not self._trusts(near):
            return Origin(str(near) if near else None)
        hops = _hops(headers, self.headers)
        scheme, host = (hops[-1].get(name, "") for name in ("proto", "host"))
        return Origin(
            str(self._client(near, [hop.get("for", "") for hop in hops])),
            scheme=scheme.lower() if scheme.lower() in _SCHEMES else None,
            host=host if _HOST.match(host) else None,
        )

    def trusts(self, peer: str | None) -> bool:
        """Whether what *peer* says of others is believed."""
        near = address(peer)
        return near is not None and self._trusts(near)

    def _client(self, near: Address, stated: Sequence[str]) -> Address:
        found = near
        for text in reversed(stated):
            before = address(_without_port(text))
            if before is None:
                return near
            found = before
            if not self._trusts(found):
                break
        return found

    def _trusts(self, hop: Address) -> bool:
        return any(hop in network for network in self.networks)


def network(text: str) -> Network:
    """
    A network, or one address as a network of one.

    Raises:
        ValueError: It is none, or has bits set beyond its length.
    """
    try:
        return networks.network(text)
    except InvalidValue:
        raise ValueError(
            "must be networks such as 10.0.0.0/8 or 2001:db8::/32, separated by commas"
        ) from None


_SCHEMES: Final = ("http", "https")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?\Z")
_BRACKETED: Final = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::\d{1,5})?\Z")
_WITH_PORT: Final = re.compile(r"([0-9.]{7,15}):\d{1,5}\Z")
_PAIR: Final = re.compile(r'\s*([A-Za-z]{1,20})=(?:"([^"\\]*)"|([^"\\\s]+))\s*\Z')
_FARTHEST: Final = 30
"""More hops than that nobody has; what stands to the left is not read."""


def _without_port(text: str) -> str:
    found = _BRACKETED.match(text) or _WITH_PORT.match(text)
    return found[1] if found else text


def _hops(headers: Headers, kind: ProxyHeaders) -> list[Mapping[str, str]]:
    """What each hop says, the nearest last."""
    if kind is ProxyHeaders.FORWARDED:
        # No comma inside quotes: a quote that a client opens must not swallow what a proxy adds.
        return [_pairs(element) for element in _last(headers, b"forwarded")]
    addresses = _last(headers, b"x-forwarded-for")
    # Some proxies write scheme and host once, not once for each hop: the last word is the nearest one's.
    nearest = {
        "for": addresses[-1],
        "proto": _last(headers, b"x-forwarded-proto")[-1],
        "host": _last(headers, b"x-forwarded-host")[-1],
    }
    return [*({"for": text} for text in addresses[:-1]), nearest]


def _last(headers: Headers, name: bytes) -> list[str]:
    """The last elements of a header's list, whether written on one line or on several; never none."""
    stated = b",".join(value for key, value in headers if key.lower() == name).decode("latin-1")
    return [element.strip() for element in stated.rsplit(",", _FARTHEST)[-_FARTHEST:]]


def _pairs(element: str) -> Mapping[str, str]:
    """``for=192.0.2.60;proto=http`` by name; nothing at all if some of it cannot be read."""
    found: dict[str, str] = {}
    for text in element.split(";"):
        pair = _PAIR.match(text)
        if pair is None or pair[1].lower() in found:
            return {}
        found[pair[1].lower()] = pair[2] if pair[2] is not None else pair[3]
    return found
