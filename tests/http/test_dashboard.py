"""What the dashboard shows and the alert rules watch for is what the product exposes, by the labels that it has."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import promql_parser as promql
import psycopg
import pytest
import yaml
from attrs import define, field
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families as families

from nexus.adapters.embedded.valkey import EmbeddedValkey
from nexus.domain.kernel.ids import EventId
from nexus.entrypoints.http.api import build
from nexus.entrypoints.settings import Settings
from nexus.entrypoints.wiring import open_nexus
from tests.conftest import empty

HOWTO = Path(__file__).parents[2] / "docs/howto"
OF_TARGETS = {"job", "instance"}
"""Labels that Prometheus gives to everything it scrapes; a metric's own of that name it calls otherwise."""
COUNTING = {"rate", "increase"}


@define
class Exposed:
    """Every sample by its name: its family, whether it only grows, and the values of each label."""

    family: dict[str, str] = field(factory=dict)
    grows: dict[str, bool] = field(factory=dict)
    labels: dict[str, dict[str, set[str]]] = field(factory=dict)

    @classmethod
    def of(cls, text: str) -> "Exposed":
        found = cls({"up": "up"}, {"up": False}, {"up": {}})
        for family in families(text):
            for name in {sample.name for sample in family.samples} or {family.name}:
                found.family[name], found.grows[name] = family.name, family.type in {"counter", "histogram"}
                found.labels[name] = defaultdict(set)
            for sample in family.samples:
                for label, value in sample.labels.items():
                    found.labels[sample.name][label].add(value)
        return found


@pytest.fixture(scope="module")
def exposed(
    pool: Any, owner_of_module: psycopg.Connection, database_url: str, valkey_server: EmbeddedValkey
) -> Exposed:
    """What a process says that has done one of everything."""
    stated = Settings(
        database_url=database_url,
        redis_url=valkey_server.redis_url,
        secret_key=bytes(32),
        pool_size=2,
        metrics=True,
    )
    with open_nexus(stated) as nexus, TestClient(build(nexus, stated)) as client:
        nexus.call_due_jobs()
        for (event,) in owner_of_module.execute("SELECT id FROM outbox WHERE handled_at IS NULL").fetchall():
            nexus.handle_event(EventId(event))
        client.get("/healthz")
        client.get("/metrics")
        nexus.backlog._seen_at = float("-inf")
        return Exposed.of(client.get("/metrics").text)


@pytest.fixture(scope="module")
def owner_of_module(postgres_server: Any, pool: Any) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_server.database_url, autocommit=True) as connection:
        empty(connection)  # what others left to be told wants a mail server
        yield connection


def rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((HOWTO / "alerts.yml").read_text(encoding="utf-8"))[
        "groups"
    ][0]["rules"]
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((HOWTO / "grafana-dashboard.json").read_text(encoding="utf-8"))[
        "panels"
    ]
    return found


def queries() -> list[str]:
    return [
        *(rule["expr"] for rule in rules()),
        *(target["expr"] for panel in panels() for target in panel["targets"]),
    ]


def selected(node: Any, within: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Every selector of a query, with what it stands in."""
    match node:
        case promql.VectorSelector():
            yield node, within
        case promql.MatrixSelector():
            yield node.vector_selector, within
        case promql.Call():
            for argument in node.args:
                yield from selected(argument, (*within, node))
        case promql.AggregateExpr() | promql.ParenExpr() | promql.UnaryExpr():
            yield from selected(node.expr, (*within, node))
        case promql.BinaryExpr():
            yield from selected(node.lhs, (*within, node))
            yield from selected(node.rhs, (*within, node))


def faults(query: str, exposed: Exposed) -> list[str]:
    """Why a query would show nothing, or something else than it says."""
    try:
        parsed = promql.parse(query)
    except ValueError as error:
        return [str(error)]
    found = []
    for selector, within in selected(parsed):
        name = selector.name
        if name not in exposed.family:
            found.append(f"there is no {name}")
            continue
        found += [
            fault for matcher in selector.matchers.matchers if (fault := unmatched(name, matcher, exposed))
        ]
        for node in within:
            grouping = getattr(getattr(node, "modifier", None), "labels", None) or []
            found += [
                f"{name} has no {one}" for one in grouping if one not in {*exposed.labels[name], "instance"}
            ]
        counting = COUNTING & {node.func.name for node in within if isinstance(node, promql.Call)}
        if exposed.grows[name] != bool(counting):
            found.append(f"{name} is {'only ever more' if not counting else 'no counter'}")
    return found


def unmatched(name: str, matcher: Any, exposed: Exposed) -> str | None:
    """Why nothing of that name is found by that label."""
    labels = exposed.labels[name]
    if matcher.name in OF_TARGETS:
        return None if name == "up" else f"{matcher.name} is not what {name} says"
    if matcher.name not in labels:
        return f"{name} has no {matcher.name}"
    if matcher.op == promql.MatchOp.Equal and matcher.value not in labels[matcher.name]:
        return f"{matcher.name} of {name} is never {matcher.value}"
    return None


def test_every_query_says_what_it_means(exposed: Exposed):
    assert len(queries()) > 40
    assert {query: found for query in queries() if (found := faults(query, exposed))} == {}


@pytest.mark.parametrize(
    "query",
    [
        "sum(rate(nexus_http_requests_total[5m])",
        "nexus_http_request_total",
        "sum by (path) (rate(nexus_http_requests_total[5m]))",
        'nexus_job_age_seconds{name="sweep_session"} > 120',
        'nexus_job_age_seconds{job="sweep_sessions"} > 120',
        "max by (job) (nexus_job_age_seconds)",
        "rate(nexus_offers_open[5m])",
        "sum(nexus_refunds_total)",
        "histogram_quantile(0.99, sum by (le, route) (rate(nexus_http_requests_total[5m])))",
    ],
)
def test_a_wrong_query_would_be_found(exposed: Exposed, query: str):
    assert faults(query, exposed)


def test_labels_do_not_take_the_names_that_prometheus_gives(exposed: Exposed):
    taken = {name: OF_TARGETS & labels.keys() for name, labels in exposed.labels.items()}
    assert {name: labels for name, labels in taken.items() if labels} == {}


def test_everything_exposed_is_shown_or_watched(exposed: Exposed):
    asked = {
        exposed.family[selector.name] for query in queries() for selector, _ in selected(promql.parse(query))
    }
    assert {name for name in exposed.family.values() if not name.endswith("_created")} == asked


def test_the_howto_names_every_metric_with_its_labels(exposed: Exposed):
    page = (HOWTO / "monitor.md").read_text(encoding="utf-8")
    told: dict[str, set[str]] = {}
    for row in re.findall(
        r"^\| (`nexus_.*)", page.partition("## All metrics")[2].partition("\n## ")[0], re.MULTILINE
    ):
        names, labels, *_ = row.split("|")
        # Of several with labels of their own, the labels are told in turn.
        stated = [set(re.findall(r"`(\w+)`", part.partition(":")[0])) for part in labels.split(";")]
        for number, name in enumerate(re.findall(r"`(nexus_\w+)`", names)):
            told[name] = stated[min(number, len(stated) - 1)]
    real = {
        name if name.endswith("_total") else exposed.family[name]: set(labels) - {"le"}
        for name, labels in exposed.labels.items()
        if name != "up" and not name.endswith("_created")
    }
    assert told == real
    mentioned = set(re.findall(r"\bnexus_[a-z_]+[a-z]", page.replace("nexus_offers_*_total", "")))
    assert mentioned == told.keys()


def test_each_alert_says_what_it_means_and_what_to_do():
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        assert {"summary", "action"} == {name for name, text in rule["annotations"].items() if text}, rule[
            "alert"
        ]
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}


def test_panels_stand_beside_each_other_and_name_their_lines(exposed: Exposed):
    def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
        return all(
            one[at] < other[at] + other[size] and other[at] < one[at] + one[size] for at, size in ("xw", "yh")
        )

    assert len({panel["id"] for panel in panels()}) == len(panels())
    for one, other in combinations(panels(), 2):
        assert not overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])
    for panel in panels():
        legends = [target["legendFormat"] for target in panel["targets"]]
        assert all(legends), panel["title"]
        assert len(set(legends)) == len(legends), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        for target in panel["targets"]:
            labels = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            [(selector, within), *_] = selected(promql.parse(target["expr"]))
            known = {*exposed.labels[selector.name], "instance"}
            for node in within:
                if isinstance(node, promql.AggregateExpr) and str(node.op) != "topk":
                    known &= set(getattr(node.modifier, "labels", None) or [])
            assert labels <= known, (target["expr"], target["legendFormat"])
