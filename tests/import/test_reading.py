"""Files as they come: encodings, separators, ragged rows, broken headers."""

import gzip
import json
import os
from pathlib import Path

import pytest
from attrs import evolve

from nexus.adapters.catalogue_files.profiles import load_profile
from nexus.adapters.catalogue_files.reading import CatalogueFile, ColumnsMissing, UnreadableFile

CHICAGO = load_profile("chicago")
PLAIN = evolve(CHICAGO, columns={name: CHICAGO.columns[name] for name in ("id", "name", "city")})
DATA = Path(os.environ.get("NEXUS_TEST_DATA", Path(__file__).parents[3] / "shared/data"))
PHILADELPHIA = load_profile("philadelphia")
TEXT = (
    'ID;Program Name;City;extra\r\n1;"Señor ""Elm"";\r\nBall";Chicago;x\r\n'
    "\r\n2;Two;;;\r\n3;Three\r\n4;a;b;c;d\r\n"
)


def read(path, profile=PLAIN):
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
    "content",
    [b"", b"{", b"[]", b'{"rows": 1}', b'{"rows": [1, {"schedules": 3}, {"id": 1, "name": 2}]}', b"\xff"],
)
def test_json_that_is_something_else_is_refused_or_told_by_row(tmp_path, content):
    path = tmp_path / "file.json"
    path.write_bytes(content)
    try:
        rows = read(path, evolve(PHILADELPHIA, columns={"id": ("id",), "name": ("name",)}))
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


HEADER = "ID,Program Name,StartDate,enddate,Start  time,{},Colour"


@pytest.mark.parametrize("header", ["end_time", "EndTime", "Endtime", "END-TIME", " end. time ", "TimeEnd"])
def test_only_letters_and_digits_of_a_header_count(tmp_path, header):
    path = tmp_path / "file.csv"
    path.write_text(HEADER.format(header) + "\n1,x,2026-03-10,2026-06-10,09:00,10:30,red\n")
    (row,) = read(path, CHICAGO)
    assert (row.cells["end_time"], row.cells["end_date"]) == ("10:30", "2026-06-10")
    columns = CatalogueFile(path, CHICAGO).columns()
    assert columns.unused == ("Colour",)
    assert columns.missing["price"] == ("program_price", "price")
    assert not {"id", "name", "start_date", "end_date", "start_time", "end_time"} & columns.missing.keys()


@pytest.mark.parametrize("ours", ["name", "start_date", "end_date", "start_time", "end_time"])
def test_without_a_column_for_when_it_takes_place_the_file_is_refused(tmp_path, ours):
    there = ["id", *({"name", "start_date", "end_date", "start_time", "end_time"} - {ours})]
    path = tmp_path / "file.csv"
    path.write_text(",".join(there) + "\n" + ",".join("1" for _ in there) + "\n")
    with pytest.raises(ColumnsMissing) as refused:
        read(path, CHICAGO)
    assert (refused.value.missing, refused.value.found) == ((ours,), tuple(there))


def test_of_two_columns_spelt_alike_the_first_is_read_and_the_second_told(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("id,name,NAME\n1,first,second\n")
    assert read(path)[0].cells["name"] == "first"
    assert CatalogueFile(path, PLAIN).columns().unused == ("NAME",)


def schedule(**changed):
    part = {"id": 7, "DateFrom": "a", "date_to": "b", "time-from": "c", "Time To": "d", "days": ["Monday"]}
    return {"Rows": [{"id": 1, "Name": "x", "Colour": {"Hue": 3}, "Schedules": [{**part, **changed}]}]}


def test_keys_of_json_are_matched_like_headers(tmp_path):
    path = tmp_path / "file.json"
    path.write_text(json.dumps(schedule()))
    (row,) = read(path, PHILADELPHIA)
    assert (row.cells["id"], row.cells["name"], row.cells["end_time"]) == ("1/7", "x", "d")
    columns = CatalogueFile(path, PHILADELPHIA).columns()
    assert columns.unused == ("Colour.Hue",)
    assert columns.missing["price"] == ("fee",)
    assert "end_date" not in columns.missing


def test_json_in_which_no_record_has_its_days_is_refused(tmp_path):
    path = tmp_path / "file.json"
    content = schedule()
    del content["Rows"][0]["Schedules"][0]["days"]
    path.write_text(json.dumps(content))
    with pytest.raises(ColumnsMissing) as refused:
        read(path, PHILADELPHIA)
    assert refused.value.missing == ("days",)
