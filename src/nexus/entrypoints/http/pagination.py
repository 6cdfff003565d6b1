"""Pages by key: the next page begins after the last row seen, whatever was added meanwhile."""

import base64
import binascii
from collections.abc import Callable, Sequence
from types import GenericAlias
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from attrs import field, frozen
from litestar.params import QueryParameter

from nexus.entrypoints.http.faults import Malformed, parameter_fault
from nexus.entrypoints.http.reading import read_value
from nexus.entrypoints.http.views import plain

T = TypeVar("T")
Row = TypeVar("Row")

VERSION: Final = 1
_MALFORMED: Final = "is not a cursor of this list; start again without it"

Limit = Annotated[int, QueryParameter(ge=1, le=100, description="How many at most.")]
"""``limit: Limit = 20``"""

CursorText = Annotated[
    str | None, QueryParameter(description="``next_cursor`` of the page before.", max_length=4000)
]
"""``cursor: CursorText = None``"""


@frozen
class Page(Generic[T]):
    """Some of the rows, in order."""

    items: list[T]
    next_cursor: str | None = field(
        default=None, metadata={"description": "Ask with it for the next page; null on the last one."}
    )


@frozen(init=False)
class Keyset:
    """
    One order of one list: its name and the types of its key.

    ``Keyset("starts_at", datetime, UUID)``: the key must tell any two rows apart.
    """

    sort: str
    types: tuple[Any, ...]

    def __init__(self, sort: str, *types: Any) -> None:
        self.__attrs_init__(sort, types)

    def cursor(self, key: Sequence[Any]) -> str:
        """The opaque name of the place after the row with this key."""
        stated = msgspec.json.encode([VERSION, self.sort, *plain(list(key))])
        return base64.urlsafe_b64encode(stated).rstrip(b"=").decode()

    def after(self, cursor: str | None) -> tuple[Any, ...] | None:
        """
        The key after which the page begins; ``None`` at the start.

        Raises:
            Malformed: Not a cursor, or one of another list or order.
        """
        if cursor is None:
            return None
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            stated = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, binascii.Error, RecursionError) as error:
            raise parameter_fault("query.cursor", _MALFORMED) from error
        if not isinstance(stated, list) or stated[:2] != [VERSION, self.sort]:
            raise parameter_fault("query.cursor", _MALFORMED)
        try:
            kind: Any = GenericAlias(tuple, self.types)
            found: tuple[Any, ...] = read_value(stated[2:], kind)
        except Malformed as error:
            raise parameter_fault("query.cursor", _MALFORMED) from error
        return found

    def page(
        self, rows: Sequence[Row], limit: int, key: Callable[[Row], Sequence[Any]], view: Callable[[Row], T]
    ) -> Page[T]:
        """The page of *rows*, of which one more than *limit* was asked for to know whether more follow."""
        shown = rows[:limit]
        more = len(rows) > limit
        return Page([view(row) for row in shown], self.cursor(key(shown[-1])) if more else None)
