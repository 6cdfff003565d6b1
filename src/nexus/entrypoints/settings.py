"""
Settings of an installation, from environment variables that start with ``NEXUS_``.

``docs/reference/settings.md`` is generated from here.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import Attribute, field, fields, frozen

from nexus.domain.kernel.networks import Network
from nexus.entrypoints.http.cors import origin
from nexus.entrypoints.http.proxies import ProxyHeaders, network

LAST_PORT: Final = 65535
KEY_BYTES: Final = 32


class Environment(StrEnum):
    """Development has conveniences that must not exist elsewhere, such as the time machine."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class SettingError(Exception):
    """An environment variable is missing or makes no sense; the message names it."""


def _setting(
    default: Any,
    meaning: str,
    *,
    secret: bool = False,
    read: Any = str,
    required_in_production: bool = False,
    shown: str = "",
) -> Any:
    return field(
        default=default,
        repr=not secret,
        metadata={
            "meaning": meaning,
            "secret": secret,
            "read": read,
            "required": required_in_production,
            "shown": shown,
        },
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("must be at least 1")
    return number


def _not_negative(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError("must be at least 0")
    return number


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(network(each.strip()) for each in text.split(","))


def _sites(text: str) -> frozenset[str]:
    return frozenset(origin(each.strip()) for each in text.split(","))


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= LAST_PORT:
        raise ValueError("must be a port")
    return number


def _truth(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if text.lower() not in known:
        raise ValueError("must be true or false")
    return known[text.lower()]


def _origins(text: str) -> frozenset[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    for one in text.split(","):
        scheme, _, port = one.strip().partition(":")
        if scheme not in {"http", "https"} or not port.isdecimal():
            raise ValueError("must be https:443, or more such pairs with commas between them")
        found.add((scheme, _port(port)))
    return frozenset(found)


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be http:// or https:// with a host, and nothing behind the path")
    return text.rstrip("/")


def _sender(text: str) -> str:
    if not re.fullmatch(r"[^<>@]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+", text):
        raise ValueError("must be an address, or a name with an address in angle brackets")
    return text


def _smtp_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"smtp", "smtps", "smtp+plain"} or not parts.hostname:
        raise ValueError("must be smtp://, smtps:// or smtp+plain:// with a host")
    return text


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("must be base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError("must be 32 bytes, in base64")
    return key


def _keys(text: str) -> tuple[bytes, ...]:
    return tuple(_key(each.strip()) for each in text.split(","))


@frozen(kw_only=True)
class Settings:
    """Every setting of an installation; secrets are left out of its text form."""

    env: Environment = _setting(  # noqa: RUF009 - it makes an attrs field, not a value
        Environment.PRODUCTION,
        "`development` or `production`. The time machine and the demo accounts on the first page "
        "exist in development only.",
        read=Environment,
    )
    database_url: str | None = _setting(
        None,
        "PostgreSQL (15 or later) as a libpq URL, for `serve`, `worker` and `scheduler`. The login must "
        "be a member of the role `nexus_app`, as which it acts.",
        secret=True,
        required_in_production=True,
    )
    migration_url: str | None = _setting(
        None,
        "The same database as the owner of its tables, for `nexus migrate`; `NEXUS_DATABASE_URL` when unset.",
        secret=True,
    )
    redis_url: str | None = _setting(
        None, "Redis or Valkey, the broker of background work.", secret=True, required_in_production=True
    )
    secret_key: bytes | None = _setting(
        None,
        "32 random bytes in base64 (`nexus keys new`); seals medical notes and other secrets. Lost key, "
        "lost notes. `nexus up` makes one and keeps it beside the data.",
        secret=True,
        read=_key,
        required_in_production=True,
    )
    former_keys: tuple[bytes, ...] | None = _setting(
        None,
        "Earlier values of `NEXUS_SECRET_KEY`, separated by commas: they open what they sealed until "
        "`nexus keys rotate` has moved it.",
        secret=True,
        read=_keys,
    )
    host: str = _setting("127.0.0.1", "The address that `nexus serve` listens on.")
    port: int = _setting(8000, "The port that `nexus serve` listens on.", read=_port)
    pool_size: int = _setting(
        max(4, 2 * (os.cpu_count() or 2)),
        "Database connections of one process, and requests that it works on at a time. About two for "
        "each core of the database's machine, over all processes.",
        read=_positive,
        shown="twice the cores, at least 4",
    )
    worker_threads: int = _setting(4, "Jobs that one worker process works on at a time.", read=_positive)
    data_dir: Path = _setting(  # noqa: RUF009 - as above
        Path("var"), "Where `nexus up` keeps its database, broker and key.", read=Path
    )
    https: bool = _setting(
        False, "Served behind TLS: cookies are Secure, browsers are told to come back by TLS.", read=_truth
    )
    public_url: str | None = _setting(
        None,
        "Where people reach the pass, as `https://pass.example.com`: links in mails lead there. Needed with "
        "`NEXUS_SMTP_URL`; `nexus up` knows its own.",
        read=_public_url,
    )
    smtp_url: str | None = _setting(
        None,
        "The mail server: `smtp://user:password@host:587` (STARTTLS, always), `smtps://` (TLS from the "
        "start), or `smtp+plain://` for a relay on this machine. Without it mails wait in production, and in "
        "development they go into `mail` in the data directory (`nexus mail`).",
        secret=True,
        read=_smtp_url,
    )
    mail_from: str | None = _setting(
        None,
        "The sender of mails, as `Family Pass <no-reply@pass.example.com>`.",
        read=_sender,
        shown="`no-reply@` and the host of `NEXUS_PUBLIC_URL`",
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        (),
        "Addresses and networks (CIDR) of the proxies in front of `nexus serve`, separated by commas. Only what "
        "they say about a client's address, host and scheme is believed.",
        read=_networks,
        shown="none",
    )
    proxy_headers: ProxyHeaders = _setting(  # noqa: RUF009 - as above
        ProxyHeaders.X_FORWARDED,
        "What those proxies write: `x-forwarded` (`X-Forwarded-For`, `-Proto`, `-Host`) or `forwarded` "
        "(RFC 7239). The other kind is a client's own words and is not read.",
        read=ProxyHeaders,
    )
    cors_origins: frozenset[str] = _setting(
        frozenset(),
        "Origins whose pages may use the API from a browser, separated by commas. Never with cookies.",
        read=_sites,
        shown="none",
    )
    rate_limit_per_address: int = _setting(
        300,
        "Requests a minute from one address (a /64 of IPv6) by whoever is not signed in; 0: any number.",
        read=_not_negative,
    )
    rate_limit_per_account: int = _setting(
        600,
        "Requests a minute by one account; 0: any number. API keys have limits of their own.",
        read=_not_negative,
    )
    body_seconds: int = _setting(15, "Seconds in which the body of a request must arrive.", read=_positive)
    answer_seconds: int = _setting(
        30,
        "Seconds after which an answer is given up (504), and nothing is kept of the request.",
        read=_positive,
    )
    metrics: bool = _setting(False, "Serve Prometheus metrics at `/metrics`.", read=_truth)
    metrics_port: int | None = _setting(
        None,
        "The port at which `nexus worker` and `nexus scheduler` serve `/metrics` and `/healthz`, on `NEXUS_HOST`; "
        "off when unset, and with `nexus up`. Each process on a machine needs its own.",
        read=_port,
    )
    outgoing: frozenset[tuple[str, int]] = _setting(
        frozenset({("https", 443)}),
        "Schemes and ports that may be asked of servers outside, as `https:443,https:8443`. Addresses "
        "that are not on the public internet are never asked.",
        read=_origins,
        shown="`https:443`",
    )
    log_level: str = _setting("info", "`debug`, `info`, `warning` or `error`.")

    @property
    def origin(self) -> str:
        """The sender of mails."""
        host = urlsplit(self.public_url or "").hostname or "localhost"
        return self.mail_from or f"Nexus Family Pass <no-reply@{host}>"

    @property
    def mail_dir(self) -> Path:
        """Where mails go in development, without a mail server."""
        return self.data_dir / "mail"

    @property
    def is_development(self) -> bool:
        return self.env is Environment.DEVELOPMENT

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """
        The settings in these environment variables, the others at their defaults.

        Raises:
            SettingError: One makes no sense, or one that starts with NEXUS_ is unknown.
        """
        names = {variable(attribute): attribute for attribute in fields(cls)}
        unknown = (
            {name for name in environment if name.startswith("NEXUS_")} - names.keys() - {"NEXUS_PG_BIN"}
        )
        if unknown:
            raise SettingError(f"unknown setting {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {}
        for name, attribute in names.items():
            if not (text := environment.get(name)):
                continue
            try:
                values[attribute.name] = attribute.metadata["read"](text)
            except ValueError as reason:
                raise SettingError(f"{name}: {reason}") from None
        return cls(**values)

    def need(self, name: str) -> Any:
        """
        A setting that the command cannot do without.

        Raises:
            SettingError: It is not set.
        """
        value = getattr(self, name)
        if value is None:
            raise SettingError(f"NEXUS_{name.upper()} is not set")
        return value


def variable(attribute: "Attribute[Any]") -> str:
    """The environment variable of a setting."""
    return f"NEXUS_{attribute.name.upper()}"
