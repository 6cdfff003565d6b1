"""CSV for people who open it in a spreadsheet."""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

_STARTS: Final = re.compile(
    # At the start, or where a spreadsheet that separates by something else would start a cell,
    r"(\A|[;\t\r\n])"
    # and perhaps after what it skips:
    r"([\s\"'\x00-\x1f\u00ad\u200b-\u200f\u2060\ufeff]*)"
    # whatever begins a formula, also as full-width and small forms that are taken for the same.
    r"(?=[=+\-@\u2212\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])"
)
_CONTROLS: Final = ("\t", "\r")


class Writable(Protocol):
    """A text file, or what can be written like one."""

    def write(self, text: str, /) -> object: ...


def csv_lines(file: Writable, columns: Sequence[str]) -> Callable[[Mapping[str, object]], None]:
    """
    Write the header, and give what writes a line.

    No text is taken for a formula: an apostrophe goes before what would begin
    one. Numbers stay numbers, the negative ones too; text is quoted.
    """
    lines = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
    lines.writerow([harmless(column) for column in columns])

    def write(line: Mapping[str, object]) -> None:
        lines.writerow([harmless(line[column]) for column in columns])

    return write


def harmless(cell: object) -> object:
    """The cell as a spreadsheet may have it: no text begins a formula."""
    if cell is None or isinstance(cell, (int, float)):
        return cell
    text = _STARTS.sub(r"\1\2'", str(cell))
    return f"'{text}" if text.startswith(_CONTROLS) else text
