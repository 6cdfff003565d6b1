"""Files as they come: encodings, separators, ragged rows, broken headers."""

import gzip
import os
from pathlib import Path

import pytest

from nexus.adapters.catalogue_files.profiles import load_profile
from nexus.adapters.catalogue_files.reading import CatalogueFile, ColumnsMissing, UnreadableFile

CHICAGO = load_profile("chicago")
DATA = Path(os.environ.get("NEXUS_TEST_DATA", Path(__file__).parents[3] / "shared/data"))
TEXT = (
    'ID;Program Name;City;extra\r\n1;"Señor ""Elm"";\r\nBall";Chicago;x\r\n'
    "\r\n2;Two;;;\r\n3;Three\r\n4;a;b;c;d\r\n"
)


def read(path, profile=CHICAGO):
    return list(CatalogueFile(path, profile).rows())


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
@pytest.mark.parametrize("packed", [False, True])
def test_every_usual_encoding_reads_the_same(tmp_path, encoding, packed):
    content = TEXT.encode(encoding)
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(content) if packed else content)
    rows = read(path)
    assert [row.number for row in rows] == [2, 4, 5, 6]
    assert rows[0].cells["name"] == 'Señor "Elm";\r\nBall'
    assert rows[1].cells["id"] == "2"
    assert [row.fault for row in rows] == [None, None, "2 cells under 4 headers", "5 cells under 4 headers"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separator_and_line_end_are_found_out(tmp_path, separator, end):
    path = tmp_path / "file.csv"
    path.write_text(end.join(["", separator.join(["Name", "id"]), separator.join(["x", "1"])]), newline="")
    (row,) = read(path)
    assert (row.cells["id"], row.cells["name"]) == ("1", "x")


def test_without_an_id_column_the_file_is_refused_with_what_it_has(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("name,age\nx,1\n")
    with pytest.raises(ColumnsMissing) as refused:
        read(path)
    assert refused.value.missing == ("id",)


def test_a_cell_too_large_breaks_its_row_only(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("id,name\n1," + "x" * 200_000 + "\n2,two\n")
    broken, fine = read(path)
    assert "field larger" in (broken.fault or "")
    assert fine.cells["id"] == "2"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"rows": 1}', b'{"rows": [1, {"schedules": 3}, {}]}', b"\xff"]
)
def test_json_that_is_something_else_is_refused_or_told_by_row(tmp_path, content):
    path = tmp_path / "file.json"
    path.write_bytes(content)
    try:
        rows = read(path, load_profile("philadelphia"))
    except UnreadableFile:
        assert b"schedules" not in content
    else:
        assert [row.fault for row in rows] == ["not an object", None, None]


def test_a_damaged_archive_is_refused(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(os.urandom(100_000))[:500])
    with pytest.raises(UnreadableFile):
        read(path)


def test_dirty_files_are_read_or_refused_but_never_crash():
    files = sorted((DATA / "corpora/csv").glob("*.csv"))
    if not files:
        pytest.skip("no corpus of dirty CSV files beside the project (set NEXUS_TEST_DATA)")
    refused = 0
    for path in files:
        try:
            read(path)
        except ColumnsMissing:
            refused += 1
    assert 0 < refused < len(files)
