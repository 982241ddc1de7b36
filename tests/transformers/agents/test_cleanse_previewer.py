import itertools

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from random_chains import CHAINS, Told, plan, run_chain, tables
from workshop import Workshop

from transformers.agents.cleanse_previewer import AGENT
from transformers.cleaning import part, preview
from transformers.cleaning.rules import Stage

numbers = itertools.count()
several = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MADE_UP = {f"agent-{number}": Stage(f"agent-{number}", "Agent", Told, plan) for number in range(4)}
TOLD = ("rows_before", "rows_after", "rows_set_aside", "rows_changed", "cells_changed", "cells_flagged")


@several
@given(data=tables(), chain=CHAINS)
def test_what_is_previewed_is_what_the_run_does(
    workshop: Workshop, data: pa.Table, chain: list[tuple[tuple[str, int], ...]]
) -> None:
    folder = workshop.folder / f"example-{next(numbers)}"
    folder.mkdir()
    workshop = Workshop(folder)
    table = workshop.table(data)
    forms = {f"agent-{number}": Told(acts=acts) for number, acts in enumerate(chain)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preview, "STAGES", MADE_UP)
        seen = workshop.deliver(AGENT, table, forms=forms).result
    _, delivered = run_chain(folder, table, chain)
    ran = [delivery.result for delivery in delivered]
    assert [{name: stage[name] for name in TOLD} for stage in seen.data["stages"]] == [
        {name: result.summary_metrics[name] for name in TOLD} for result in ran
    ]
    plain = [{key: rule[key] for key in rule if key != "agent_id"} for rule in seen.data["rules"]]
    assert plain == [rule for result in ran for rule in result.data["rules"]]
    assert [stage["examples"] for stage in seen.data["stages"]] == [result.data["examples"] for result in ran]


def test_a_preview_leaves_no_table_and_no_file(workshop: Workshop) -> None:
    delivery = workshop.deliver(AGENT, {"a": [None, "1"], "b": [" ", "2"]})
    assert delivery.table is None
    assert delivery.files == ()
    [scratch] = [folder for folder in workshop.folder.iterdir() if folder.is_dir()]
    assert [path for path in scratch.rglob("*") if path.is_file()] == []


def test_alone_it_previews_the_whole_chain_as_it_is_by_default(workshop: Workshop) -> None:
    result = workshop.run(AGENT, {"a": [None, "1"], "b": [" ", "2"]})
    assert [stage["agent_id"] for stage in result.data["stages"]] == list(preview.STAGES)
    [broken] = [rule for rule in result.data["rules"] if rule["rule"] == "broken_record"]
    assert (broken["agent_id"], broken["rows"], broken["impact"]) == ("quarantine-agent", 1, "high")


@pytest.mark.parametrize(("bad", "impact"), [(10, "high"), (5, "medium"), (4, "low")])
def test_impact_is_high_from_a_tenth_of_the_rows_and_medium_from_a_twentieth(
    workshop: Workshop, bad: int, impact: str
) -> None:
    form = preview.STAGES["quarantine-agent"].form(required_fields=("a",))
    table = workshop.table({"a": [None] * bad + ["x"] * (100 - bad), "b": ["x"] * 100})
    result = workshop.deliver(AGENT, table, forms={"quarantine-agent": form}).result
    assert [rule["impact"] for rule in result.data["rules"]] == [impact]
    assert len(result.alerts) == (impact != "low")


def test_only_the_rules_asked_for_are_shown(workshop: Workshop) -> None:
    data = {"a": [None, "1"], "b": [" ", "2"]}
    result = workshop.run(AGENT, data, preview_rules=("missing_field", "nothing_of_the_kind"))
    assert result.data["rules"] == []
    assert result.data["without_effect"] == ["missing_field", "nothing_of_the_kind"]


def test_cells_that_are_probably_wrong_are_flagged_in_the_preview(workshop: Workshop) -> None:
    cities = ["Birmingham", "Montgomery", "Huntsville", "Tuscaloosa"] * 15
    data = {
        "id": [str(i) for i in range(61)],
        "city": [*cities, "birmxngham"],
        "zip": ["35233", "36111", "35801", "35401"] * 15 + ["35233"],
    }
    result = workshop.deliver(AGENT, data, forms={}).result
    assert result.summary_metrics["errors_detected"] == sum(result.data["errors"].values())
    assert {(issue.row_index, issue.column) for issue in result.row_level_issues} == {(61, "city")}


def test_of_a_large_table_a_part_is_previewed_and_the_result_says_which(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "MOST_CELLS", 40)
    result = workshop.run(AGENT, {"a": [str(n) for n in range(100)], "b": ["", "x"] * 50})
    assert result.summary_metrics["rows_before"] == 20
    assert result.summary_metrics["rows_in_the_table"] == 100
    stretches = result.data["part"]["stretches"]
    assert (stretches[0][0], stretches[-1][-1]) == (1, 100)
    assert sum(last - first + 1 for first, last in stretches) == result.data["part"]["rows"] == 20
    assert result.analysis_text.startswith("Previewed are 20 of the table's 100 rows")
