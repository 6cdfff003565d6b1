"""What was measured, as a table, as JSON and as a picture."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final
from xml.sax.saxutils import escape

from attrs import asdict, field, frozen


@frozen(kw_only=True)
class Round:
    """One measurement of a path beside its ceiling: per second; latencies in milliseconds."""

    ceiling: float | None
    product: float
    p50: float | None = None
    p99: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.product / self.ceiling if self.ceiling else None


@frozen(kw_only=True)
class Path:
    """Something that was measured in several rounds, and what it should reach."""

    name: str
    unit: str
    goal: float
    rounds: Sequence[Round] = field(factory=list)
    smaller_is_better: bool = False
    note: str = ""

    @property
    def ceiling(self) -> float | None:
        known = [each.ceiling for each in self.rounds if each.ceiling is not None]
        return median(known) if known else None

    @property
    def product(self) -> float:
        return median(each.product for each in self.rounds)

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' ratios: what slows a whole round down slows both sides."""
        known = [each.ratio for each in self.rounds if each.ratio is not None]
        return median(known) if known else None

    @property
    def is_met(self) -> bool:
        reached = self.product if self.ratio is None else self.ratio
        return reached <= self.goal if self.smaller_is_better else reached >= self.goal

    def latency(self, name: str) -> float | None:
        known = [value for each in self.rounds if (value := getattr(each, name)) is not None]
        return median(known) if known else None


def machine() -> str:
    """Where it was measured."""
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, load {load}"


def table(paths: Sequence[Path]) -> str:
    """Markdown, one path a line."""
    lines = [
        "| path | unit | ceiling | product | ratio | goal | met | p50 ms | p99 ms |",
        "|---|---|---:|---:|---:|---:|---|---:|---:|",
    ]
    for path in paths:
        sign = "<=" if path.smaller_is_better else ">="
        cells = [
            path.name + (f" ({path.note})" if path.note else ""),
            path.unit,
            _figure(path.ceiling),
            _figure(path.product),
            "" if path.ratio is None else f"{path.ratio:.2f}",
            f"{sign} {path.goal:,.2f}" if path.ratio is not None else f"{sign} {path.goal:,g}",
            "yes" if path.is_met else "no",
            _figure(path.latency("p50")),
            _figure(path.latency("p99")),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def as_json(paths: Sequence[Path], **about: Any) -> str:
    """Every round, and what it was measured on."""
    stated = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        **about,
        "paths": [asdict(path) | {"ratio": path.ratio, "is_met": path.is_met} for path in paths],
    }
    return json.dumps(stated, indent=1)


_ROW: Final = 30
_LEFT: Final = 330
_WIDTH: Final = 360
"""Of a ratio of 1."""


def picture(paths: Sequence[Path]) -> str:
    """The ratios as bars, each with its goal as a stroke and its rounds as dots."""
    rated = [path for path in paths if path.ratio is not None]
    drawn = []
    for number, path in enumerate(rated):
        y = 40 + number * _ROW
        ratio = path.ratio or 0.0
        colour = "#2f6f4f" if path.is_met else "#b5651d"
        drawn += [
            f'<text x="{_LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(path.name)}</text>',
            f'<rect x="{_LEFT}" y="{y}" width="{_across(ratio)}" height="18" fill="{colour}"/>',
            f'<path d="M{_LEFT + _across(path.goal)} {y - 3}v24" stroke="#000" stroke-width="2"/>',
            f'<text x="{_LEFT + _across(1.2) + 12}" y="{y + 14}">{ratio:.2f}</text>',
        ]
        drawn += [
            f'<circle cx="{_LEFT + _across(each.ratio)}" cy="{y + 9}" r="2.5" fill="#fff" stroke="#000"/>'
            for each in path.rounds
            if each.ratio is not None
        ]
    height = 60 + len(rated) * _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="860" height="{height}" viewBox="0 0 860 {height}" '
        'font-family="sans-serif" font-size="13"><rect width="860" height="100%" fill="#fff"/>'
        '<text x="10" y="22">Share of what pgbench reaches in the same round; '
        "stroke: goal, dots: rounds</text>" + "".join(drawn) + "</svg>\n"
    )


def _across(ratio: float) -> float:
    return round(min(ratio, 1.2) * _WIDTH, 1)
