"""What our rules, our dashboard and our autoscaler ask is about metrics that are told, by labels that they have."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import backend.main
from backend.metrics import catalogue
from backend.metrics.kinds import Histogram, Metric
from tests.docs.reference.errors_page import told

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
RUNBOOK = "docs/how-to/respond-to-alerts.md"
METRICS = {metric.name: metric for metric in (*catalogue.API, *catalogue.WORKER)}
OF_PROMETHEUS = {"job", "instance", "pod", "le"}
NAME = re.compile(r"\b(?:agensium|process)_[a-z_]+|\bup\b")
SELECTED = re.compile(r"\b((?:agensium|process)_[a-z_]+|up)\{([^}]*(?:\{[^}]*\}[^}]*)*)\}")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPED = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")


def rules() -> list[dict[str, Any]]:
    found = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in found["groups"] for rule in group["rules"]]


def panels() -> Iterator[tuple[str, str, str]]:
    """Title, question and legend."""
    board = json.loads((DEPLOY / "grafana" / "dashboards" / "agensium.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"], target["legendFormat"]


def scalers() -> Iterator[str]:
    """What KEDA asks, and what the how-to says that it should."""
    for path in (DEPLOY / "kubernetes").rglob("scaledobject*.yaml"):
        for found in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            yield from (trigger["metadata"]["query"] for trigger in found["spec"]["triggers"])
    watch = (ROOT / "docs" / "how-to" / "watch.md").read_text(encoding="utf-8")
    yield from re.findall(r"^max\(agensium_.*$", watch, re.MULTILINE)


def questions() -> list[str]:
    return [*(rule["expr"] for rule in rules()), *(question for _, question, _ in panels()), *scalers()]


def metric_of(name: str) -> Metric | None:
    """None: not one of ours. Raises KeyError: one that nobody declares."""
    if name.startswith(("process_", "up")):
        return None
    base = re.sub(r"_(bucket|count|sum)$", "", name)
    if base != name and isinstance(METRICS.get(base), Histogram):
        return METRICS[base]
    found = METRICS[name]
    assert not isinstance(found, Histogram), f"{name} is a histogram: _bucket, _count or _sum"
    return found


def labels_of(question: str) -> set[str]:
    metrics = [metric for name in NAME.findall(question) if (metric := metric_of(name)) is not None]
    return OF_PROMETHEUS.union(*(metric.label_names for metric in metrics))


def test_there_are_rules_panels_and_a_scaler_to_look_at() -> None:
    assert len(rules()) >= 10
    assert len(list(panels())) >= 30
    assert len(list(scalers())) >= 2  # the autoscaler's own, and what the how-to says of it


def test_a_question_asks_for_what_is_told() -> None:
    for question in questions():
        known = labels_of(question)
        for group in GROUPED.findall(question):
            assert {label.strip() for label in group.split(",") if label.strip()} <= known, question
        for name, matchers in SELECTED.findall(question):
            hold_to_declaration(name, matchers)


def hold_to_declaration(name: str, matchers: str) -> None:
    metric = metric_of(name)
    values = {label.name: label.values for label in metric.labels} if metric is not None else {}
    for label, sign, value in MATCHER.findall(matchers):
        assert label in values or label in OF_PROMETHEUS, f"{name} has no label {label}"
        if (closed := values.get(label)) is not None and sign in {"=", "=~"}:
            assert set(value.split("|")) <= {one.value for one in closed}, f"{name}: {value}"


def test_a_panels_legend_names_labels_that_are_left() -> None:
    for title, question, legend in panels():
        left = {label for group in GROUPED.findall(question) for label in re.split(r"[,\s]+", group)}
        raw = OF_PROMETHEUS if not re.search(r"\b(sum|max|histogram_quantile)\b", question) else set()
        assert set(re.findall(r"{{(\w+)}}", legend)) <= left | raw, title


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    sections = re.split(r"^## ", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    section = next(text for text in sections if text.partition("\n")[0].lower() == anchor)
    assert page == RUNBOOK
    assert anchor == rule["alert"].lower()
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert all(word in section for word in ("**Look**", "**Do**", "**Over**"))
    assert {"summary", "description"} <= set(rule["annotations"])


def test_every_section_of_the_page_is_an_alerts() -> None:
    page = (ROOT / RUNBOOK).read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == [rule["alert"] for rule in rules()]


def test_the_codes_and_routes_that_rules_name_are_there() -> None:
    codes = {kind.error_code for kind in told()}
    routes = set(backend.main.app.openapi()["paths"])
    for question in questions():
        for label, _, value in MATCHER.findall(question):
            if label == "error_code":
                assert set(value.split("|")) <= codes, value
            if label == "route":
                for pattern in value.split("|"):
                    whole = re.compile(pattern.replace("{", r"\{").replace("}", r"\}"))
                    assert any(whole.fullmatch(route) for route in routes), pattern


def test_every_alert_is_seen_to_fire_and_to_be_silent_in_its_tests() -> None:
    """`promtool test rules` runs them: by the next test where Prometheus is installed."""
    written = yaml.safe_load((RULES.parent / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    checks = [check for case in written for check in case["alert_rule_test"]]
    fires = {check["alertname"] for check in checks if check.get("exp_alerts")}
    silent = {check["alertname"] for check in checks if not check.get("exp_alerts")}
    assert fires == silent == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize("command", ["check rules alerts.yml", "test rules alerts_test.yml"])
def test_prometheus_own_tool_agrees(command: str) -> None:
    if shutil.which("promtool") is None:
        assert os.environ.get("CI") != "true", "There is no promtool: it comes with Debian's prometheus (.ci/run does)."
        pytest.skip("promtool comes with Prometheus, which is not installed")
    subprocess.run(["promtool", *command.split()], cwd=RULES.parent, check=True, capture_output=True)


def test_what_is_scraped_is_what_the_rules_speak_of() -> None:
    compose = yaml.safe_load((RULES.parent / "prometheus.yml").read_text(encoding="utf-8"))
    jobs = {scraped["job_name"] for scraped in compose["scrape_configs"]}
    named = {value for question in questions() for label, _, value in MATCHER.findall(question) if label == "job"}
    assert jobs == {"agensium-api", "agensium-worker"}
    assert all(any(re.fullmatch(name, job) for job in jobs) for name in named)


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    board = json.loads((DEPLOY / "grafana" / "dashboards" / "agensium.json").read_text(encoding="utf-8"))
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/agensium.yml").read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in board["panels"]]
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        mine = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not mine & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= mine
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == source["datasources"][0]["uid"]
    assert len(ids) == len(set(ids))
