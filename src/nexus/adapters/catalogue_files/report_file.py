"""An import's row-by-row report as a file."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import fields

from nexus.application.catalogue.import_report import RowReport
from nexus.application.kernel.csv_lines import csv_lines


@contextmanager
def report_file(path: Path) -> Iterator[Callable[[RowReport], None]]:
    """Write each row's fate as it is told: JSON lines for ``.jsonl`` and ``.json``, else CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix in {".jsonl", ".json", ".ndjson"}:
            yield lambda row: print(json.dumps(row.as_line(), ensure_ascii=False), file=file)
            return
        write = csv_lines(file, [a.name for a in fields(RowReport)])
        yield lambda row: write(row.as_line())
