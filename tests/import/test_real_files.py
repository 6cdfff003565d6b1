"""Real files of two cities, and another season of one of them made from the first."""

import csv
import os
import random
import resource
from collections import Counter
from datetime import UTC, date, datetime, time
from pathlib import Path
from uuid import uuid4

import pytest

from nexus.adapters.catalogue_files.profiles import load_profile
from nexus.adapters.catalogue_files.reading import CatalogueFile
from nexus.application.catalogue.import_catalogue import ImportCatalogue
from nexus.application.catalogue.import_report import Fate
from nexus.domain.catalogue.imports import Adjustment, Refusal

DATA = Path(os.environ.get("NEXUS_TEST_DATA", Path(__file__).parents[3] / "shared/data"))
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SEASON = "chicago_programs_2020_2021.csv"


def real(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the project (set NEXUS_TEST_DATA)")
    return path


def run(begin, path, name, **options):
    profile = load_profile(name)
    return ImportCatalogue(begin, lambda: NOW, uuid4)(CatalogueFile(path, profile), profile.rules, **options)


def one(begin, sql):
    with begin() as work:
        return work.connection.execute(sql).fetchone()


def test_a_season_of_chicago_twice(begin):
    path = real(SEASON)
    fates = Counter()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = run(begin, path, "chicago", shift_dates=True, on_row=lambda row: fates.update([row.fate]))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100 * 1024, "the file is streamed, not kept"

    assert (report.rows, report.new, report.venues) == (10_204, 5_137, 420)
    assert sum(fates.values()) == 10_204
    assert fates[Fate.REFUSED] == sum(report.refusals.values()) == 5_067
    counted = report.reasons
    assert counted[Refusal.ADULTS_ONLY] == 812
    assert counted[Refusal.END_NOT_AFTER_START] == 763
    assert counted[Refusal.NO_CAPACITY] == 1_133 + 1_014
    assert counted[Refusal.NO_START_TIME] == 856
    assert counted[Refusal.ONLINE] == 3_022
    assert report.adjustments[Adjustment.WEEKDAY_FROM_START_DATE] == report.schedules == 4_347
    assert one(begin, "SELECT count(*), count(DISTINCT venue_id) FROM activities") == (5_137, 420)
    assert one(begin, "SELECT max(min_age), max(max_age) FROM activities") == (17, 18)
    assert one(begin, "SELECT count(*) FROM activities WHERE full_description ~ '</(p|strong|li)>'") == (0,)

    again = run(begin, path, "chicago", shift_dates=True)
    assert (again.unchanged, again.new, again.updated) == (5_137, 0, 0)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_another_season_with_other_columns_and_notations(begin, tmp_path, encoding):
    """What a publisher changes from year to year must not change what becomes of a row."""
    with real(SEASON).open(encoding="utf-8", newline="") as file:
        rows = [{k.replace("_", " ").title(): v for k, v in row.items()} for row in csv.DictReader(file)][
            :4000
        ]
    for row in rows:
        row["Start Date"] = date.fromisoformat(row["Start Date"]).strftime("%m/%d/%Y 12:00:00 AM")
        row["End Date"] = date.fromisoformat(row["End Date"]).strftime("%m/%d/%Y")
        row["Start Time"] = row["Start Time"] and time.fromisoformat(row["Start Time"]).strftime("%I:%M %p")
        row["End Time"] = row["End Time"] and row["End Time"] + ":00"
        for name in ("Min Age", "Max Age", "Capacity"):
            row[name] = row[name] and row[name] + ".0"
        row["Meeting Type"] = row["Meeting Type"].upper()
        row["Session Code"] = "new"
        del row["Community Area"], row["Has Scholarships"]
    names = list(rows[0])
    random.Random(7).shuffle(names)
    path = tmp_path / "season.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        lines = csv.DictWriter(file, names, delimiter=";", quoting=csv.QUOTE_ALL)
        lines.writeheader()
        for row in rows:
            lines.writerow(row)
            file.write("\r\n")
        file.write('1;"torn\r\n')
    original = tmp_path / "original.csv"
    with real(SEASON).open(encoding="utf-8", newline="") as file, original.open("w", newline="") as first:
        reader = csv.reader(file)
        csv.writer(first).writerows(row for row, _ in zip(reader, range(4001), strict=False))

    before = run(begin, original, "chicago")
    after = run(begin, path, "chicago")
    assert after.rows == before.rows + 1
    assert after.reasons - before.reasons == {Refusal.BROKEN_ROW: 1}
    assert before.new > 500
    assert after.unchanged == before.new


@pytest.mark.slow
def test_a_file_without_dates_gives_every_one_of_67007_rows_its_reason(begin):
    report = run(begin, real("chicago_scale_no_text.csv.gz"), "chicago_scale")
    assert (report.rows, report.refused) == (67_007, 67_007)
    assert report.reasons[Refusal.NO_DATES] == 67_007


def test_nothing_for_adults_reaches_parents(begin):
    told = []
    report = run(begin, real("philadelphia_recurring_fixture.json"), "philadelphia", on_row=told.append)
    assert report.rows == len(told) == 47
    taken = [row.name for row in told if row.fate is not Fate.REFUSED]
    assert taken == ["Simons Special Event"]
    assert one(begin, "SELECT cardinality(days_of_week) FROM activity_recurring_schedules") == (7,)
