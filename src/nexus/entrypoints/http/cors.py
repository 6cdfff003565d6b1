"""Which other sites' scripts may use the API: none, unless named."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import frozen

_ORIGIN: Final = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?\Z")

_ALLOWED: Final[Mapping[str, str]] = {
    "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "access-control-allow-headers": "authorization, content-type, idempotency-key, if-match, x-request-id",
    "access-control-max-age": "600",
}
_EXPOSED: Final = (
    "etag, idempotency-replayed, location, ratelimit-limit, ratelimit-policy, ratelimit-remaining, "
    "ratelimit-reset, retry-after, x-request-id"
)


def origin(text: str) -> str:
    """
    An origin as browsers write it.

    Raises:
        ValueError: It is none; above all not a wildcard.
    """
    if not _ORIGIN.match(text):
        raise ValueError("must be origins such as https://app.example.com, separated by commas")
    return text


@frozen
class Cors:
    """
    Scripts of these origins may use the API with a token of their own.

    Never with a browser's cookie: no answer allows credentials, so that being
    signed in here gives no other site anything.
    """

    origins: frozenset[str] = frozenset()

    def headers(self, stated: str | None) -> Mapping[str, str]:
        """What every answer says to a script of this origin."""
        if not self.origins:
            return {}
        if stated not in self.origins:
            return {"vary": "Origin"}
        return {
            "vary": "Origin",
            "access-control-allow-origin": stated,
            "access-control-expose-headers": _EXPOSED,
        }

    def preflight(self, method: str, headers: Sequence[tuple[bytes, bytes]]) -> Mapping[str, str] | None:
        """The further headers of the answer, if this is a question before a request of such a script."""
        if method != "OPTIONS" or header(headers, b"access-control-request-method") is None:
            return None
        return _ALLOWED if header(headers, b"origin") in self.origins else None


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """The first value of a header, if it was sent."""
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), None)
