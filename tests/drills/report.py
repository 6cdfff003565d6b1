"""The outcomes as one table, and as JSON."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import asdict, frozen

from tests.drills.judging import Outcome


@frozen
class Result:
    """One drill, with the guards on or with one of them off."""

    name: str
    without: str
    """The guard that was off; empty: none."""
    outcome: Outcome
    seconds: float

    @property
    def verdict(self) -> str:
        if self.outcome.skipped:
            return f"SKIPPED: {self.outcome.skipped}"
        if self.without:
            return "NOT NOTICED" if self.outcome.holds else "fails, as it must"
        return "held" if self.outcome.holds else "FAILED"

    @property
    def is_as_wanted(self) -> bool:
        """A drill that holds, a control that fails; what was skipped is neither, but no fault of the product."""
        return bool(self.outcome.skipped) or self.outcome.holds is not bool(self.without)


def machine() -> str:
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, load {load}"


def table(results: Sequence[Result]) -> str:
    """Markdown, one run a line."""
    lines = [
        "| drill | kills | drops | acknowledged | lost | doubled | recovery median s | max s | took s | verdict |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for each in results:
        out = each.outcome
        cells = [
            f"- without {each.without}" if each.without else each.name,
            *(
                f"{n:,}" if n else "0"
                for n in (out.kills, out.drops, out.acknowledged, out.lost, out.doubled)
            ),
            *("" if n is None else f"{n:.2f}" for n in (out.median, out.maximum)),
            f"{each.seconds:.0f}",
            each.verdict,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def details(results: Sequence[Result]) -> str:
    """What was noted, and which promises were not kept."""
    lines = []
    for each in results:
        said = [f"  {note}" for note in each.outcome.notes]
        said += [f"  not kept: {one}" for one in each.outcome.broken]
        if said:
            lines += [each.name + (f" without {each.without}" if each.without else ""), *said]
    return "\n".join(lines)


def as_json(results: Sequence[Result]) -> str:
    stated = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "drills": [
            {
                "name": each.name,
                "without": each.without or None,
                "seconds": round(each.seconds, 1),
                "verdict": each.verdict,
                "is_as_wanted": each.is_as_wanted,
                "recovery_median": each.outcome.median,
                "recovery_maximum": each.outcome.maximum,
                **asdict(each.outcome),
            }
            for each in results
        ],
    }
    return json.dumps(stated, indent=1)
