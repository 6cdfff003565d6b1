"""What an import did, in figures and row by row."""

from collections import Counter
from enum import StrEnum
from typing import Any

from attrs import define, field, frozen

from nexus.application.catalogue.import_ports import Columns
from nexus.domain.catalogue.imports import ALWAYS, Adjustment, Refusal


class Fate(StrEnum):
    """What became of a row."""

    IMPORTED = "imported"
    ADJUSTED = "adjusted"
    REFUSED = "refused"


class Change(StrEnum):
    """What a row changed here."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@frozen
class RowReport:
    """The fate of one row; ``notes`` are its adjustments, or every reason against it."""

    row: int
    ref: str
    name: str
    fate: Fate
    change: Change | None = None
    notes: tuple[str, ...] = ()
    detail: str | None = None

    def as_line(self) -> dict[str, Any]:
        """Its columns, for a CSV or JSON lines file."""
        return {
            "row": self.row,
            "ref": self.ref,
            "name": self.name,
            "fate": str(self.fate),
            "change": str(self.change) if self.change else "",
            "notes": " ".join(self.notes),
            "detail": self.detail or "",
        }


@define
class ImportReport:
    """
    The figures of an import.

    ``rows`` = ``imported`` + ``adjusted`` + ``refused``; ``imported`` and ``adjusted``
    together are ``new`` + ``updated`` + ``unchanged``. A row counts as imported when no
    fact about the programme had to be changed or supposed. ``refusals`` counts each
    row once, by the first reason against it; ``reasons`` counts every reason.
    ``columns`` are those that the file lacks, and those that nothing is taken from.
    ``over`` are programmes whose dates have passed: nobody can book them.
    """

    profile: str
    dry_run: bool
    shifted_weeks: int = 0
    columns: Columns = field(factory=Columns)
    rows: int = 0
    imported: int = 0
    adjusted: int = 0
    refused: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    over: int = 0
    venues: int = 0
    new_venues: int = 0
    schedules: int = 0
    sessions: int = 0
    refusals: Counter[Refusal] = field(factory=Counter)
    reasons: Counter[Refusal] = field(factory=Counter)
    adjustments: Counter[Adjustment] = field(factory=Counter)

    def count_refused(self, refusals: tuple[Refusal, ...]) -> None:
        self.rows += 1
        self.refused += 1
        self.refusals[refusals[0]] += 1
        self.reasons.update(set(refusals))

    def count_taken(self, adjustments: tuple[Adjustment, ...], change: Change) -> Fate:
        self.rows += 1
        self.adjustments.update(adjustments)
        setattr(self, change, getattr(self, change) + 1)
        fate = Fate.ADJUSTED if set(adjustments) - ALWAYS else Fate.IMPORTED
        setattr(self, fate, getattr(self, fate) + 1)
        return fate

    def as_dict(self) -> dict[str, Any]:
        """All figures, counts by reason in descending order; ready for JSON."""
        return {
            "profile": self.profile,
            "dry_run": self.dry_run,
            "shifted_weeks": self.shifted_weeks,
            **{
                name: getattr(self, name)
                for name in (
                    "rows", "imported", "adjusted", "refused", "new", "updated", "unchanged", "over",
                    "venues", "new_venues", "schedules", "sessions",
                )
            },
            **{
                name: {str(slug): count for slug, count in getattr(self, name).most_common()}
                for name in ("refusals", "reasons", "adjustments")
            },
            "missing_columns": {ours: list(theirs) for ours, theirs in self.columns.missing.items()},
            "unused_columns": list(self.columns.unused),
        }  # fmt: skip
