"""Files as they come: compressed or not, in any usual encoding, separated by whatever, with ragged rows."""

import codecs
import csv
import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Final, cast

from attrs import frozen

from nexus.adapters.catalogue_files.profiles import Profile
from nexus.application.catalogue.import_ports import Columns, SourceRow
from nexus.domain.catalogue.imports import TIMING
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
    """The file lacks columns without which its rows would be misread."""

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
            ColumnsMissing: There is no column for the id or the name, or for a date, a
                time or the days where the profile names one.
        """
        with _readable():
            if self.profile.format == "json":
                yield from _json_rows(self.path, self.profile)
            else:
                with _opened(self.path) as binary, _as_text(binary, _encoding(self.path)) as text:
                    yield from _csv_rows(text, self.profile)

    def columns(self) -> Columns:
        """
        What the profile looks for in vain, and what it passes over.

        Raises:
            UnreadableFile: It cannot be opened, decompressed or parsed at all.
        """
        with _readable():
            if self.profile.format == "json":
                _, found = _json_records(self.path, self.profile)
                return _compared(found, self.profile)
            with _opened(self.path) as binary, _as_text(binary, _encoding(self.path)) as text:
                _, header = _csv_header(text)
                return _compared([(_name(cell), cell.strip()) for cell in header], self.profile)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, UnicodeError) as fault:
        raise UnreadableFile(str(fault.args[-1] if fault.args else fault)) from fault


def _compared(found: list[tuple[str, str]], profile: Profile) -> Columns:
    """The profile's columns beside those found, each found one as it is matched and as it is spelt."""
    names = {name for name, _ in found}
    absent = {
        ours: tuple(their for their in theirs if _path(their, profile) not in names)
        for ours, theirs in profile.columns.items()
    }
    wanted = {_path(their, profile) for theirs in profile.columns.values() for their in theirs}
    spare: list[str] = []
    for name, spelt in found:
        # Of two columns that differ in spelling only, the first is the one that is read.
        if name in wanted:
            wanted.remove(name)
        elif spelt:
            spare.append(spelt)
    return Columns(
        missing={
            ours: theirs
            for ours, theirs in absent.items()
            if theirs and (ours in profile.join or len(theirs) == len(profile.columns[ours]))
        },
        unused=tuple(spare),
    )


def _refuse_missing(names: Iterable[str], found: Iterable[str], profile: Profile) -> None:
    present = set(names)
    missing = tuple(
        ours
        for ours in ("id", "name", *TIMING)
        if ours in profile.columns
        and not any(_path(their, profile) in present for their in profile.columns[ours])
    )
    if missing:
        raise ColumnsMissing(missing, tuple(found))


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


@lru_cache(maxsize=4096)
def _name(header: str) -> str:
    """What counts of a header: its letters and digits, in whatever case."""
    return "".join(filter(str.isalnum, header.casefold()))


@lru_cache(maxsize=4096)
def _json_path(path: str) -> str:
    return ".".join(map(_name, path.split(".")))


def _path(their: str, profile: Profile) -> str:
    return _json_path(their) if profile.format == "json" else _name(their)


def _delimiter(line: str) -> str:
    outside = re.sub(r'"[^"]*"', "", line)
    return max(_DELIMITERS, key=outside.count)


def _csv_header(text: TextIOWrapper) -> tuple[Iterator[list[str]], list[str]]:
    """The rows that follow, and the header before them."""
    first = next((line for line in text if line.strip()), "")
    if first.count('"') % 2:  # a header that goes on after a line end
        first += text.readline()
    reader = csv.reader(_after(first, text), delimiter=_delimiter(first))
    return reader, next(reader, [])


def _csv_rows(text: TextIOWrapper, profile: Profile) -> Iterator[SourceRow]:
    reader, header = _csv_header(text)
    names = [_name(cell) for cell in header]
    _refuse_missing(names, header, profile)
    places = _places(names, profile)
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
    records, found = _json_records(path, profile)
    if any(record is not None for record in records):
        _refuse_missing((name for name, _ in found), (spelt for _, spelt in found), profile)
    for number, record in enumerate(records, start=1):
        if record is None:
            yield SourceRow(number, fault="not an object")
        else:
            yield SourceRow(number, {ours: _walk(record, ours, profile) for ours in profile.columns})


def _json_records(path: Path, profile: Profile) -> tuple[list[dict[str, Any] | None], list[tuple[str, str]]]:
    """The records by what counts of their keys (``None``: not an object), and the paths in them."""
    with _opened(path) as binary:
        content = binary.read(_MOST_JSON)
    spelt: dict[str, str] = {}

    def keyed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        named: dict[str, Any] = {}
        for key, value in pairs:
            spelt.setdefault(_name(key), key)
            named.setdefault(_name(key), value)
        return named

    try:
        listed: Any = json.loads(content, object_pairs_hook=keyed)
        for step in filter(None, profile.records.split(".")):
            listed = listed[_name(step)]
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise UnreadableFile("no list of records where the profile expects it") from fault
    if not isinstance(listed, list):
        raise UnreadableFile("no list of records where the profile expects it")
    records = [part for record in listed for part in _parts(record, _name(profile.each))]
    paths = _leaves(records)
    return records, [(at, ".".join(spelt[step] for step in at.split("."))) for at in paths]


def _parts(record: Any, each: str) -> Iterator[dict[str, Any] | None]:
    """A record once for each of its parts."""
    if not isinstance(record, dict):
        yield None
        return
    parts = record.get(each) if each else None
    for part in parts if isinstance(parts, list) and parts else [None]:
        yield {**record, each: part} if each and each in record else record


def _leaves(records: list[dict[str, Any] | None]) -> list[str]:
    """The paths that lead to values, in the order of their first appearance."""
    seen: dict[str, None] = {}
    for record in records:
        waiting: list[tuple[str, Any]] = [("", record)]
        while waiting:
            at, value = waiting.pop()
            if isinstance(value, dict):
                waiting.extend((f"{at}.{key}" if at else key, value[key]) for key in reversed(value))
            if at:
                seen.setdefault(at)
    inner = {at.rpartition(".")[0] for at in seen}
    return [at for at in seen if at not in inner]


def _walk(record: Mapping[str, Any], ours: str, profile: Profile) -> str:
    found = [_text(_at(record, _json_path(path)), profile.rules.separator) for path in profile.columns[ours]]
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
