"""No cell of a CSV that the product writes is taken for a formula, however a spreadsheet reads it."""

import csv
import unicodedata
from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nexus.application.kernel.csv_lines import csv_lines, harmless

SKIPPED = '" \t\r\n\u00a0\u00ad\u200b\u200e\u2060\ufeff\x00\x1f'
BEGIN_FORMULAS = "=+-@\u2212＝＋－＠﹦﹢﹣﹫"

texts = st.text(st.sampled_from(BEGIN_FORMULAS + SKIPPED + "',;|a1(") | st.characters(codec="utf-8"))


def written(*cells):
    file = StringIO(newline="")
    columns = [str(number) for number in range(len(cells))]
    csv_lines(file, columns)(dict(zip(columns, cells, strict=True)))
    return file.getvalue()


def begins_formula(cell: str) -> bool:
    seen = cell.lstrip("".join(map(chr, range(0x20))) + SKIPPED + "\u200c\u200d\u200f\u2000\u3000")
    return seen[:1] in set(BEGIN_FORMULAS) or unicodedata.normalize("NFKC", seen[:1])[:1] in set("=+-@")


@given(st.lists(texts, min_size=1, max_size=4))
@example(["=cmd|' /C calc'!A0"])
@example(["x;=1+1"])
@example(["\t=1", "a\t\t=1"])
@example(["\ufeff＝1"])
def test_no_cell_begins_a_formula_whatever_separates_it(cells):
    line = written(*cells)
    for separator in (",", ";", "\t"):
        for row in csv.reader(StringIO(line, newline=""), delimiter=separator):
            for cell in row:
                assert not begins_formula(cell) or not cell.strip(SKIPPED), (separator, cell)


@given(st.lists(texts, min_size=1, max_size=4))
def test_nothing_but_apostrophes_is_added(cells):
    _, read = csv.reader(StringIO(written(*cells), newline=""))
    assert [cell.replace("'", "") for cell in read] == [cell.replace("'", "") for cell in cells]


@given(st.text(st.characters(categories=["L", "N", "Zs"]).filter(lambda one: one not in BEGIN_FORMULAS)))
def test_ordinary_words_stay_as_they_are(text):
    assert harmless(text) == text


@pytest.mark.parametrize("number", [0, -5, 17.5, -0.25, True])
def test_numbers_stay_numbers(number):
    assert harmless(number) is number
    assert written(number).splitlines()[1] == str(number)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [("-5", "'-5"), ("+1 555 0100", "'+1 555 0100"), (" =1", " '=1"), ("'=1", "''=1"), ("\tx", "'\tx"),
     ("\rx", "'\rx"), ("a-b", "a-b"), ("a=b", "a=b"), (None, None), ("", ""), (Decimal(-1), "'-1")],
)  # fmt: skip
def test_examples(cell, shown):
    assert harmless(cell) == shown
