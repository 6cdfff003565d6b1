"""Files as they come: compressed or not, in any usual encoding, separated by whatever, with ragged rows."""

import codecs
import csv
import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Final, cast

from attrs import frozen

from nexus.adapters.catalogue_files.profiles import Profile
from nexus.application.catalogue.import_ports import SourceRow
from nexus.domain.kernel.errors import Invalid

_CHUNK: Final = 1 << 16
_GZIP: Final = b"\x1f\x8b"
_MOST_JSON: Final = 200_000_000
_DELIMITERS: Final = (",", ";", "\t", "|")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@frozen
class UnreadableFile(Invalid):
    """The file is not what its profile says."""

    reason: str


@frozen
class ColumnsMissing(Invalid):
    """The file lacks columns without which no row can be told from another."""

    missing: tuple[str, ...]
    found: tuple[str, ...]


@frozen
class CatalogueFile:
    """A publisher's file, read through a profile; can be read any number of times."""

    path: Path
    profile: Profile

    def rows(self) -> Iterator[SourceRow]:
        """
        Each row with its place in the file, cells by our names; broken rows say what is wrong.

        Raises:
            UnreadableFile: It cannot be opened, decompressed or parsed at all.
            ColumnsMissing: There is no column for the id or the name.
        """
        try:
            if self.profile.format == "json":
                yield from _json_rows(self.path, self.profile)
            else:
                with _opened(self.path) as binary, _as_text(binary, _encoding(self.path)) as text:
                    yield from _csv_rows(text, self.profile)
        except (OSError, EOFError, UnicodeError) as fault:
            raise UnreadableFile(str(fault.args[-1] if fault.args else fault)) from fault


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return cast("IO[bytes]", gzip.open(path, "rb") if packed else path.open("rb"))


def _as_text(binary: IO[bytes], encoding: str) -> TextIOWrapper:
    return TextIOWrapper(binary, encoding=encoding, errors="replace", newline="")


def _encoding(path: Path) -> str:
    """By its byte order mark, by its NULs, as UTF-8 where that fits, else as Western European."""
    with _opened(path) as file:
        head = file.read(_CHUNK)
        for mark, name in _BOMS:
            if head.startswith(mark):
                return name
        if head[1::2].count(0) > len(head) // 4:
            return "utf-16-le"
        if head[::2].count(0) > len(head) // 4:
            return "utf-16-be"
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while head:
                decoder.decode(head)
                head = file.read(_CHUNK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _name(header: str) -> str:
    return re.sub(r"[\W_]+", "_", header.strip().casefold()).strip("_")


def _delimiter(line: str) -> str:
    outside = re.sub(r'"[^"]*"', "", line)
    return max(_DELIMITERS, key=outside.count)


def _csv_rows(text: TextIOWrapper, profile: Profile) -> Iterator[SourceRow]:
    first = next((line for line in text if line.strip()), "")
    if first.count('"') % 2:  # a header that goes on after a line end
        first += text.readline()
    reader = csv.reader(_after(first, text), delimiter=_delimiter(first))
    header = next(reader, [])
    places = _places([_name(cell) for cell in header], profile)
    missing = tuple(ours for ours in ("id", "name") if not places.get(ours))
    if missing:
        raise ColumnsMissing(missing, tuple(header))
    for number, cells in enumerate(_lines(reader), start=2):
        if isinstance(cells, str):
            yield SourceRow(number, fault=cells)
        elif any(cell.strip() for cell in cells):
            # Empty cells beyond the last header are an exporter's trailing separators.
            while len(cells) > len(header) and not cells[-1].strip():
                cells.pop()
            if len(cells) == len(header):
                read = {ours: _pick(cells, at, profile.join.get(ours)) for ours, at in places.items()}
                yield SourceRow(number, read)
            else:
                yield SourceRow(number, fault=f"{len(cells)} cells under {len(header)} headers")


def _lines(reader: Iterator[list[str]]) -> Iterator[list[str] | str]:
    """Each row's cells, or what the parser has against it."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            yield str(fault)


def _after(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield from first.splitlines(keepends=True)
    yield from rest


def _places(names: list[str], profile: Profile) -> dict[str, list[int]]:
    """Where the columns of each of our fields are, in the profile's order of preference."""
    return {
        ours: [names.index(_name(their)) for their in theirs if _name(their) in names]
        for ours, theirs in profile.columns.items()
    }


def _pick(cells: list[str], at: list[int], join: str | None) -> str:
    if join is not None:
        return join.join(cells[place] for place in at)
    return next((cells[place] for place in at if cells[place].strip()), "")


def _json_rows(path: Path, profile: Profile) -> Iterator[SourceRow]:
    with _opened(path) as binary:
        content = binary.read(_MOST_JSON)
    try:
        records: Any = json.loads(content)
        for step in filter(None, profile.records.split(".")):
            records = records[step]
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise UnreadableFile("no list of records where the profile expects it") from fault
    if not isinstance(records, list):
        raise UnreadableFile("no list of records where the profile expects it")
    number = 0
    for record in records:
        if not isinstance(record, dict):
            number += 1
            yield SourceRow(number, fault="not an object")
            continue
        parts = record.get(profile.each) if profile.each else None
        for part in parts if isinstance(parts, list) and parts else [None]:
            number += 1
            whole = {**record, profile.each: part} if profile.each else record
            yield SourceRow(number, {ours: _walk(whole, ours, profile) for ours in profile.columns})


def _walk(record: Mapping[str, Any], ours: str, profile: Profile) -> str:
    found = [_text(_at(record, path), profile.rules.separator) for path in profile.columns[ours]]
    join = profile.join.get(ours)
    return next(filter(None, found), "") if join is None else join.join(filter(None, found))


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _text(value: Any, separator: str) -> str:
    if isinstance(value, list):
        return separator.join(_text(item, separator) for item in value)
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
