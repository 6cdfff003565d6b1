"""An import's row-by-row report as a file."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import fields

from nexus.application.catalogue.import_report import RowReport

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


@contextmanager
def report_file(path: Path) -> Iterator[Callable[[RowReport], None]]:
    """
    Write each row's fate as it is told: JSON lines for ``.jsonl`` and ``.json``, else CSV.

    In CSV a cell that a spreadsheet would take for a formula gets an apostrophe.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix in {".jsonl", ".json", ".ndjson"}:
            yield lambda row: print(json.dumps(row.as_line(), ensure_ascii=False), file=file)
            return
        lines = csv.DictWriter(file, [a.name for a in fields(RowReport)])
        lines.writeheader()
        yield lambda row: lines.writerow({name: _harmless(value) for name, value in row.as_line().items()})


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_DANGEROUS) else value
