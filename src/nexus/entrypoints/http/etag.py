"""Nobody overwrites what they have not seen: ``ETag`` with the answer, ``If-Match`` with the change."""

import re
from typing import Final

from attrs import frozen
from litestar.datastructures import Headers

from nexus.domain.kernel.errors import VersionMismatch
from nexus.entrypoints.http.faults import parameter_fault

_TAGS: Final = re.compile(r'\s*(?:W/)?"([\x21\x23-\x7e]*)"\s*(?:,|\Z)')


def etag(version: int) -> dict[str, str]:
    """The header that names a version: ``Response(view, headers=etag(view.version))``."""
    return {"ETag": f'"{version}"'}


@frozen
class IfMatch:
    """
    What the caller believes to be changing.

    A weak tag counts like a strong one: proxies that compress weaken them, and a
    version names the state, not the bytes.
    """

    tags: tuple[str, ...] | None = None

    @classmethod
    def of(cls, headers: Headers) -> "IfMatch":
        """
        What the request says.

        Raises:
            Malformed: The header is not a list of entity tags.
        """
        stated = ",".join(headers.getall("if-match", []))
        if not stated.strip() or stated.strip() == "*":
            return cls(None)
        tags, position = [], 0
        while position < len(stated):
            found = _TAGS.match(stated, position)
            if found is None:
                raise parameter_fault("header.If-Match", 'must be entity tags such as "3", or *')
            tags.append(found[1])
            position = found.end()
        return cls(tuple(tags))

    @property
    def version(self) -> int | None:
        """The one version that is expected; ``None`` when anything is fine."""
        known = [int(tag) for tag in self.tags or () if re.fullmatch(r"[0-9]{1,18}", tag)]
        return known[0] if known else None if self.tags is None else 0

    def check(self, actual: int) -> None:
        """
        Go on only if this is the version that the caller saw.

        Raises:
            VersionMismatch: It is not.
        """
        if self.tags is not None and str(actual) not in self.tags:
            raise VersionMismatch(expected=self.version or 0, actual=actual)
