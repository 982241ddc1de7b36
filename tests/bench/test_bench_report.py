import json
from pathlib import Path
from typing import Any

import pytest

from bench import report
from bench.measure import Figure

STEPS = Figure(
    "P1", "Forty steps", "s", 0.25, bar=0.3, peers={"dbos": 0.5}, missing={"arq": "not installed: no such version"},
    published={"Temporal": 3.0}, note="Said of it.",
)  # fmt: skip
SUBMIT = Figure("P3", "Submit, p50", "ms", 9.0, bar=5.0)


def run_of(measure_id: str, *figures: Figure, **more: Any) -> dict[str, Any]:
    found = {"figures": [figure.as_json() for figure in figures]} if figures else {}
    return {"id": measure_id, "title": "It", "seconds": 1.0, "load_average": [0.5, 1.25], **found, **more}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    report.write([run_of("P1", STEPS), run_of("P3", SUBMIT), run_of("P6", failed="failed: it broke")], tmp_path,
                 quick=False, seconds=3.0)  # fmt: skip
    return tmp_path


def page(folder: Path) -> str:
    return (folder / "BENCHMARKS.md").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")


def test_the_record_is_a_flat_list_of_figures_in_the_form_that_was_agreed(written: Path) -> None:
    entries = json.loads((written / "benchmarks.json").read_text(encoding="utf-8"))
    assert [entry["id"] for entry in entries] == ["P1", "P3", "P6"]
    assert all({"id", "ours", "peers", "bar", "unit"} <= entry.keys() for entry in entries)
    assert entries[0]["peers"] == {"dbos": 0.5}
    assert entries[0]["run"]["load_average"] == [0.5, 1.25]
    assert (entries[2]["ours"], entries[2]["run"]["failed"]) == (None, "failed: it broke")


def test_ratios_come_first_and_what_others_publish_stands_apart(written: Path) -> None:
    said = page(written)
    assert said.index("**2 × better**") < said.index("## Bars") < said.index("Temporal 3 s")
    assert "*missing: not installed: no such version*" in said


def test_what_was_missed_and_what_failed_is_said_at_once(written: Path) -> None:
    opening = page(written).split("## ")[0]
    assert "1 of 2 bars are held" in opening
    assert "Missed: P3." in opening
    assert "Not measured: P6." in opening
    assert "**not measured**: failed: it broke" in page(written)


def test_each_peer_is_named_with_its_version_and_what_it_keeps(written: Path) -> None:
    rows = [line for line in page(written).splitlines() if line.startswith("| dramatiq |")]
    assert len(rows) == 1
    assert "2." in rows[0]
    assert "1 ms" in page(written), "what the store takes"


def test_only_who_has_somebody_beside_it_has_a_chart_and_each_that_is_shown_exists(written: Path) -> None:
    shown = {line.partition("](")[2].rstrip(")") for line in page(written).splitlines() if line.startswith("![")}
    assert shown == {"benchmarks/every-bar.svg", "benchmarks/p1.svg"}
    assert all((written / name).exists() for name in shown)


def test_a_run_of_some_keeps_the_figures_of_the_others(written: Path) -> None:
    report.write([run_of("P6", Figure("P6", "Wait", "times", 1.0, bar=2.0))], written, quick=True, seconds=1.0)
    assert [entry["id"] for entry in json.loads((written / "benchmarks.json").read_text())] == ["P1", "P3", "P6"]
    assert "Not measured" not in page(written)
    report.write([run_of("P1", STEPS)], written, quick=False, seconds=1.0)
    assert "the short form" in page(written), "of the one that was measured so"


def test_the_first_figure_bears_the_measures_name_and_each_other_its_own(tmp_path: Path) -> None:
    figures = (Figure("P3 p50", "Submit", "ms", 1.0), Figure("P3 p99", "Submit", "ms", 1.0), SUBMIT)
    report.write([run_of("P3", *figures)], tmp_path, quick=False, seconds=1.0)
    written = [entry["id"] for entry in json.loads((tmp_path / "benchmarks.json").read_text())]
    assert written == ["P3", "P3 p99", "P3 Submit, p50"]
