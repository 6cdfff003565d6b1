"""What a URL asks for, read strictly: whatever two readers could understand differently is refused."""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import idna
from attrs import frozen

from nexus.domain.kernel.errors import Invalid

Address = IPv4Address | IPv6Address

_URL: Final = re.compile(r"(https?)://([^/?#]+)([^#]*)(?:#.*)?", re.IGNORECASE)
_UNUSUAL: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_BRACKETED: Final = re.compile(r"\[([0-9a-fA-F:.]+)\](?::([0-9]{1,5}))?")
_NAMED: Final = re.compile(r"([^:\[\]@%]+)(?::([0-9]{1,5}))?")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS: Final = {"http": 80, "https": 443}
_LAST_PORT: Final = 65535
_LONGEST_URL: Final = 2048
_LONGEST_NAME: Final = 253


@frozen
class UnusableUrl(Invalid):
    """This is not a URL that can be asked."""

    reason: str


@frozen
class ForbiddenDestination(Invalid):
    """Nothing is sent there."""

    host: str
    reason: str


@frozen
class Destination:
    """Whom to ask, and what for."""

    scheme: str
    host: str | Address
    """A name in ASCII and lower case, or an address that was written as one."""
    port: int
    target: str
    """Path and query."""

    @classmethod
    def of(cls, url: str) -> "Destination":
        """
        What the URL says.

        Names go through IDNA. IP addresses count only in their usual form:
        `127.1`, `0x7f000001`, `2130706433` and `0177.0.0.1` are no names either.

        Raises:
            UnusableUrl: It says something else than `http(s)://host[:port]/path?query`,
                with a user and password perhaps, or could be read in two ways.
        """
        matched = _URL.fullmatch(url)
        if len(url) > _LONGEST_URL or _UNUSUAL.search(url) or matched is None:
            raise UnusableUrl("it must be http(s)://host/path, without blanks or backslashes")
        scheme, authority, target = matched[1].lower(), matched[2], matched[3] or "/"
        if not target.isascii():
            raise UnusableUrl("path and query must be percent-encoded")
        host: str | Address
        if bracketed := _BRACKETED.fullmatch(authority):
            host, port = _address_v6(bracketed[1]), bracketed[2]
        elif named := _NAMED.fullmatch(authority):
            host, port = _name(named[1]), named[2]
        else:
            raise UnusableUrl("there must be a host and perhaps a port, nothing else, before the path")
        number = int(port) if port else _PORTS[scheme]
        if not 0 < number <= _LAST_PORT:
            raise UnusableUrl("there is no such port")
        return cls(scheme, host, number, target if target.startswith("/") else f"/{target}")

    @property
    def shown(self) -> str:
        """The host as it stands in a URL."""
        return f"[{self.host}]" if isinstance(self.host, IPv6Address) else str(self.host)


def _address_v6(text: str) -> IPv6Address:
    try:
        return IPv6Address(text)
    except ValueError:
        raise UnusableUrl("this is not an IPv6 address") from None


def _name(text: str) -> str | IPv4Address:
    try:
        ascii_text = text if text.isascii() else idna.encode(text, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise UnusableUrl("this is not a host name") from None
    name = ascii_text.lower().removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return IPv4Address(name)
        except ValueError:
            raise UnusableUrl("an IPv4 address is four decimal numbers") from None
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise UnusableUrl("this is not a host name")
    return name
