"""Import another publisher's catalogue, row by row, as often as one likes."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import islice

from attrs import evolve, field, frozen

from nexus.application.catalogue.import_ports import (
    Entry,
    ImportWork,
    KnownProgramme,
    KnownVenue,
    Source,
    SourceRow,
)
from nexus.application.catalogue.import_report import Change, Fate, ImportReport, RowReport
from nexus.application.kernel.ports import Begin, Clock, NewId
from nexus.domain.catalogue.activities import Activity
from nexus.domain.catalogue.import_rules import Rules
from nexus.domain.catalogue.imports import Programme, Refusal, Verdict, judge
from nexus.domain.catalogue.schedules import Schedule
from nexus.domain.catalogue.sessions import (
    PlannedSession,
    SessionInThePast,
    SessionTooFarAhead,
    plan_session,
)
from nexus.domain.catalogue.values import slug
from nexus.domain.catalogue.venues import LEAST_COVERAGE_MINOR, Insurance, Venue, VenueStatus
from nexus.domain.compliance.audit import Action, Deed
from nexus.domain.kernel.ids import ActivityId, ScheduleId, SessionId, VenueId
from nexus.domain.kernel.time import NonexistentLocalTime, local_date

BATCH = 500
INSURED_FOR = timedelta(days=365)
STRAGGLERS = 0.005
"""The share of rows that may start before the season does."""

Progress = Callable[[int, int], None]
"""Told how many rows are done, of how many."""
RowSeen = Callable[[RowReport], None]


@frozen
class _Judged:
    row: SourceRow
    verdict: Verdict


@frozen
class ImportCatalogue:
    """
    Make venues, activities, schedules and sessions of a catalogue's rows.

    A bad row never stops the rest; each row's fate is told to *on_row*. A row that
    came before and says the same changes nothing, whatever its venue has edited
    since; one that says something else brings its activity up to date. Rows are
    taken in batches, each a transaction: an interrupted import is simply repeated.
    Venues are never overwritten. Sessions of weekly schedules come with the next
    ``GenerateSessions``.

    With *shift_dates* all dates move by the same number of whole weeks, so that the
    season starts next Monday; the season starts in the first week before which only
    stragglers (one row in two hundred) do. With *dry_run* nothing is stored, and the
    report says what would be.
    """

    begin: Begin[ImportWork]
    now: Clock
    new_id: NewId

    def __call__(
        self,
        source: Source,
        rules: Rules,
        *,
        shift_dates: bool = False,
        dry_run: bool = False,
        on_row: RowSeen = lambda _row: None,
        progress: Progress = lambda _done, _all: None,
    ) -> ImportReport:
        at = self.now()
        total, weeks = _survey(source, rules, at=at, shift_dates=shift_dates)
        report = ImportReport(rules.source, dry_run, weeks, source.columns())
        seen: set[str] = set()
        venues: set[str] = set()
        rows = (_judged(row, rules, seen) for row in source.rows())
        while batch := list(islice(rows, BATCH)):
            for told in self._take(batch, rules, report, venues, at=at, dry_run=dry_run):
                on_row(told)
            progress(report.rows, total)
        if not dry_run:
            with self.begin() as work:
                work.audit.add(Deed(Action.CATALOGUE_IMPORTED, new=_counts(report)))
        return report

    def _take(
        self,
        batch: list[_Judged],
        rules: Rules,
        report: ImportReport,
        venues: set[str],
        *,
        at: datetime,
        dry_run: bool,
    ) -> list[RowReport]:
        """Store a batch in one transaction; its rows are counted once that is done."""
        programmes = [one.verdict.programme for one in batch if one.verdict.programme]
        making = _Making(rules, at, self.new_id, report.shifted_weeks)
        changes: dict[str, Change] = {}
        if programmes:
            with self.begin() as work:
                if not dry_run:
                    work.imports.lock(rules.source)
                places = {v.external_ref: v for v in work.imports.venues([p.venue_ref for p in programmes])}
                known = {k.external_ref: k for k in work.imports.programmes([p.ref for p in programmes])}
                changes = {p.ref: _change(p, known.get(p.ref)) for p in programmes}
                fresh = [p for p in programmes if changes[p.ref] is not Change.UNCHANGED]
                new_venues, entries = making.all(fresh, places, known)
                if not dry_run and entries:
                    work.imports.clear([known[p.ref].id for p in fresh if p.ref in known], at=at)
                    work.imports.retire(making.moved)
                    work.imports.put(new_venues, entries, at=at)
            new_here = {v.external_ref for v in new_venues} - venues
            report.new_venues += len(new_here)
            report.schedules += sum(e.schedule is not None for e in entries)
            report.sessions += sum(e.session is not None for e in entries)
            venues.update(p.venue_ref for p in programmes)
            report.venues = len(venues)
            report.over += sum(making.is_over(p) for p in programmes)
        return [_told(one, changes, report) for one in batch]


def _counts(report: ImportReport) -> dict[str, object]:
    return {
        "profile": report.profile,
        "rows": report.rows,
        "new_venues": report.new_venues,
        "schedules": report.schedules,
        "sessions": report.sessions,
    }


def _judged(row: SourceRow, rules: Rules, seen: set[str]) -> _Judged:
    if row.fault is not None:
        return _Judged(row, Verdict("", "", refusals=(Refusal.BROKEN_ROW,)))
    verdict = judge(row.cells, rules)
    if verdict.programme is not None:
        if verdict.ref in seen:
            return _Judged(row, evolve(verdict, programme=None, refusals=(Refusal.DUPLICATE_ID,)))
        seen.add(verdict.ref)
    return _Judged(row, verdict)


def _change(programme: Programme, known: KnownProgramme | None) -> Change:
    if known is None:
        return Change.NEW
    return Change.UNCHANGED if known.fingerprint == programme.fingerprint else Change.UPDATED


def _told(one: _Judged, changes: dict[str, Change], report: ImportReport) -> RowReport:
    verdict, row = one.verdict, one.row
    if verdict.programme is None:
        report.count_refused(verdict.refusals)
        return RowReport(
            row.number, verdict.ref, verdict.name, Fate.REFUSED, None, verdict.refusals, row.fault
        )
    change = changes[verdict.ref]
    fate = report.count_taken(verdict.adjustments, change)
    return RowReport(row.number, verdict.ref, verdict.name, fate, change, verdict.adjustments)


def _survey(source: Source, rules: Rules, *, at: datetime, shift_dates: bool) -> tuple[int, int]:
    """How many rows there are, and by how many weeks their dates move."""
    total = 0
    starts: list[date] = []
    for row in source.rows():
        total += 1
        if shift_dates and row.fault is None:
            programme = judge({**row.cells, "description": ""}, rules).programme
            if programme is not None:
                starts.append(programme.meetings.first)
    if not starts:
        return total, 0
    season = sorted(starts)[int(len(starts) * STRAGGLERS)]
    return total, weeks_until_next_monday(season, local_date(at, rules.time_zone))


def weeks_until_next_monday(season: date, today: date) -> int:
    """By how many weeks the week of *season* has to move to be the one after that of *today*."""
    monday = season - timedelta(days=season.weekday())
    next_monday = today + timedelta(days=7 - today.weekday())
    return (next_monday - monday).days // 7


@frozen
class _Making:
    """Programmes on their way to be entities."""

    rules: Rules
    at: datetime
    new_id: NewId
    weeks: int
    moved: list[ActivityId] = field(factory=list)

    def _shifted(self, programme: Programme) -> Programme:
        return evolve(programme, meetings=programme.meetings.shifted(self.weeks))

    def is_over(self, programme: Programme) -> bool:
        return self._shifted(programme).meetings.last < local_date(self.at, self.rules.time_zone)

    def all(
        self, programmes: list[Programme], places: dict[str, KnownVenue], known: dict[str, KnownProgramme]
    ) -> tuple[list[Venue], list[Entry]]:
        venues: dict[str, Venue] = {}
        entries: list[Entry] = []
        for programme in programmes:
            ref = programme.venue_ref
            if ref not in venues:
                venues[ref] = self._venue(programme, places.get(ref))
            before = known.get(programme.ref)
            if before is not None and before.venue != venues[ref].id:
                self.moved.append(before.id)
                before = None
            entries.append(self._entry(self._shifted(programme), programme.fingerprint, venues[ref], before))
        return [venue for ref, venue in venues.items() if ref not in places], entries

    def _venue(self, programme: Programme, known: KnownVenue | None) -> Venue:
        id_ = known.id if known else VenueId(self.new_id())
        venue = Venue(
            id=id_,
            name=programme.venue_name,
            slug=slug(programme.venue_name, id_),
            place=programme.place,
            time_zone=self.rules.time_zone,
            status=VenueStatus.ACTIVE,
            insurance=Insurance(
                LEAST_COVERAGE_MINOR, local_date(self.at, self.rules.time_zone) + INSURED_FOR
            ),
            background_check_completed=True,
            safety_audit_completed=True,
            external_ref=programme.venue_ref,
            approved_at=self.at,
            created_at=self.at,
        )
        if known is None:
            return venue
        return evolve(
            venue,
            block_booking_advance_days=known.block_booking_advance_days,
            inventory_release_hours=known.inventory_release_hours,
        )

    def _entry(
        self, programme: Programme, fingerprint: bytes, venue: Venue, known: KnownProgramme | None
    ) -> Entry:
        id_ = known.id if known else ActivityId(self.new_id())
        meetings = programme.meetings
        activity = Activity(
            id=id_,
            venue=venue.id,
            name=programme.name,
            slug=slug(programme.name, id_),
            category=programme.category,
            short_description=programme.teaser or None,
            full_description=programme.description or None,
            min_age=programme.min_age,
            max_age=programme.max_age,
            duration_minutes=meetings.duration_minutes,
            credits_required=programme.credits,
            capacity_per_session=programme.capacity,
            is_published=True,
            external_ref=programme.ref,
            created_at=self.at,
        )
        if meetings.is_single:
            session = self._session(programme, activity, venue)
            return Entry(activity=activity, fingerprint=fingerprint, session=session)
        schedule = Schedule(
            id=ScheduleId(self.new_id()),
            activity=id_,
            venue=venue.id,
            days_of_week=meetings.days,
            start_time=meetings.start,
            duration_minutes=meetings.duration_minutes,
            capacity=programme.capacity,
            effective_from=meetings.first,
            effective_until=meetings.last,
            external_ref=programme.ref,
            created_at=self.at,
        )
        return Entry(activity=activity, fingerprint=fingerprint, schedule=schedule)

    def _session(self, programme: Programme, activity: Activity, venue: Venue) -> PlannedSession | None:
        """The one session, unless it is over, the clocks skip it, or it is years away."""
        try:
            return plan_session(
                activity,
                venue,
                id=SessionId(self.new_id()),
                day=programme.meetings.first,
                start=programme.meetings.start,
                end=programme.meetings.end,
                at=self.at,
                external_ref=programme.ref,
            )
        except (SessionInThePast, SessionTooFarAhead, NonexistentLocalTime):
            return None
