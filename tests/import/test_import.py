"""An import as a whole: once, again, changed, interrupted, tried out."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from attrs import field, frozen

from nexus.adapters.catalogue_files.profiles import load_profile
from nexus.adapters.catalogue_files.report_file import report_file
from nexus.application.catalogue.import_catalogue import ImportCatalogue, weeks_until_next_monday
from nexus.application.catalogue.import_ports import Columns, SourceRow
from nexus.domain.catalogue.imports import Refusal
from nexus.entrypoints.commands.catalogue import show

RULES = load_profile("chicago").rules
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
ROW = {
    "id": "1",
    "name": "Soccer",
    "organisation": "Parks",
    "categories": "Nature",
    "min_age": "6",
    "max_age": "10",
    "capacity": "12",
    "address": "1 Elm St.",
    "postal_code": "60601",
    "latitude": "41.9",
    "longitude": "-87.6",
    "start_date": "2026-03-10",
    "end_date": "2026-06-10",
    "start_time": "09:00",
    "end_time": "10:30",
    "price": "Free",
}
WEEKLY = ROW
SINGLE = {**ROW, "id": "2", "end_date": "2026-03-10"}
ELSEWHERE = {**ROW, "id": "3", "address": "2 Oak St."}


@frozen
class Rows:
    """A source of given rows; fails where it is told to."""

    cells: tuple[dict[str, str], ...]
    fails_at: int | None = None
    reads: list[int] = field(factory=list)

    def columns(self):
        return Columns({"price": ("fee", "cost")}, ("Colour",))

    def rows(self):
        self.reads.append(1)
        for number, cells in enumerate(self.cells, start=2):
            if number == self.fails_at and len(self.reads) > 1:
                raise OSError("the disk is gone")
            yield SourceRow(number, cells) if cells else SourceRow(number, fault="torn")


@pytest.fixture
def import_rows(any_begin):
    def run(*cells, fails_at=None, now=NOW, **options):
        return ImportCatalogue(any_begin, lambda: now, uuid4)(Rows(cells, fails_at), RULES, **options)

    return run


@pytest.fixture
def known(any_begin):
    def look(*ids):
        with any_begin() as work:
            return {k.external_ref: k for k in work.imports.programmes([f"chicago:{i}" for i in ids])}

    return look


def test_rows_become_activities_at_venues_and_the_second_time_nothing_changes(import_rows, known):
    first = import_rows(WEEKLY, SINGLE, ELSEWHERE, {}, {**ROW, "id": "4", "min_age": "18"}, WEEKLY)
    assert (first.rows, first.new, first.refused) == (6, 3, 3)
    assert first.refusals == {Refusal.BROKEN_ROW: 1, Refusal.ADULTS_ONLY: 1, Refusal.DUPLICATE_ID: 1}
    assert (first.venues, first.new_venues, first.schedules, first.sessions) == (2, 2, 2, 1)
    before = known(1, 2, 3, 4)
    assert before.keys() == {"chicago:1", "chicago:2", "chicago:3"}

    again = import_rows(ELSEWHERE, SINGLE, WEEKLY)
    assert (again.unchanged, again.new, again.updated, again.new_venues) == (3, 0, 0, 0)
    assert known(1, 2, 3, 4) == before


def test_a_changed_row_updates_its_activity_alone(import_rows, known):
    import_rows(WEEKLY, SINGLE)
    before = known(1, 2)
    report = import_rows({**WEEKLY, "capacity": "13"}, SINGLE)
    assert (report.updated, report.unchanged, report.new) == (1, 1, 0)
    after = known(1, 2)
    assert after["chicago:1"].id == before["chicago:1"].id
    assert after["chicago:1"].fingerprint != before["chicago:1"].fingerprint
    assert after["chicago:2"] == before["chicago:2"]


def test_a_programme_that_moves_is_offered_anew_at_the_other_venue(import_rows, known):
    import_rows(SINGLE)
    before = known(2)["chicago:2"]
    report = import_rows({**SINGLE, "address": "2 Oak St."})
    assert (report.updated, report.sessions, report.new_venues) == (1, 1, 1)
    after = known(2)["chicago:2"]
    assert (after.id != before.id, after.venue != before.venue) == (True, True)
    assert import_rows({**SINGLE, "address": "2 Oak St."}).unchanged == 1


def test_a_dry_run_says_the_same_and_changes_nothing(import_rows, known):
    tried = import_rows(WEEKLY, SINGLE, {}, dry_run=True)
    assert known(1, 2) == {}
    done = import_rows(WEEKLY, SINGLE, {})
    assert tried.as_dict() | {"dry_run": False} == done.as_dict()


def test_an_interrupted_import_is_repeated(import_rows, known):
    rows = tuple({**ROW, "id": str(n)} for n in range(1100))
    with pytest.raises(OSError, match="disk"):
        import_rows(*rows, fails_at=700)
    assert len(known(*range(1100))) == 500
    report = import_rows(*rows)
    assert (report.unchanged, report.new) == (500, 600)


def test_every_row_is_told_and_progress_reaches_its_end(import_rows, tmp_path):
    steps = []
    for name in ("fates.csv", "fates.jsonl"):
        with report_file(tmp_path / name) as tell:
            import_rows(
                {**WEEKLY, "name": "=cmd()"},
                {},
                on_row=tell,
                progress=lambda done, all_: steps.append((done, all_)),
            )
    assert steps[-1] == (2, 2)
    header, fine, torn = (tmp_path / "fates.csv").read_text().splitlines()
    assert header == '"row","ref","name","fate","change","notes","detail"'
    assert fine.startswith('2,"chicago:1","\'=cmd()","adjusted","new",')
    assert torn == '3,"","","refused","","broken-row","torn"'
    assert len((tmp_path / "fates.jsonl").read_text().splitlines()) == 2


def test_shifted_dates_start_next_monday_and_the_second_time_stay(import_rows):
    past = {**SINGLE, "start_date": "2021-06-30", "end_date": "2021-06-30"}
    assert import_rows(past, dry_run=True).over == 1
    report = import_rows(past, shift_dates=True)
    assert (report.over, report.sessions) == (0, 1)
    later = import_rows(past, shift_dates=True, now=datetime(2026, 3, 20, tzinfo=UTC))
    assert (later.unchanged, later.sessions) == (1, 0)


@pytest.mark.parametrize("today", [date(2026, 3, 2), date(2026, 3, 4), date(2026, 3, 8)])
@pytest.mark.parametrize("season", [date(2021, 6, 28), date(2021, 7, 4), date(2027, 1, 1)])
def test_the_week_of_the_season_becomes_next_week(season, today):
    weeks = weeks_until_next_monday(season, today)
    moved = season.toordinal() + 7 * weeks
    assert date(2026, 3, 9).toordinal() <= moved < date(2026, 3, 16).toordinal()


@pytest.fixture
def column(begin):
    def read(sql):
        with begin() as work:
            return [row[0] for row in work.connection.execute(sql).fetchall()]

    return read


def test_what_is_stored_can_be_booked(begin, column):
    ImportCatalogue(begin, lambda: NOW, uuid4)(Rows((WEEKLY, SINGLE)), RULES)
    assert column("SELECT status FROM venues WHERE insurance_expiry_date = '2027-03-04'") == ["active"]
    assert column("SELECT count(*) FROM activities WHERE is_active AND is_published") == [2]
    assert column("SELECT starts_at FROM activity_sessions") == [datetime(2026, 3, 10, 14, tzinfo=UTC)]
    assert column("SELECT days_of_week FROM activity_recurring_schedules") == [[2]]


def test_a_change_replaces_what_nobody_booked_and_leaves_what_somebody_did(begin, column):
    run = ImportCatalogue(begin, lambda: NOW, uuid4)
    booked = {**SINGLE, "id": "5"}
    run(Rows((SINGLE, booked)), RULES)
    with begin() as work:
        work.connection.execute(
            "UPDATE activity_sessions SET booked_count = 1 WHERE external_ref = 'chicago:5'"
        )
    later = {"start_time": "13:00", "end_time": "14:00"}
    run(Rows(({**SINGLE, **later}, {**booked, **later})), RULES)
    starts = column("SELECT start_time::text FROM activity_sessions ORDER BY external_ref")
    assert starts == ["13:00:00", "09:00:00"]


def test_a_programme_that_becomes_a_single_session_has_no_schedule_any_more(begin, column):
    run = ImportCatalogue(begin, lambda: NOW, uuid4)
    run(Rows((WEEKLY,)), RULES)
    run(Rows(({**WEEKLY, "end_date": WEEKLY["start_date"]},)), RULES)
    assert column("SELECT is_active FROM activity_recurring_schedules") == [False]
    assert column("SELECT count(*) FROM activity_sessions") == [1]
    run(Rows((WEEKLY,)), RULES)
    assert column("SELECT is_active FROM activity_recurring_schedules") == [True]
    assert column("SELECT count(*) FROM activity_sessions") == [0]


def test_a_venues_own_edits_survive_an_unchanged_row(begin, column):
    run = ImportCatalogue(begin, lambda: NOW, uuid4)
    run(Rows((WEEKLY,)), RULES)
    with begin() as work:
        work.connection.execute("UPDATE activities SET name = 'Ours'")
        work.connection.execute("UPDATE venues SET name = 'Ours too'")
    run(Rows((WEEKLY, SINGLE)), RULES)
    assert column("SELECT name FROM venues") == ["Ours too"]
    assert column("SELECT name FROM activities ORDER BY name") == ["Ours", "Soccer"]


def test_the_report_tells_the_columns_that_did_not_match(import_rows, capsys):
    report = import_rows(WEEKLY, dry_run=True)
    figures = report.as_dict()
    assert figures["missing_columns"] == {"price": ["fee", "cost"]}
    assert figures["unused_columns"] == ["Colour"]
    show(report)
    told = capsys.readouterr().out
    assert "price (fee, cost)" in told
    assert "Colour" in told
